"""Options of commands that take a photo."""

from __future__ import annotations

import argparse

from ...choices import BLENDS, DETECTORS, FEATHERED, HEAD, ORDERS, PASTE_REGIONS, SOFT_EDGE


def add_align_options(parser: argparse.ArgumentParser, many: bool = False) -> None:
    """Add what finds the face of a photo; many: of many photos, each with all its faces unless one is named."""
    parser.set_defaults(paste=False, no_face=None)
    group = parser.add_argument_group("the face in the photo")
    group.add_argument(
        "--no-align",
        action="store_true",
        help="PHOTO is an aligned crop already; it is resized as the published code does",
    )
    group.add_argument(
        "--detector",
        choices=DETECTORS,
        default=DETECTORS[0],
        help="yunet downloads 0.3 MB once; dlib is the paper's own (pip install dlib-bin)",
    )
    group.add_argument(
        "--landmarks",
        metavar="FOLDER" if many else "FILE.txt",
        help="in place of a detector: "
        + ("a folder with a text file for each picture, of its name and folders and with .txt: " if many else "")
        + "one line with x y of 5, 68 or 478 points in px; several faces are parted by semicolons (;), and a lone "
        "semicolon is a photo without a face",
    )
    group.add_argument(
        "--face-models",
        metavar="FOLDER",
        help="where the detector's file is looked for and downloaded to (default: where models lie, see `download`)",
    )
    group.add_argument(
        "--face",
        metavar="N",
        help="which face, from 0, or 'all' (default: all, where they go back into the photo)"
        if many
        else "which face, from 0 (default: 0), or 'all'. Of a kept inversion of several people: which one",
    )
    group.add_argument(
        "--order", choices=ORDERS, default=ORDERS[0], help="how faces are counted (default: %(default)s)"
    )


def add_paste_options(parser: argparse.ArgumentParser, colour_match: bool = True) -> None:
    """Add what brings the crop back into the photo; colour_match: as it is, or with its colours matched."""
    group = parser.add_argument_group("back into the photo")
    group.add_argument(
        "--paste",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="write the whole photo with the edited face, or the crop alone (default: the photo, if there is one)",
    )
    group.add_argument("--region", choices=PASTE_REGIONS, help=f"what goes back (default: {HEAD})")
    group.add_argument("--feather", type=float, help=f"soft edge, share of the crop (default: {SOFT_EDGE})")
    if colour_match:
        group.add_argument("--no-colour-match", action="store_true", help="leave the crop's colours as they are")
    group.add_argument("--blend", choices=BLENDS, help=f"default: {FEATHERED}")
    group.add_argument("--no-face", choices=("error", "pass"), help="pass: a photo without a face is written as it is")
