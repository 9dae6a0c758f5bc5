"""Commands that train networks and join them: train, assemble, attribute-directions."""

from __future__ import annotations

from ...choices import DEVICES, DTYPE_NAMES
from .shared import OutputFile, OutputFolder

# The attributes whose directions come with the demo model.
DEMO_DIRECTIONS = (
    "smile mouth_open eyes_open glasses beard makeup age hair_colour hair_length fringe skin yaw pitch roundness "
    "brows light"
).split()


def add_commands(commands) -> None:
    """Add train, assemble and attribute-directions."""
    _add_train(commands)
    _add_assemble(commands)
    _add_attribute_directions(commands)


def _add_train(commands) -> None:
    parser = commands.add_parser(
        "train",
        help="train a network: gan, e4e, inverter, editor, gradual, attributes",
        description="Train one stage. A stage builds on the runs before it: e4e and inverter on --generator, editor on "
        "all of them and on directions, gradual on --generator and --e4e. Stopped runs go on where they were. Start "
        "with torchrun for several GPUs.",
    )
    parser.add_argument("stage", choices=("gan", "e4e", "inverter", "editor", "attributes", "gradual"))
    parser.add_argument("--config", required=True, metavar="NAME_OR_FILE", help="ffhq-1024, cars-512, demo, or JSON")
    parser.add_argument("--data", required=True, metavar="FOLDER|demo", help="pictures, or rendered portraits")
    parser.add_argument("--output", required=True, type=OutputFolder, metavar="DIR")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="such as run.steps=100")
    for name, what in (
        ("start", "a run to take this stage's network from; gan: of a lower resolution too"),
        ("generator", "a run, or a file with a generator"),
        ("e4e", "a run, or a file with an e4e encoder"),
        ("inverter", "a run, or a file with an Inverter"),
        ("discriminator", "a run to take the discriminator from"),
        ("backbone", "MobileNetV2's published weights, for the small encoders to start from"),
    ):
        parser.add_argument(f"--{name}", metavar="RUN", help=what)
    parser.add_argument("--weights", default="weights", metavar="FOLDER", help="LPIPS, identity, attribute networks")
    parser.add_argument("--directions", action="append", default=[], metavar="FOLDER", help="editor: direction files")
    parser.add_argument(
        "--cache", metavar="FOLDER", help="keep pictures here as they are read or made, for this and other runs"
    )
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--stop-after", type=int, metavar="STEPS", help="leave with a checkpoint after so many steps")
    parser.set_defaults(run="training:run_train")


def _add_assemble(commands) -> None:
    parser = commands.add_parser(
        "assemble",
        help="join trained networks and directions into one bundle",
        description="Join training runs into a bundle that every other command loads; or, with --without-generator, "
        "into a file of encoders alone, which --e4e, --inverter and --start of `train` take too.",
    )
    for name in ("generator", "e4e"):
        parser.add_argument(f"--{name}", required=True, metavar="RUN")
    parser.add_argument("--inverter", metavar="RUN", help="of a StyleFeatureEditor")
    parser.add_argument("--editor", metavar="RUN", help="without it: the model of phase 1, which only moves w")
    parser.add_argument(
        "--gradual",
        metavar="RUN",
        help="make a gradual model, a reconstruction after GradStyle, in place of a StyleFeatureEditor; around the "
        "package's own generators and e4e encoders (`demo` or `photo` for both) it holds its trained parts alone",
    )
    parser.add_argument("--directions", metavar="FOLDER", help="direction files to put into the bundle")
    parser.add_argument(
        "--without-generator",
        action="store_true",
        help="leave the generator out, as the package's file of the photographic model does; small encoders may then "
        "come without --editor",
    )
    parser.add_argument("--dtype", choices=DTYPE_NAMES, default="float32")
    parser.add_argument("--source", default="", help="one line on where the weights come from")
    parser.add_argument("--output", required=True, type=OutputFile, metavar="FILE.safetensors")
    parser.set_defaults(run="training:run_assemble")


def _add_attribute_directions(commands) -> None:
    parser = commands.add_parser(
        "attribute-directions",
        help="train the rendered domain's directions with an attribute network as the judge",
        description="Sample a generator, score the pictures with an attribute network, train an InterFaceGAN boundary "
        "for each attribute, measure its useful range and print what else it moves.",
    )
    parser.add_argument("--generator", required=True, metavar="RUN")
    parser.add_argument("--weights", required=True, metavar="FOLDER", help="with the attribute network")
    parser.add_argument("--attributes", nargs="+", default=list(DEMO_DIRECTIONS), metavar="NAME")
    parser.add_argument("--count", type=int, default=4000, help="samples (default: 4000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", required=True, type=OutputFolder, metavar="FOLDER")
    parser.set_defaults(run="training:run_attribute_directions")
