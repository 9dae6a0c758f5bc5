"""Style mixing: one portrait with some layers of another's codes."""

from __future__ import annotations

import argparse
from pathlib import Path

from tqdm import tqdm

from ..directions.layers import parse_layers
from ..inputs import InputError
from ..pictures.image_io import check_picture, save_image, save_photo
from ..pipeline import Pipeline
from .before import check_before, is_inversion
from .inverting import inverted, load_edited
from .photos import paste_crops


def run_mix(options: argparse.Namespace) -> None:
    check_before(options)
    other = _other(options)
    with tqdm(total=4, desc="loading", leave=False) as bar:
        model = load_edited(options)
        pipeline = model.pipeline
        if not isinstance(pipeline, Pipeline):
            raise InputError(f"{options.model} is a gradual model; styles are mixed by others.")
        parse_layers(options.layers, pipeline.spec.generator)
        bar.update()
        bar.set_description("inverting")
        inversion, crops = inverted(options, model)
        bar.update()
        other_inversion, _ = inverted(other, model)
        bar.update()
        bar.set_description("mixing")
        edit = pipeline.mix_styles(inversion, other_inversion, options.layers, options.alpha)
        image = pipeline.synthesize(pipeline.feature_edit(pipeline.compute_delta(edit)))
        bar.update()
    if options.paste:
        # Around the face the mix has other colours than the photo; matching these would change the skin's.
        options.no_colour_match = True
        print(save_photo(paste_crops(crops, image, options), options.output))
    else:
        print(save_image(image[0], options.output))


def _other(options: argparse.Namespace) -> argparse.Namespace:
    """The options that B is inverted with: as A, but one face, nothing pasted, and no refinement of its F_k."""
    if not is_inversion(Path(options.other)):
        check_picture(options.other)
    given = {"photo": options.other, "face": options.other_face, "landmarks": None, "paste": False, "refine": 0}
    return argparse.Namespace(**vars(options) | given)
