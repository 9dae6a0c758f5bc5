"""Adapters for the golden numbers: this library's functions under the names that `golden/check.py` calls.

python golden/check.py --adapters tests/golden_adapters.py
"""

import os
import sys
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from sfe_models.checkpoints.assign import assign, complete_generator, generator_spec, without_filters  # noqa: E402
from sfe_models.checkpoints.load import load_published  # noqa: E402
from sfe_models.checkpoints.recognise import Contents  # noqa: E402
from sfe_models.directions.base import DirectionInfo, StyleSpaceDirection, strength_tensor  # noqa: E402
from sfe_models.directions.families.deltaedit import DeltaMapper  # noqa: E402
from sfe_models.directions.families.mapper import StyleCLIPMapper, StyleCLIPMapperDirection  # noqa: E402
from sfe_models.directions.library import DirectionLibrary  # noqa: E402
from sfe_models.domain import DomainSpec  # noqa: E402
from sfe_models.encoders.e4e import BottleneckIRSE, GradualStyleBlock, upsample_add  # noqa: E402
from sfe_models.encoders.stack import (  # noqa: E402
    FeatureBlock,
    FeatureStack,
    IBasicBlock,  # noqa: E402
)
from sfe_models.faces.crop.published import crop_face_published  # noqa: E402
from sfe_models.generators.base import StyleSpace  # noqa: E402
from sfe_models.generators.stylegan2.discriminator import Discriminator  # noqa: E402
from sfe_models.generators.stylegan2.filters import blur_upsampled, upsample_rgb  # noqa: E402
from sfe_models.generators.stylegan2.generator import StyleGAN2  # noqa: E402
from sfe_models.generators.stylegan2.layers import ModulatedConv2d, StyledConv, ToRGB  # noqa: E402
from sfe_models.pipeline import Pipeline  # noqa: E402
from sfe_models.values import repeat_each  # noqa: E402

SHARED = Path(os.environ.get("SFE_SHARED", ROOT.parent / "shared"))
FROM_CASES = Path("golden cases")


class Model:
    """One weight set; its parts are made when a case first asks for them."""

    def __init__(self, weights):
        self.weights = weights
        self.last = None

    @cached_property
    def generator(self):
        state = dict(self.weights["generator"])
        spec = generator_spec(state, FROM_CASES)
        generator = StyleGAN2(spec)
        assign(
            generator,
            complete_generator(state, self.weights.latent_avg, spec, FROM_CASES),
            FROM_CASES,
            "generator",
        )
        return generator.eval().requires_grad_(False)

    @cached_property
    def pipeline(self):
        names = ("generator", "e4e_encoder", "inverter", "feature_editor")
        components = {name: self.weights[name] for name in names}
        found = [Contents(FROM_CASES, components, self.weights.latent_avg)]
        pipeline = Pipeline(load_published(found, FROM_CASES))
        self.weights.drop()
        return pipeline

    def inverted(self, image):
        """Return the inversion of an image; found once for cases that follow one another with the same image."""
        if self.last is None or not torch.equal(self.last[0], image):
            self.last = image, self.pipeline.invert(image, all_styles=True)
        return self.last[1]

    def direction(self, name):
        if f"styleclip.{name}" in self.weights.config["components"]:
            info = DirectionInfo(name, "styleclip_mapper", "human faces")
            state = self.weights[f"styleclip.{name}"]
            levels = tuple(dict.fromkeys(key.split(".")[0] for key in state))
            mapper = StyleCLIPMapper(512, levels)
            mapper.load_state_dict(state)
            return StyleCLIPMapperDirection(info, mapper)
        spec = DomainSpec("golden", generator_spec(self.weights["generator"], FROM_CASES), "human faces")
        folder = SHARED / "data/directions"  # style space directions need no file
        return DirectionLibrary(spec, [folder] if folder.is_dir() else []).get(name)


def load(weights):
    return Model(weights)


def _styles_out(prefix, styles):
    named = {f"{prefix}.{i}": s for i, s in enumerate(styles.convs)}
    return named | {f"{prefix.replace('s', 'rgb', 1)}.{i}": s for i, s in enumerate(styles.rgbs)}


def mapping(model, inputs, params):
    return {"w": model.generator.mapping(inputs["z"])}


def _synthesize(generator, styles, inputs, params):
    state = generator.run(generator.start(len(styles.convs[0])), styles, 9, read_layers=(5, 9))
    out = {"feat5": state.read[5], "feat9": state.read[9]}
    if "feature" in inputs:
        scale = params.get("feature_scale", 1.0)
        state = replace(state, features=(1 - scale) * state.features + scale * inputs["feature"])
    out["image"] = generator.picture(generator.run(state, styles))
    out["feat11"] = generator.run(state, styles, 11).features
    return out


def generator_w(model, inputs, params):
    return _synthesize(model.generator, model.generator.style_space(inputs["w"]), inputs, params)


def generator_s(model, inputs, params):
    spec = model.generator.spec
    styles = StyleSpace(
        tuple(inputs[f"s.{i}"] for i in range(spec.n_layers)),
        tuple(inputs[f"rgb.{i}"] for i in range(spec.n_resolutions)),
    )
    return _synthesize(model.generator, styles, inputs, params)


def stylespace(model, inputs, params):
    return _styles_out("s", model.generator.style_space(inputs["w"]))


def e4e(model, inputs, params):
    return {"w": model.pipeline.networks.e4e_encoder(inputs["image"])}


