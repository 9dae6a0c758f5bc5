"""Films into files, by PyAV: what was not edited goes from decoder to encoder as it was."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from ..atomic import replaced
from ..faces.crop.warp import Box
from .errors import FilmError
from .formats import Codec, film_format
from .reading import EXACT, Film, FilmFrame, matrix, pyav, upright

if TYPE_CHECKING:
    import av

# Of a source whose own format the encoder does not take.
_USUAL, _FULL = "yuv420p", "yuv444p"
# Errors of a disk that is full, or of all that somebody may fill of it.
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


class FilmWriter:
    """An open file that a film is written into, frame by frame, upright, with the times of its source."""

    def __init__(self, container: av.container.OutputContainer, source: Film, codec: Codec, quality: int | None):
        self._container, self._source, self._codec, self._quality = container, source, codec, quality
        container.metadata.update(source.container.metadata)
        # The picture comes first in the file, but its size is known with the first frame only; sound waits for it.
        self._video = container.add_stream(codec.encoder, rate=source.video.average_rate or 25)
        self._sound = {stream.index: self._copied(stream) for stream in source.container.streams.audio}
        self._begun, self._waiting = False, []

    def _copied(self, stream: av.AudioStream) -> av.AudioStream:
        """Make the place for a stream of sound."""
        try:
            copy = self._container.add_stream_from_template(stream)
        except ValueError as error:
            raise FilmError(
                f"A file of the kind {self._container.format.name} does not hold the film's sound "
                f"({stream.codec_context.name}); .mkv holds nearly every kind."
            ) from error
        copy.metadata.update(stream.metadata)
        return copy

    def _begin(self, frame: FilmFrame) -> None:
        """Set the encoder up by the first frame."""
        given, own = frame.frame, self._source.video.codec_context
        out = self._video.codec_context
        turned = frame.turns % 2
        out.width, out.height = (given.height, given.width) if turned else (given.width, given.height)
        out.pix_fmt = self._pixel_format(given)
        out.time_base = self._source.video.time_base
        if own.sample_aspect_ratio and own.sample_aspect_ratio != 1:
            out.sample_aspect_ratio = 1 / own.sample_aspect_ratio if turned else own.sample_aspect_ratio
        for name in ("color_range", "colorspace", "color_primaries", "color_trc"):
            setattr(out, name, getattr(own, name))
        crf = {} if self._quality is None else {"crf": str(self._quality)}
        out.options = {**self._codec.options, **crf}
        if self._codec.encoder == "libx265" and self._container.format.name in ("mp4", "mov"):
            out.codec_tag = "hvc1"  # what Apple's players ask for
        self._begun = True

    def _pixel_format(self, frame: av.VideoFrame) -> str:
        """The source's own format, or one that keeps as much as the encoder can."""
        name = frame.format.name
        known = {one.name for one in pyav().codec.Codec(self._codec.encoder, "w").video_formats}
        odd = (frame.width % 2 or frame.height % 2) and self._codec.encoder in ("libx264", "libx265")
        if name in known and frame.format.is_planar and not (odd and frame.format.chroma_width(1)):
            return name
        return _FULL if odd or frame.format.is_rgb else _USUAL

    def write(self, frame: FilmFrame, picture: Tensor | None = None, box: Box | None = None) -> None:
        """Write a frame; picture: [3,H,W] of 0 to 255, upright, of which the box (top, left, height, width) counts."""
        if not self._begun:
            self._begin(frame)
        given = frame.frame
        same = {"src_colorspace": matrix(given), "dst_colorspace": matrix(given), "interpolation": EXACT}
        made = given.reformat(format=self._video.pix_fmt, **same)
        if picture is not None or frame.turns:
            made = self._rebuilt(made, frame, picture, box)
        made.pts, made.time_base = given.pts, given.time_base
        self._mux(self._video.encode(made))

    def _rebuilt(self, made: av.VideoFrame, frame: FilmFrame, picture: Tensor | None, box: Box | None) -> av.VideoFrame:
        """Turn the planes of a frame upright, and lay the box of the picture over them."""
        av = pyav()
        whole = [upright(plane, frame.turns) for plane in planes(made)]
        if picture is not None:
            new = planes(self._as_frame(picture, frame.frame))
            for old, edited in zip(whole, new, strict=True):
                old[_part(box, old.shape, picture.shape[1:])] = edited[_part(box, old.shape, picture.shape[1:])]
        height, width = whole[0].shape
        result = av.VideoFrame(width, height, self._video.pix_fmt)
        for plane, values in zip(planes(result), whole, strict=True):
            plane[:] = values
        for name in ("color_range", "colorspace"):
            setattr(result, name, getattr(frame.frame, name))
        return result

    def _as_frame(self, picture: Tensor, given: av.VideoFrame) -> av.VideoFrame:
        """A picture [3,H,W] in the encoder's format."""
        pixels = picture.movedim(0, -1).cpu().numpy()
        if pixels.dtype == np.uint8:
            frame = pyav().VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
        else:
            deep = np.rint(pixels * 257).clip(0, 65535).astype(np.uint16)
            frame = pyav().VideoFrame.from_ndarray(np.ascontiguousarray(deep), format="rgb48le")
        return frame.reformat(
            format=self._video.pix_fmt,
            dst_colorspace=matrix(given),
            dst_color_range=int(given.color_range) or 1,
            interpolation=EXACT,
        )

    def copy(self, packet: av.Packet) -> None:
        """Copy a packet of sound."""
        packet.stream = self._sound[packet.stream.index]
        if self._begun:
            self._mux([packet])
        else:
            self._waiting.append(packet)

    def _mux(self, packets: list[av.Packet]) -> None:
        for packet in (*self._waiting, *packets):
            self._container.mux(packet)
        self._waiting = []

    def end(self) -> None:
        """Write what the encoder still holds."""
        self._mux(self._video.encode(None))


def planes(frame: av.VideoFrame) -> list[np.ndarray]:
    """The planes of a planar frame as arrays [h,w] on its own memory."""
    found = []
    for plane, component in zip(frame.planes, frame.format.components, strict=False):
        kind = np.uint16 if component.bits > 8 else np.uint8
        rows = np.frombuffer(plane, kind).reshape(plane.height, -1)
        found.append(rows[:, : plane.width])
    return found


def _part(box: Box, shape: tuple[int, int], size: tuple[int, int]) -> tuple[slice, slice]:
    """The part of a plane that a box of the picture covers, outwards to whole cells of the plane."""
    top, left, height, width = box
    down, across = (-(-n // m) for n, m in zip(size, shape, strict=True))
    return slice(top // down, -(-(top + height) // down)), slice(left // across, -(-(left + width) // across))


@contextmanager
def written(
    path: Path | str, source: Film, codec: str | None = None, quality: int | None = None
) -> Iterator[FilmWriter]:
    """Open a film for writing; it is there whole at the end, or not at all.

    Raises FilmError, and OSError where nothing can be written, on a full disk too.
    """
    av = pyav()
    container_format, chosen, quality = film_format(path, codec, quality)
    with replaced(path) as temporary:
        try:
            with av.open(str(temporary), "w", format=container_format) as container:
                yield (writer := FilmWriter(container, source, chosen, quality))
                writer.end()
        except av.error.FFmpegError as error:
            reason = error.strerror or error
            if error.errno in _NO_SPACE:
                raise OSError(error.errno, str(reason)) from error
            raise FilmError(f"{path} cannot be written ({reason}); give another path, or another --codec.") from error
