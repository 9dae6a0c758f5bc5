"""Films out of files, by PyAV: frames upright, with their times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from .errors import FilmError

if TYPE_CHECKING:
    import av

# swscale's names of what turns YUV into RGB, by the standard's number in the stream; HD films that do not say it are
# taken for BT.709, smaller ones for BT.601.
_MATRICES = {1: "ITU709", 4: "FCC", 5: "ITU601", 6: "ITU601", 7: "SMPTE240M", 9: "BT2020", 10: "BT2020"}
_HD = 720
# How swscale converts: BICUBIC | ACCURATE_RND | FULL_CHR_H_INT | FULL_CHR_H_INP; its fast ways darken by 3 levels.
EXACT = 0x4 | 0x40000 | 0x2000 | 0x4000


def pyav():
    """Import PyAV; raises FilmError that says how to get it."""
    try:
        import av
    except ModuleNotFoundError as error:
        raise FilmError(
            "Films are read and written by PyAV, which is not there: pip install 'stylefeatureeditor[video]' (or "
            "pip install av)."
        ) from error
    return av


@dataclass(frozen=True, eq=False)
class FilmFrame:
    """A frame as it was decoded; time: in seconds from the first frame."""

    frame: av.VideoFrame
    time: float

    @property
    def turns(self) -> int:
        """Quarter turns, as numpy.rot90 counts them, that stand it upright."""
        return round(self.frame.rotation / 90) % 4

    def picture(self) -> Tensor:
        """Its colours, upright: [3,H,W] of 0 to 255, uint8, or float32 of more than 8 bits a channel."""
        pixels = upright(to_rgb(self.frame), self.turns)
        values = torch.from_numpy(pixels.astype(np.float32) / 257 if pixels.dtype == np.uint16 else pixels)
        return values.movedim(-1, 0)


@dataclass(frozen=True, eq=False)
class Film:
    """An open film. frames: what the file says of their number, 0 where it does not."""

    path: Path
    container: av.container.InputContainer
    video: av.VideoStream
    frames: int

    def __iter__(self) -> Iterator[FilmFrame]:
        """Decode the frames from where the film stands."""
        for packet in self.packets():
            yield from packet if isinstance(packet, list) else ()

    def packets(self) -> Iterator[list[FilmFrame] | av.Packet]:
        """Give what the film holds in its order: decoded frames of the picture, packets of sound."""
        av, first, last = pyav(), None, None
        kept = [self.video, *self.container.streams.audio]
        step = 1 / (self.video.average_rate or 25) / self.video.time_base
        try:
            for packet in self.container.demux(kept):
                if packet.stream is not self.video:
                    if packet.dts is not None:  # the last packet of a stream is an empty one
                        yield packet
                    continue
                frames = []
                for frame in packet.decode():
                    # Times that are missing, or that go back, are put behind the last one.
                    expected = 0 if last is None else last + max(1, round(step))
                    if frame.pts is None:
                        frame.pts = expected
                    elif last is not None and frame.pts <= last:
                        frame.pts = last + 1
                    frame.time_base = self.video.time_base
                    first, last = frame.pts if first is None else first, frame.pts
                    frames.append(FilmFrame(frame, float((last - first) * Fraction(self.video.time_base))))
                if frames:
                    yield frames
        except av.error.FFmpegError as error:
            raise FilmError(f"{self.path} is damaged ({error.strerror or error}); cut it anew or repair it.") from error


@contextmanager
def opened(path: Path | str) -> Iterator[Film]:
    """Open a film. Raises FilmError naming the file."""
    av, path = pyav(), Path(path)
    if not path.is_file():
        raise FilmError(f"There is no film {path}.")
    try:
        container = av.open(str(path))
    except av.error.FFmpegError as error:
        raise FilmError(
            f"{path} cannot be read as a film ({error.strerror or error}); expected MP4 or the like."
        ) from error
    with container:
        cover = av.stream.Disposition.attached_pic  # the picture on a record's cover
        pictures = [stream for stream in container.streams.video if not stream.disposition & cover]
        if not pictures:
            raise FilmError(f"{path} has no moving picture; expected a film.")
        pictures[0].thread_type = "AUTO"
        yield Film(path, container, pictures[0], pictures[0].frames)


def upright(pixels: np.ndarray, turns: int) -> np.ndarray:
    """Turn [H,W,...] by quarter turns."""
    return np.ascontiguousarray(np.rot90(pixels, turns))


def to_rgb(frame: av.VideoFrame) -> np.ndarray:
    """Convert a frame to [H,W,3]: uint8, or uint16 if it has more than 8 bits a channel."""
    deep = max(component.bits for component in frame.format.components) > 8
    return frame.to_ndarray(format="rgb48le" if deep else "rgb24", src_colorspace=matrix(frame), interpolation=EXACT)


def matrix(frame: av.VideoFrame) -> str:
    """Name what turns a frame's YUV into RGB, as swscale calls it."""
    return _MATRICES.get(int(frame.colorspace), "ITU709" if frame.height >= _HD else "ITU601")
