"""Strengths over time. Nothing is imported here, so that help is there at once."""

from __future__ import annotations

import bisect
import math
import re
from dataclasses import dataclass

_TIME = re.compile(r"(?:(\d+):)?(\d+(?:\.\d*)?|\.\d+)s?")


@dataclass(frozen=True)
class KeyFrames:
    """Strengths at times: (seconds, strength), in the order of time; one alone holds throughout.

    Between two the strength moves in a straight line; before the first and after the last it stays as it is there. Two
    at one time are a jump.
    """

    points: tuple[tuple[float, float], ...]

    def __post_init__(self):
        times = [time for time, _ in self.points]
        if not times or times != sorted(times) or not all(map(math.isfinite, (v for p in self.points for v in p))):
            raise ValueError(
                f"Key frames {self.points}; expected (seconds, strength), finite and in the order of time."
            )

    @staticmethod
    def constant(strength: float) -> KeyFrames:
        """One strength throughout."""
        return KeyFrames(((0.0, float(strength)),))

    def at(self, seconds: float) -> float:
        """The strength at a time."""
        after = bisect.bisect_right(self.points, seconds, key=lambda point: point[0])
        if after in (0, len(self.points)):
            return self.points[min(after, len(self.points) - 1)][1]
        (start, first), (end, last) = self.points[after - 1 : after + 1]
        return first + (last - first) * (seconds - start) / (end - start)


def parse_key_frames(text: str) -> KeyFrames:
    """Read `5`, or `0@0s,5@4s`: strengths at times, which are seconds (4, 4s, 0.5s) or minutes (1:30).

    Raises ValueError, one sentence.
    """
    points = []
    for part in text.split(","):
        strength, at, time = part.strip().partition("@")
        if not at and "," not in text:
            return KeyFrames.constant(_number(strength))
        if not at:
            raise ValueError(f"'{part.strip()}' has no time; expected STRENGTH@TIME, such as 5@4s")
        seconds = _seconds(time)
        if points and seconds < points[-1][0]:
            raise ValueError(f"'{part.strip()}' comes before the key frame on its left; expected them in order of time")
        points.append((seconds, _number(strength)))
    return KeyFrames(tuple(points))


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"'{text}' is no strength; expected a number, such as 5 or -1.5")
    return value


def _seconds(text: str) -> float:
    found = _TIME.fullmatch(text.strip())
    if not found:
        raise ValueError(f"'{text}' is no time; expected seconds, such as 4s or 0.5s, or minutes, such as 1:30")
    return 60.0 * int(found[1] or 0) + float(found[2])
