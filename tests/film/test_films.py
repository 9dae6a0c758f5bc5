"""Films in files: what is kept, and what is said of those that cannot be read or written."""

import errno

import pytest
import torch

pytest.importorskip("av", reason="needs PyAV (the extra video)")

from faces.people import face
from film.films import make_film, ramp, read_film, sound_packets

from sfe_models.directions.base import DirectionError
from sfe_models.film.edit import EDITING, edit_film
from sfe_models.film.errors import FilmError
from sfe_models.film.frames import FilmOptions
from sfe_models.film.key_frames import KeyFrames
from sfe_models.film.reading import opened
from sfe_models.film.writing import written

# Of variable rate: on average 25 a second.
TIMES = [0, 30, 71, 150, 160, 240, 280, 290, 333, 400]
FACE = face(90, 70, 1.15)


@pytest.fixture
def film(tmp_path):
    """A film of variable rate with sound, without loss, of frames 192 x 144."""
    pictures = [ramp(i) for i in range(len(TIMES))]
    return make_film(tmp_path / "in.mkv", pictures, TIMES, pixels="yuv420p", sound=True)


def copied(source, target, codec=None, change=None):
    """Write a film anew; change: what is done with each picture, and the box that it changes."""
    with opened(source) as film, written(target, film, codec) as writer:
        for item in film.packets():
            if not isinstance(item, list):
                writer.copy(item)
                continue
            for frame in item:
                writer.write(frame, *((None, None) if change is None else change(frame.picture())))
    return target


@pytest.mark.parametrize("name", ["out.mkv", "out.mp4", "out.mov"])
def test_times_and_sound_are_kept_to_the_bit(film, tmp_path, name):
    made = copied(film, tmp_path / name)
    assert read_film(made)[0] == pytest.approx(read_film(film)[0], abs=1e-9)
    sound, original = sound_packets(made), sound_packets(film)
    assert [data for _, data in sound] == [data for _, data in original] != []
    assert [time for time, _ in sound] == pytest.approx([time for time, _ in original], abs=1e-3)


def test_without_loss_nothing_outside_of_the_box_changes_and_the_box_shows_what_was_put_there(film, tmp_path):
    def change(picture):
        picture[:, 20:50, 30:70] = torch.tensor([200, 60, 90], dtype=torch.uint8)[:, None, None]
        return picture, (20, 30, 30, 40)

    before, after = (read_film(path)[1].int() for path in (film, copied(film, tmp_path / "o.mkv", "ffv1", change)))
    outside = torch.ones(144, 192, dtype=torch.bool)
    outside[14:56, 24:76] = False  # colour is kept for 2 x 2 pixels, and spread over its neighbours
    assert torch.equal(before[:, :, outside], after[:, :, outside])
    inside = after[:, :, 24:46, 34:66] - torch.tensor([200, 60, 90])[:, None, None]
    assert inside.abs().max() <= 2


def test_usual_coding_changes_little(film, tmp_path):
    before, after = (read_film(path)[1].float() for path in (film, copied(film, tmp_path / "out.mp4")))
    assert 0 < (before - after).abs().mean() < 2


