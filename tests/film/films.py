"""Small films to try things on."""

from fractions import Fraction

import av
import numpy as np
import torch


def ramp(number, size=(144, 192)):
    """A frame [H,W,3] that tells its number, with some structure."""
    height, width = size
    rows, columns = np.mgrid[:height, :width]
    return np.stack(
        [(columns + 3 * number) % 256, (rows * 2) % 256, np.full(size, (40 + 5 * number) % 256)], axis=-1
    ).astype(np.uint8)


def make_film(
    path, pictures, times=None, codec="ffv1", pixels="yuv444p", sound=False, turned=0, time_base=Fraction(1, 1000)
):
    """Write pictures [H,W,3] at times in time_base units; sound: a tone that lasts as long."""
    times = times or [40 * i for i in range(len(pictures))]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt, stream.codec_context.time_base = pixels, time_base
        if turned:
            stream.set_display_rotation(turned)
        if codec == "libx264":
            stream.options = {"crf": "0", "preset": "ultrafast"}
        voice = container.add_stream("aac", rate=16000, layout="mono") if sound else None
        for picture, time in zip(pictures, times, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = time, time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if voice is not None:
            seconds = float(times[-1] * time_base) + 0.04
            tone = np.sin(np.arange(int(16000 * seconds)) * 440 * 2 * np.pi / 16000).astype(np.float32)
            frame = av.AudioFrame.from_ndarray(tone[None], format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 16000, 0
            container.mux(voice.encode(frame))
            container.mux(voice.encode(None))
    return path


def read_film(path):
    """(times in seconds, pictures [3,H,W] upright) of a film."""
    from sfe_models.film.reading import opened

    with opened(path) as film:
        found = [(float(frame.frame.pts * frame.frame.time_base), frame.picture()) for frame in film]
    return [time for time, _ in found], torch.stack([picture for _, picture in found])


def sound_packets(path):
    """[(time in seconds, bytes)] of a film's sound."""
    with av.open(str(path)) as container:
        return [
            (float(packet.pts * packet.time_base), bytes(packet))
            for packet in container.demux(container.streams.audio)
            if packet.pts is not None
        ]
