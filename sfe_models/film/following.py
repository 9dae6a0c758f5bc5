"""Who is edited in which frame, and where: one person of each shot, followed through it.

A face that is missed for a few frames is bridged between the places where it was seen; one that goes for longer fades
out and in again. Nothing reaches across a cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..faces.crop.alignment import FaceAlignment, align_face
from ..faces.crop.warp import crop_face
from ..faces.find.choice import choose_faces, face_problem
from ..faces.find.tracking import Track, smooth_track, track_faces
from ..faces.landmarks import face_centres
from .registration import SIDE, applied, chained, inverted, moved
from .shots import cells, change, cuts

# A face that is not seen for so many frames is taken to be where it goes on its way; usual detectors miss blurred ones.
BRIDGED = 8
# An edit that begins or ends within a shot fades over so many frames.
FADE = 6
# A face that is seen for fewer frames is passed over: a detector's error, or gone before one sees it.
_SHORTEST = 4
# Who is seen for less than this share of the longest time of anybody in a shot is not counted.
_LEAST_SHARE = 1 / 3
# A face of the next frame is the same one if nearer than this, in sides of the crop.
_NEXT = 0.4
# Who comes back is the same person if nearer than this to where they left, in distances from eyes to mouth, and of a
# size within this factor.
_RETURN, _RETURN_SIZE = 4.0, 1.6


@dataclass(frozen=True, repr=False)
class Place:
    """Where the face of a frame is.

    alignment: of its crop; weight: how much of the edit is seen, in (0,1]; run: frames of one run belong together, and
    nothing is smoothed from one run to another.
    """

    alignment: FaceAlignment
    weight: float
    run: int


@dataclass(frozen=True, repr=False)
class Plan:
    """What is done to each frame: times in seconds from the first one, where the face is (None: passed through)."""

    times: tuple[float, ...]
    places: tuple[Place | None, ...]
    shots: tuple[int, ...] = field(default=(0,))  # numbers of the frames that shots begin with

    @property
    def edited(self) -> int:
        """How many frames show the face."""
        return sum(place is not None for place in self.places)


@dataclass(frozen=True, eq=False)
class _Seen:
    """A face of the last frame: its points, and a small crop about it."""

    points: Tensor
    alignment: FaceAlignment
    crop: Tensor

    @staticmethod
    def of(picture: Tensor, points: Tensor) -> _Seen:
        alignment = align_face(points, tuple(picture.shape[1:]), (SIDE, SIDE))
        return _Seen(points, alignment, crop_face(picture, alignment))

    def distance(self, other: _Seen) -> float:
        """How far apart two faces are, in sides of the crop."""
        a, b = (one.alignment.quad() for one in (self, other))
        return float((a - b).norm(dim=1).mean()) / self.alignment.area**0.5

    def motion_from(self, before: _Seen) -> Tensor | None:
        """How the face came here: px of the frame before to px of this one, [2,3]; None where that cannot be told."""
        if self.distance(before) > _NEXT:
            return None
        here = moved(before.crop, self.crop)
        if here is None:
            return None
        return chained(self.alignment.crop_to_photo, chained(here, before.alignment.photo_to_crop))


class Looking:
    """What a first look at a film finds, frame by frame: faces, and how much changes. Keeps no picture."""

    def __init__(self, find: Callable[[Tensor], Sequence[Tensor]]):
        self._find, self._cells = find, None
        self._seen: list[_Seen] = []
        self.found: list[list[Tensor]] = []
        # By the identity of a face's points: those of the same face in the frame before, and how it moved since.
        self.motions: dict[int, tuple[int, Tensor]] = {}
        self.changes: list[float] = []
        self.size: tuple[int, int] = (0, 0)

    def see(self, picture: Tensor) -> None:
        """Look at the next frame [3,H,W] of 0 to 255."""
        self.size = tuple(picture.shape[1:])
        now = cells(picture)
        if self._cells is not None:
            self.changes.append(change(self._cells, now))
        self._cells = now
        self.found.append([points for points in self._find(picture) if face_problem(points, self.size) is None])
        seen = [_Seen.of(picture, points) for points in self.found[-1]]
        for face in seen:
            before = min(self._seen, key=face.distance, default=None)
            if before is not None and (motion := face.motion_from(before)) is not None:
                self.motions[id(face.points)] = (id(before.points), motion)
        self._seen = seen


def follow(
    looking: Looking,
    times: Sequence[float],
    crop_size: tuple[int, int],
    face: int = 0,
    order: str = "largest first",
    smoothing: float = 6.0,
) -> Plan:
    """Decide what is done to each frame.

    face: the number of the person, counted in this order from 0, in each shot by how people are seen in the middle of
    the time that they are there; smoothing: deviation in frames of the filter of the landmarks, 0 for none.
    """
    found = looking.found
    starts = [0, *cuts(looking.changes)]
    places: list[Place | None] = [None] * len(found)
    run = 0
    for start, end in zip(starts, [*starts[1:], len(found)], strict=True):
        tracks = [track for track in track_faces(found[start:end]) if len(track) >= min(_SHORTEST, end - start)]
        for track in _runs(_person(tracks, looking.size, crop_size, face, order)):
            first, last = min(track), max(track)
            points = _calm(track, looking.motions, smoothing)
            for number in range(first, last + 1):
                # No fade where the shot itself begins or ends.
                since = number - first if first else FADE
                left = last - number if last < end - start - 1 else FADE
                weight = _eased((min(since, left) + 1) / (FADE + 1))
                alignment = align_face(points[number], looking.size, crop_size)
                places[start + number] = Place(alignment, weight, run)
            run += 1
    return Plan(tuple(times), tuple(places), tuple(starts))


def _person(tracks: list[Track], size: tuple[int, int], crop_size: tuple[int, int], face: int, order: str) -> Track:
    """The chosen person of one shot, with all times that they are there; empty if there is none."""
    if not tracks:
        return {}
    longest = max(map(len, tracks))
    known = [track for track in tracks if len(track) >= _LEAST_SHARE * longest]
    shown = [align_face(track[sorted(track)[len(track) // 2]], size, crop_size) for track in known]
    chosen = choose_faces(shown, order, face)
    if not chosen:
        return {}
    person = dict(known[next(i for i, one in enumerate(shown) if one is chosen[0])])
    others = sorted((track for track in tracks if not person.keys() & track.keys()), key=min)
    for track in [*others, *reversed(others)]:  # those after the person's time, then those before
        after, before = min(track) > max(person), max(track) < min(person)
        if after and _same(person[max(person)], track[min(track)]):
            person.update(track)
        elif before and _same(track[max(track)], person[min(person)]):
            person.update(track)
    return person


def _same(before: Tensor, after: Tensor) -> bool:
    """Whether a face that went at one place is the one that came at another."""
    if len(before) != len(after):
        return False
    a, b = map(face_centres, (before, after))
    smaller, larger = sorted((a.size, b.size))
    return float((a.middle - b.middle).norm()) <= _RETURN * larger and larger <= _RETURN_SIZE * smaller


def _runs(track: Track) -> Iterable[Track]:
    """Part a person's time where they are not seen for more than BRIDGED frames; times that are too short are left out,
    unless the person is never seen for longer.
    """
    parts: list[Track] = []
    before = None
    for number in sorted(track):
        if before is None or number - before > BRIDGED + 1:
            parts.append({})
        parts[-1][number] = track[number]
        before = number
    return [part for part in parts if len(part) >= min(_SHORTEST, len(track))]


def _calm(track: Track, motions: Mapping[int, tuple[int, Tensor]], smoothing: float) -> Track:
    """Smooth the landmarks of a run in coordinates that move with the face, so that it lies still in its crop.

    What the detector does differently from frame to frame goes; what the face and the camera really do stays. Where
    the motion is not known the face is taken to stand still.
    """
    if smoothing <= 0:
        return _bridged(track)
    paths, path, before = {}, torch.eye(2, 3, dtype=torch.float64), None
    for number in range(min(track), max(track) + 1):
        points = track.get(number)
        last, motion = motions.get(id(points), (None, None))
        if motion is not None and before is not None and last == id(before):
            path = chained(motion, path)
        paths[number], before = path, points
    still = {number: applied(inverted(paths[number]), points[:, :2].double()) for number, points in track.items()}
    smooth = smooth_track(_bridged(still), smoothing)
    return {number: applied(paths[number], points) for number, points in smooth.items()}


def _bridged(track: Track) -> Track:
    """Fill in the frames that are missing, in straight lines."""
    numbers, whole = sorted(track), dict(track)
    for first, last in zip(numbers, numbers[1:], strict=False):
        for number in range(first + 1, last):
            whole[number] = torch.lerp(
                track[first][:, :2].double(), track[last][:, :2].double(), (number - first) / (last - first)
            )
    return whole


def _eased(share: float) -> float:
    """From 0 to 1 without a corner."""
    share = min(1.0, share)
    return share * share * (3 - 2 * share)
