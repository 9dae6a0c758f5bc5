"""Faces of a sequence of frames: who is who, and landmarks without jitter.

Identity goes by position: faces of two frames are matched by the distance of their middles, in sizes of the face, as
few and as short steps as possible. The filter is a local linear regression in time with Gaussian weights: it has no
lag, leaves steady motion as it is, at the ends too, and takes out what changes from frame to frame.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..landmarks import face_centres

# A face that moved farther between two frames than this many distances from eyes to mouth is another face.
_FARTHEST = 1.5
# A face that was gone for more frames than this is another one, too.
_LONGEST_GAP = 12
# Deviations of the filter's Gaussian that are looked at.
_WINDOW = 3

Track = dict[int, Tensor]  # frame -> landmarks [n,2]


def track_faces(found: Sequence[Sequence[Tensor]]) -> list[Track]:
    """Sort the faces of each frame into tracks, one for each person, in the order in which they appear."""
    from scipy.optimize import linear_sum_assignment  # half a second that most commands do without

    tracks: list[Track] = []
    open_tracks: list[Track] = []
    for frame, faces in enumerate(found):
        open_tracks = [track for track in open_tracks if frame - _last(track) <= _LONGEST_GAP]
        left = dict(enumerate(faces))
        if open_tracks and faces:
            distances = np.array([[_distance(track[_last(track)], face) for face in faces] for track in open_tracks])
            for t, f in zip(*linear_sum_assignment(distances), strict=True):
                if distances[t, f] <= _FARTHEST:
                    open_tracks[t][frame] = left.pop(int(f))
        begun: list[Track] = [{frame: face} for face in left.values()]
        tracks += begun
        open_tracks += begun
    return tracks


def _last(track: Track) -> int:
    """The newest frame of a track whose frames came in order; at once, however long the film."""
    return next(reversed(track))


def _distance(before: Tensor, after: Tensor) -> float:
    """How far a face moved, in distances from eyes to mouth."""
    if len(before) != len(after):
        return np.finfo(float).max
    a, b = map(face_centres, (before, after))
    return float((a.middle - b.middle).norm()) / max(a.size, b.size)


def smooth_track(track: Track, deviation: float) -> Track:
    """Filter the landmarks of one track over time.

    deviation: of the Gaussian weights, in frames; 0 leaves everything as it is. Random jitter of independent frames
    shrinks to about 0.53 / sqrt(deviation) of itself, for instance to 0.22 with 6 frames.
    """
    if deviation <= 0 or len(track) < 2:
        return dict(track)
    frames = torch.tensor(sorted(track), dtype=torch.float64)
    points = torch.stack([track[int(frame)][:, :2].double() for frame in frames])
    smooth = {}
    for frame in frames:
        time = frames - frame
        near = time.abs() <= _WINDOW * deviation
        time, seen = time[near], points[near]
        weights = torch.exp(-0.5 * (time / deviation).square())
        weights = weights / weights.sum()
        # The value at time 0 of the weighted line through the points.
        mean_time, mean = (weights * time).sum(), torch.einsum("t,tnc->nc", weights, seen)
        spread = (weights * (time - mean_time).square()).sum()
        slope = torch.einsum("t,tnc->nc", weights * (time - mean_time), seen) / spread if spread > 0 else 0.0
        smooth[int(frame)] = mean - mean_time * slope
    return smooth
