"""The command that tunes a generator to one picture: tune."""

from __future__ import annotations

from ...choices import PIVOTS, TUNING_METHODS
from .photos import add_align_options
from .shared import OutputFile, OutputPicture, add_model, positive

_PERCEPTUAL = ("none", "alex", "vgg", "stlpips", "mobilenet")
_IDENTITY = ("none", "arcface", "moco")
_PARSING = ("none", "unet", "small")


def add_commands(commands) -> None:
    """Add tune."""
    parser = commands.add_parser(
        "tune",
        help="tune the generator to one photo that is hard to invert",
        description="Tune the generator to one photo, by PTI (Roich et al. 2022) or by a reconstruction of GANI "
        "(Sheffi et al. 2023, whose code was never released). Takes minutes, for one photo; `edit --tuned FILE` then "
        "edits it along the model's own directions. The model itself stays as it is.",
    )
    parser.add_argument("photo", metavar="PHOTO")
    add_model(parser)
    add_align_options(parser)
    parser.add_argument(
        "--output", required=True, type=OutputFile, metavar="FILE.safetensors", help="what is kept: how weights differ"
    )
    parser.add_argument(
        "--picture", type=OutputPicture, metavar="OUT.png", help="write what the tuned generator makes of the photo"
    )
    parser.add_argument("--method", choices=TUNING_METHODS, default=TUNING_METHODS[0])
    parser.add_argument("--steps", type=positive, default=0, metavar="N", help="(default: 200; 100 above 256 px)")
    parser.add_argument(
        "--pivot",
        choices=PIVOTS,
        help="the code that is tuned at: e4e's, or one found first in W or W+ (120 steps more)",
    )
    parser.add_argument("--rate", type=float, help="of the optimizer (default: pti 1e-3, gani 3e-3)")
    parser.add_argument(
        "--locality", type=float, metavar="X", help="how much pictures of random codes are held (pti 0.1, gani 0.2)"
    )
    parser.add_argument(
        "--size",
        type=positive,
        metavar="PX",
        help="compare pictures of this side, and leave what the generator does after it: less time, far less memory",
    )
    parser.add_argument("--perceptual", choices=_PERCEPTUAL, default="none", help="a perceptual loss beside the pixels")
    parser.add_argument("--identity", choices=_IDENTITY, default="none", help="a loss of who is seen")
    parser.add_argument(
        "--parsing",
        choices=_PARSING,
        default="none",
        help="a loss of the parts of a face: CelebAMask-HQ's U-Net, as in GANI's paper, or a small parser",
    )
    parser.add_argument("--weights", default="weights", metavar="FOLDER", help="networks of these losses")
    parser.add_argument("--seed", type=int, default=0)
    # What `edit` has besides, for the checks that both share.
    parser.set_defaults(optimise=None, refine=0, refine_w=False, tuned=None, directions=None)
    parser.set_defaults(run="tuning:run_tune")