def inverter_backbone(model, inputs, params):
    w, feature = model.pipeline.networks.inverter(inputs["image"])
    return {"w": w, "feature": feature}


def fuser(model, inputs, params):
    return {"feature": model.pipeline.networks.inverter.fuse(inputs["predicted"], inputs["from_w"])}


def feature_editor(model, inputs, params):
    return {"feature": model.pipeline.networks.feature_editor(inputs["fused"], inputs["delta"])}


def styleclip(model, inputs, params):
    return {"delta": model.direction(params["direction"]).mapper(inputs["w"])}


def latent_edit(model, inputs, params):
    direction, out = model.direction(params["name"]), {}
    w, strengths = inputs["w"], params["strengths"]
    if isinstance(direction, StyleSpaceDirection):
        styles = model.generator.style_space(w.expand(len(strengths), -1, -1))
        return _styles_out("s", direction.move(styles, torch.tensor(strengths)))
    for i, strength in enumerate(strengths):
        out[f"w.{i}"] = direction.move(w, strength_tensor(strength, 1, "cpu"))
    return out


def inversion(model, inputs, params):
    pipeline, found = model.pipeline, model.inverted(inputs["image"])
    features = pipeline.feature_edit(found)
    return {
        "image": pipeline.synthesize(features),
        "w": found.w,
        "fused": found.F_k,
        "feature": features.F_k,
        "w_e4e": found.w_e,
    }


def edit(model, inputs, params):
    pipeline, strengths = model.pipeline, torch.tensor(params["strengths"], dtype=torch.float32)
    direction = model.direction(params["name"])
    found = model.inverted(inputs["image"])
    batch, n = len(found), len(strengths)
    edited = pipeline.apply_direction(repeat_each(found, n), direction, strengths.repeat(batch))
    delta = pipeline.compute_delta(edited)
    if "mask" in inputs:
        delta = pipeline.mask_delta(delta, (1 - inputs["mask"][:, 0]).repeat_interleave(n, dim=0))
    features = pipeline.feature_edit(delta)
    out = {"image": pipeline.synthesize(features), "delta": delta.delta, "feature": features.F_k}
    if edited.styles is None:
        out |= {"w_edited": edited.w, "w_e4e_edited": edited.w_e}
    else:
        out |= _styles_out("s_edited", edited.styles) | _styles_out("s_e4e_edited", edited.styles_e)
    out = {name: value.unflatten(0, (batch, n)) for name, value in out.items()}
    if params.get("return_e4e"):
        out["e4e_image"] = pipeline.generate_from(found.w_e[-1:])
        out["e4e_edit_image"] = pipeline.generate_from(edited.w_e[-n:])
    return out


def resize(model, inputs, params):
    size = params["size"]
    return {
        "image": torch.nn.functional.interpolate(
            inputs["image"], size=(size, size), mode="bilinear", align_corners=False
        )
    }


def discriminator(model, inputs, params):
    state = without_filters(model.weights["discriminator"], FROM_CASES)
    network = Discriminator(model.generator.spec)
    network.load_state_dict(state)
    return {"logit": network.eval()(inputs["image"])}


def delta_mapper(model, inputs, params):
    mapper = DeltaMapper()
    mapper.load_state_dict(model.weights["delta_mapper"])
    return {"delta_s": mapper(inputs["s"], inputs["clip"])}


def align(model, inputs, params):
    photo = torch.as_tensor(inputs["picture"]).movedim(-1, 0)
    quad, crop = crop_face_published(photo, torch.as_tensor(inputs["landmarks"]))
    return {"quad": quad, "aligned": crop.movedim(0, -1)}


def unit(name, state, inputs, params):
    x, state = inputs["x"], without_filters(state, FROM_CASES)
    if name in ("upsample", "blur"):
        return {"out": {"upsample": upsample_rgb, "blur": blur_upsampled}[name](x)}
    if name == "upsample_add":
        return {"out": upsample_add(x, inputs["y"])}
    if name == "modconv_up_direct":
        params = {**params, "style_dim": 10}
    if name.startswith("modconv"):
        network = ModulatedConv2d(
            params["in"],
            params["out"],
            params["kernel"],
            params["style_dim"],
            params["demodulate"],
            params["upsample"],
        )
        network.load_state_dict(state)
        style = inputs["s"] if "s" in inputs else network.modulation(inputs["style"])
        return {"out": network(x, style, torch.zeros(params["out"]))}
    if name.startswith("styled_conv"):
        network = StyledConv(params["in"], params["out"], params["style_dim"], params["upsample"])
        network.load_state_dict(state)
        return {"out": network(x, network.conv.modulation(inputs["style"]), inputs["noise"])}
    if name == "to_rgb":
        network = ToRGB(params["in"], params["style_dim"])
        network.load_state_dict(state)
        return {"out": network(x, network.conv.modulation(inputs["style"]), inputs["skip"])}
    if name.startswith("style_head"):
        network = GradualStyleBlock(params["in"], params["out"], params["spatial"])
    elif name.startswith("ir_se"):
        network = BottleneckIRSE(params["in"], params["out"], params["stride"])
    elif name.startswith("iresnet"):
        network = IBasicBlock(params["in"], params["out"], params["stride"])
    elif name == "feature_block":
        network = FeatureBlock(params["in"])
    elif name == "feature_stack":
        network = FeatureStack(params["in"], params["out"], params["len"] - 1)
    network.load_state_dict(state)
    network.eval()
    # The published block leaves adding its input to the stack around it.
    return {"out": network.body(x) if name == "feature_block" else network(x)}
