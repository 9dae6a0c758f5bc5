"""Seconds and memory of finding, aligning and pasting one face of a large photo, beyond decoding and encoding it.

python benchmarks/align_and_paste.py --repeats 5
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from statistics import median

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sfe_models.choices import BLENDS  # noqa: E402
from sfe_models.faces.crop.warp import crop_face  # noqa: E402
from sfe_models.faces.errors import FaceError  # noqa: E402
from sfe_models.faces.find.choice import face_problem  # noqa: E402
from sfe_models.faces.find.detectors import find_faces, load_detector  # noqa: E402
from sfe_models.faces.find.people import align_photos  # noqa: E402
from sfe_models.faces.paste.face import PasteOptions, paste_into  # noqa: E402

# Eyes, nose and mouth corners of scikit-image's astronaut, in px of its 512.
ASTRONAUT = [[207.6, 111.2], [247.3, 110.3], [229.1, 131.5], [210.5, 148.4], [247.7, 147.5]]


def portrait(height: int, width: int) -> torch.Tensor:
    """Return scikit-image's astronaut, enlarged to fill a photo of this size: [3,H,W], uint8."""
    from skimage import data

    picture = torch.from_numpy(data.astronaut()).movedim(-1, 0)[None].float()
    scale = max(height, width) / 512
    large = F.interpolate(picture, scale_factor=scale, mode="bilinear", align_corners=False)[0, :, :height, :width]
    # In memory as decoders and ComfyUI leave it: pixel after pixel.
    return large.round().to(torch.uint8).movedim(0, -1).contiguous().movedim(-1, 0)


def memory_bytes(name: str) -> int:
    """VmRSS (resident memory) or VmHWM (its peak) of this process; Linux only."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition(f"{name}:")[2].split()[0]) * 1024


def peak_of(run) -> int:
    """Peak of what a function adds to the resident memory, in bytes."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts anew
    before = memory_bytes("VmRSS")
    run()
    return memory_bytes("VmHWM") - before


def timed(repeats: int, run):
    """Median seconds, after one run that is not counted, and the last result."""
    seconds, result = [], run()
    for _ in range(repeats):
        start = time.perf_counter()
        result = run()
        seconds.append(time.perf_counter() - start)
    return median(seconds), result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, help="default: torch's own choice")
    parser.add_argument("--size", type=int, nargs=2, default=(4000, 6000), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--crop", type=int, default=1024, help="side of the crop in px")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    height, width = options.size
    photo = portrait(height, width)
    points = torch.tensor(ASTRONAUT, dtype=torch.float64) * max(height, width) / 512
    if problem := face_problem(points, (height, width)):
        raise SystemExit(f"The face does not fit into this size: {problem}.")
    aligned = align_photos([[points]], (height, width), (options.crop,) * 2)
    face = aligned.faces[0]
    try:
        added = peak_of(lambda: paste_into(photo, crop_face(photo, face), face))
        memory = f"Peak memory, the photo included: {1 + added / photo.numel():.2f} times the photo's."
    except OSError as error:
        memory = f"The memory cannot be measured here: {error}"
    align, crop = timed(options.repeats, lambda: crop_face(photo, face))
    rows = [("crop, landmarks given", align)]
    for name in ("dlib", "yunet"):
        try:
            detector = load_detector(name)
        except FaceError as error:
            print(f"{name} is left out: {str(error)[:120]}", file=sys.stderr)
            continue
        rows.append((f"find the face ({name})", timed(options.repeats, lambda d=detector: find_faces(photo, d))[0]))
    for blend in BLENDS:
        ways = PasteOptions(blend=blend)
        seconds, _ = timed(options.repeats, lambda w=ways: paste_into(photo, crop, face, options=w))
        rows.append((f"paste back ({blend})", seconds))
    print(
        f"{height * width / 1e6:.0f} megapixels, a crop of {face.area**0.5:.0f} px of the photo, to {options.crop} px;"
    )
    print(f"{torch.get_num_threads()} threads, median of {options.repeats}.\n")
    print("| step | seconds |\n|---|---|")
    for name, seconds in rows:
        print(f"| {name} | {seconds:.3f} |")
    print(f"\n{memory}")


if __name__ == "__main__":
    main()
