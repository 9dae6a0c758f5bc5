"""Phase 2 of SFE: the Feature Editor (section 3.4 of the paper, steps 1 to 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from ..directions.base import check_generator
from ..encoders.e4e import E4EEncoder
from ..encoders.families import make_feature_editor
from ..encoders.feature_editor import FeatureEditor
from ..encoders.inverter import Inverter
from ..equations import (
    Inverted,
    cropped,
    delta,
    delta_features,
    e4e_code,
    feature_edit,
    invert,
    padded,
    resized,
    run_to_k,
    synthesize,
)
from ..generators.base import Generator, StyleSpace
from ..generators.stylegan2.discriminator import Discriminator
from .checkpoint import same_parameters
from .config import EditorConfig
from .data import Batch
from .distributed import Processes
from .drawn_edits import DrawnEdit
from .errors import ConfigError
from .inverter import ramp
from .losses import PictureAdversary, ReconstructionLoss
from .patches import Window, synthesize_window, target_window
from .stage import Stage, make_optimizer


@torch.no_grad()
def start_as_difference(editor: FeatureEditor) -> None:
    """Set an untrained H to F_k - delta: its first convolution subtracts, its residual blocks add nothing yet."""
    channels = editor.conv.out_channels
    identity = torch.eye(channels)
    editor.conv.weight.copy_(torch.cat([identity, -identity], dim=1)[:, :, None, None])
    editor.conv.bias.zero_()
    for block in editor.body:
        block.body[-1].weight.zero_()


@dataclass(frozen=True)
class TrainedNetworks:
    """What the Feature Editor is trained beside."""

    generator: Generator
    e4e_encoder: E4EEncoder
    inverter: Inverter


class EditorStage(Stage):
    """Train H alone; generator, e4e encoder and Inverter stay as they are.

    The training pair of an edit are two pictures that the generator makes of e4e codes: X_E = G(w_E) goes in and
    X_E' = G(w_E') is wanted, with delta = F(w_E) - F(w_E'). Real pictures take part with delta = 0.
    """

    def __init__(
        self,
        config: EditorConfig,
        trained: TrainedNetworks,
        discriminator: Discriminator | None,
        edits: Sequence[DrawnEdit],
        reconstruction: ReconstructionLoss,
        device: torch.device,
        processes: Processes,
    ):
        super().__init__(config.run, device, processes)
        self.config, self.domain, self.edits = config, config.domain, list(edits)
        self.halves = 2 if config.halves == "sum" else 1  # losses are computed as means of both
        known = sorted({edit.direction.info.name for edit in self.edits})
        if unknown := sorted(set(config.adversarial_edits).difference(known)):
            raise ConfigError(f"adversarial_edits has {unknown[0]!r}; expected some of {', '.join(known)}.")
        self.generator, self.e4e_encoder = trained.generator.to(device), trained.e4e_encoder.to(device)
        for edit in self.edits:
            check_generator(edit.direction.info, self.generator.fingerprint())
        self.inverter, self.reconstruction = trained.inverter.to(device), reconstruction.to(device)
        if config.inverter_statistics == "drifting":
            self.inverter.train()
        self.editor = make_feature_editor(config.domain)
        if config.start == "difference" and isinstance(self.editor, FeatureEditor):
            start_as_difference(self.editor)
        self.editor = self.editor.to(device, memory_format=torch.channels_last).train()
        self.adversary = PictureAdversary(discriminator, config.adversarial, device)
        self._made, self._pictures, self._inverted = map(self.compiled, (self._edit, self._synthesize, self._invert))
        self.networks = {"feature_editor": self.editor, "inverter": self.inverter, **self.adversary.networks}
        self.average("feature_editor")
        self.optimizers = {
            "feature_editor": make_optimizer(config.optimizer, self.editor.parameters()),
            **self.adversary.optimizers,
        }

    def load_state(self, state: dict) -> None:
        """Take back what `state` gave. Raises ConfigError for a run beside another Inverter than this stage's."""
        if not same_parameters(self.inverter, state["networks"]["inverter"]):
            raise ConfigError(
                "The run's Feature Editor was trained beside another Inverter. Give that one as --inverter, or another "
                "--output, with this run as --start, to train it on beside the new one."
            )
        super().load_state(state)

    def step(self, number: int, batch: Batch) -> dict[str, Tensor]:
        """Draw an edit, compute editing, inversion and adversarial loss, step H, then the discriminator."""
        config, domain = self.config, self.domain
        self.schedule("feature_editor", config.optimizer, number)
        edit = self.edits[int(torch.randint(len(self.edits), ()))]
        strength = edit.strength(len(batch), self.device)
        with self.mixed():
            pair = self.pair(batch.image, edit, strength)
            seen = torch.cat([resized(x, domain.encoder_size) for x in (batch.image, pair.source)])
            with torch.no_grad():
                inverted = self._inverted(seen)
            n = len(batch)
            # Both losses in one run of H: the real pictures with delta = 0, then the pair's.
            change = torch.cat([torch.zeros_like(pair.delta), pair.delta])
            share = ramp(number, config.feature_ramp)
            ramped = None if share == 1 else torch.tensor(share, device=self.device)
            with torch.no_grad():
                moved = edit.apply(self.generator, inverted.w[n:], strength)
                styles = StyleSpace.cat([self.generator.style_space(inverted.w[:n]), moved])
                after = run_to_k(self.generator, domain, moved).carried if inverted.carried else ()
                carried = tuple(torch.cat([a[:n], b]) for a, b in zip(inverted.carried, after, strict=True))
            if config.window is not None:
                losses = self._in_windows(inverted, change, styles, batch.image, pair)
                (losses["reconstruction"] * self.halves).backward()
                self.apply_gradients("feature_editor")
                return losses
            target = torch.cat([batch.image, pair.target])
            made, losses = self._made(inverted, change, styles, carried, target, ramped)
            loss = losses["reconstruction"] * self.halves
            adversarial = self.adversary.active(number)
            if adversarial:
                judged = [made[:n]]
                if edit.direction.info.name in config.adversarial_edits:
                    judged.append(self.edited_real(inverted, pair.delta, edit, strength))
                losses["adversarial"] = self.adversary.encoder_loss(padded(torch.cat(judged), domain))
                loss = loss + config.inversion_weight * config.adversarial.weight * losses["adversarial"]
        loss.backward()
        self.apply_gradients("feature_editor")
        if adversarial:
            with self.mixed():
                losses |= self.adversary.backward(number, padded(made[:n], domain), padded(batch.image, domain))
            self.apply_gradients("discriminator")
        with torch.no_grad():
            losses["l2_inversion"] = F.mse_loss(made[:n], batch.image)
            losses["l2_edit"] = F.mse_loss(made[n:], pair.target)
        return losses

    def edited_real(self, inverted: Inverted, change: Tensor, edit: DrawnEdit, strength: Tensor) -> Tensor:
        """Edit the real pictures, which come first in `inverted`; delta is of their own e4e codes, as in the pairs."""
        n = len(change)
        with torch.no_grad():
            styles = edit.apply(self.generator, inverted.w[:n], strength)
            carried = run_to_k(self.generator, self.domain, styles).carried if inverted.carried else ()
        features = feature_edit(self.editor, inverted.F_k[:n], change)
        return synthesize(self.generator, self.domain, styles, features, carried)

    def _edit(
        self,
        inverted: Inverted,
        change: Tensor,
        styles: StyleSpace,
        carried: tuple[Tensor, ...],
        target: Tensor,
        share: Tensor | None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Run H and the generator; the first half of the batch are the inversions, which alone are ramped."""
        features = feature_edit(self.editor, inverted.F_k, change)
        if share is not None:
            n = len(target) // 2
            features = torch.cat([inverted.F_w[:n].lerp(features[:n], share), features[n:]])
        made = synthesize(self.generator, self.domain, styles, features, carried)
        inversion, editing = map(self.reconstruction, made.chunk(2), target.chunk(2))
        return made, {k: (self.config.inversion_weight * inversion[k] + editing[k]) / 2 for k in editing}

    def _in_windows(
        self, inverted: Inverted, change: Tensor, styles: StyleSpace, image: Tensor, pair: Pair
    ) -> dict[str, Tensor]:
        """Run H, and the generator on windows of F_k': the losses of the inversions and of the edits."""
        config, generator, domain, n = self.config, self.generator, self.domain, len(image)
        features, losses = feature_edit(self.editor, inverted.F_k, change), {}
        for _ in range(config.windows):
            window = Window.drawn(domain.feature_resolution, config.window)
            made = synthesize_window(generator, domain, styles, features, window)
            with torch.no_grad():
                wanted = synthesize_window(generator, domain, pair.styles, pair.features, window)
            real = target_window(image, domain, window)
            inversion = self.reconstruction(made[:n], real)
            editing = self.reconstruction(made[n:], F.adaptive_avg_pool2d(wanted, real.shape[2:]))
            for kind, part, weight in (("inversion", inversion, config.inversion_weight), ("edit", editing, 1.0)):
                for name, value in part.items():
                    losses[name] = losses.get(name, 0) + weight * value / (2 * config.windows)
                losses[f"l2_{kind}"] = losses.get(f"l2_{kind}", 0) + part["l2"].detach() / config.windows
        return losses

    @torch.no_grad()
    def pair(self, image: Tensor, edit: DrawnEdit, strength: Tensor) -> Pair:
        """Make X_E, X_E' and delta of pictures."""
        generator, seen = self.generator, resized(image, self.domain.encoder_size)
        if self.config.delta_code == "inverter":
            w_e = self.inverter(seen)[0].float() + generator.latent_avg
        else:
            w_e = e4e_code(self.e4e_encoder, generator, seen)
        before, after = generator.style_space(w_e), edit.apply(generator, w_e, strength)
        n = len(image)
        if self.config.window is not None:  # only the source is looked at as a whole
            source, features = self._pictures(before)
            state = run_to_k(generator, self.domain, after)
            change = delta(features, delta_features(generator, self.domain, state, after))
            pair = Pair(source, None, change, state.features, after)
        else:
            pictures, features = self._pictures(StyleSpace.cat([before, after]))
            pair = Pair(pictures[:n], pictures[n:], delta(features[:n], features[n:]))
        if self.config.delta_code == "source":
            pair = replace(pair, delta=self._seen_change(pair.source, edit, strength))
        return pair

    def _seen_change(self, source: Tensor, edit: DrawnEdit, strength: Tensor) -> Tensor:
        """Delta of the codes that the e4e encoder finds in X_E: as at use, they only resemble the picture."""
        generator, domain = self.generator, self.domain
        w = e4e_code(self.e4e_encoder, generator, resized(source, domain.encoder_size))
        before, after = (
            delta_features(generator, domain, run_to_k(generator, domain, styles), styles)
            for styles in (generator.style_space(w), edit.apply(generator, w, strength))
        )
        return delta(before, after)

    def _synthesize(self, styles: StyleSpace) -> tuple[Tensor, Tensor]:
        """Make pictures [B,3,H,W] of styles, and the features that delta is taken from."""
        state = run_to_k(self.generator, self.domain, styles)
        features = delta_features(self.generator, self.domain, state, styles)
        return cropped(self.generator.picture(self.generator.run(state, styles)), self.domain), features

    def _invert(self, seen: Tensor) -> Inverted:
        return invert(self.inverter, self.generator, self.domain, seen)[0]

    @torch.no_grad()
    def samples(self, batch: Batch) -> Tensor:
        """Pictures, their inversions, and one edit of each at the end of its range, one direction after another."""
        editor, generator, domain = self.averaged("feature_editor").eval(), self.generator, self.domain
        inverter = self.inverter.eval()
        rows = []
        for i, edit in enumerate(self.edits):
            image = batch.image[i % len(batch)][None]
            seen = resized(image, domain.encoder_size)
            inverted, _ = invert(inverter, generator, domain, seen)
            reach = max(edit.range) if edit.range is not None else edit.strengths[-1]
            strength = torch.full((1,), float(reach), device=self.device)
            moved = self.pair(image, edit, strength).delta
            row = [image, cropped(generator(e4e_code(self.e4e_encoder, generator, seen)), domain)]
            for change, styles in (
                (torch.zeros_like(moved), generator.style_space(inverted.w)),
                (moved, edit.apply(generator, inverted.w, strength)),
            ):
                carried = run_to_k(generator, domain, styles).carried
                features = feature_edit(editor, inverted.F_k, change)
                row.append(synthesize(generator, domain, styles, features, carried))
            rows.append(torch.cat([F.adaptive_avg_pool2d(picture, image.shape[2:]) for picture in row]))
        self.editor.train()
        if self.config.inverter_statistics == "drifting":
            inverter.train()
        per_row = 2 if len(rows) > 1 else 1
        return torch.stack(rows[: len(rows) // per_row * per_row]).flatten(0, 1).unflatten(0, (-1, 4 * per_row))


@dataclass(frozen=True)
class Pair:
    """X_E, X_E' (None where only windows of it are made), delta, and F_k and style vectors that X_E' is made of."""

    source: Tensor
    target: Tensor | None
    delta: Tensor
    features: Tensor | None = None
    styles: StyleSpace | None = None