@pytest.mark.parametrize("turned", [90, 180, -90])
def test_a_film_of_a_phone_held_upright_is_written_upright(tmp_path, turned):
    if not hasattr(pytest.importorskip("av").VideoStream, "set_display_rotation"):
        pytest.skip("needs a PyAV that writes rotations, to make such a film")
    pictures = [ramp(i) for i in range(4)]
    plain = read_film(make_film(tmp_path / "plain.mp4", pictures, codec="libx264", pixels="yuv444p"))[1]
    source = make_film(tmp_path / "turned.mp4", pictures, codec="libx264", pixels="yuv444p", turned=turned)
    seen = read_film(source)[1]
    assert torch.equal(seen, plain.rot90(turned // 90, (2, 3)))
    made = copied(source, tmp_path / "out.mkv", "ffv1")
    assert torch.equal(read_film(made)[1], seen)
    with opened(made) as film:
        assert next(iter(film)).turns == 0


def test_more_than_eight_bits_stay(tmp_path):
    source = make_film(tmp_path / "deep.mkv", [ramp(i) for i in range(3)], pixels="yuv420p10le")
    made = copied(source, tmp_path / "out.mkv", "ffv1", lambda picture: (picture, (10, 10, 40, 40)))
    before, after = read_film(source)[1], read_film(made)[1]
    assert before.dtype == torch.float32 and (before - after).abs().max() < 1
    with opened(made) as film:
        assert film.video.codec_context.pix_fmt == "yuv420p10le"


def test_without_a_codec_that_fits_it_is_said_before_the_work(film, tmp_path):
    for target, codec, message in (
        ("out.avi", None, "film format's suffix"),
        ("out.mp4", "ffv1", "goes into .mkv"),
    ):
        with pytest.raises(FilmError, match=message), opened(film) as source, written(tmp_path / target, source, codec):
            pass
    with pytest.raises(FilmError, match="takes a number from 0 to 51"), opened(film) as source:
        with written(tmp_path / "out.mp4", source, None, 99):
            pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mkv"]


def test_a_full_disk_is_no_fault_of_the_film(film, tmp_path):
    import av

    with opened(film) as source, pytest.raises(OSError, match=r"Cannot write .*out.mp4: No space left"):
        with written(tmp_path / "out.mp4", source):
            raise av.error.OSError(errno.ENOSPC, "No space left on device", "out.mp4")
    assert not (tmp_path / "out.mp4").exists()


def test_sound_that_the_container_does_not_hold_is_said(film, tmp_path):
    with pytest.raises(FilmError, match="webm does not hold the film's sound .aac.; .mkv"):
        copied(film, tmp_path / "out.webm")
    assert not (tmp_path / "out.webm").exists()


def test_rubbish_is_no_film(tmp_path):
    (tmp_path / "rubbish.mp4").write_bytes(b"no film" * 100)
    (tmp_path / "empty.mp4").touch()
    make_film(tmp_path / "whole.mp4", [ramp(0)] * 5, codec="libx264", pixels="yuv420p")
    (tmp_path / "half.mp4").write_bytes((tmp_path / "whole.mp4").read_bytes()[:1000])
    for name in ("rubbish.mp4", "empty.mp4", "half.mp4"):
        with pytest.raises(FilmError, match=f"{name} cannot be read as a film"), opened(tmp_path / name):
            pass
    with pytest.raises(FilmError, match="There is no film"), opened(tmp_path / "none.mp4"):
        pass


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("disk"), FilmError("anything")])
def test_a_write_that_is_interrupted_leaves_nothing_and_keeps_an_older_film(film, tmp_path, pipeline, error):
    target = tmp_path / "out.mp4"
    target.write_bytes(b"older")

    def stop(stage, done, frames):
        if stage == EDITING and done == 6:
            raise error

    with pytest.raises(type(error) if isinstance(error, Exception) else error):
        edit_film(pipeline, film, target, [], lambda picture: [FACE], FilmOptions(smoothing=0), stop)
    assert target.read_bytes() == b"older"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mkv", "out.mp4"]


def test_strength_0_is_the_film_within_one_grey_level_outside_of_the_face(film, tmp_path, pipeline, directions):
    target = tmp_path / "out.mkv"
    options = FilmOptions(codec="ffv1", smoothing=1.0)
    edits = [(directions[0], KeyFrames.constant(0.0))]
    done = edit_film(pipeline, film, target, edits, lambda picture: [FACE], options)
    assert (done.frames, done.edited, done.shots) == (10, 10, 1) and done.seconds == pytest.approx(0.4)
    (times, before), (after_times, after) = read_film(film), read_film(target)
    assert after_times == times and sound_packets(target) == sound_packets(film)
    difference = (before.int() - after.int()).abs().amax(dim=(0, 1))
    with opened(film) as source:
        alignment = _alignment(source)
    outside = _outside(alignment)
    assert outside.any() and difference[outside].max() <= 1
    assert difference[~outside].max() > 1


def test_a_film_without_a_face_is_refused_and_strengths_are_checked(film, tmp_path, pipeline, directions):
    with pytest.raises(FilmError, match="no face that can be edited"):
        edit_film(pipeline, film, tmp_path / "out.mkv", [], lambda picture: [])
    with pytest.raises(DirectionError, match="expected a number from -1000"):
        edit_film(pipeline, film, tmp_path / "out.mkv", [(directions[0], KeyFrames.constant(2000.0))], lambda p: [FACE])
    assert not (tmp_path / "out.mkv").exists()


def _alignment(film):
    from sfe_models.faces.crop.alignment import align_face

    return align_face(FACE, tuple(next(iter(film)).picture().shape[1:]), (64, 64))


def _outside(alignment):
    """Where nothing of a crop goes back, with room for colour, which is kept for 2 x 2 pixels."""
    from sfe_models.faces.paste.face import paste_face

    photo = torch.zeros(3, *alignment.photo_size)
    used = paste_face(photo, torch.zeros(3, 64, 64), alignment)[1]
    return torch.nn.functional.max_pool2d(used[None], 13, 1, 6)[0] == 0
