"""The action of `directions` that scores a generator's samples by name, for `train`."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..directions.finding.scored_samples import ScoredSamples, picture_scorer, sample_scored, write_scores
from ..perception.scores import available, load_scorer
from .directions_options import how_sampled, mixed_codes, model_generator, progress_bar

# Pictures that are made and scored at once.
_PICTURES = 8


def run_score(options: argparse.Namespace) -> None:
    """Draw samples, score them and write the table."""
    names = options.score
    if names is None:
        names, missing = available(options.weights)
        for reason in missing:
            print(reason)
    generator = model_generator(options)
    scorer = load_scorer(names, options.weights, generator.latent_avg.device)
    with progress_bar("scoring") as progress:
        if options.mixed:
            codes = mixed_codes(generator, options)
            measured = picture_scorer(generator, scorer, _PICTURES, progress)(codes)
            samples = ScoredSamples(codes, measured, scorer.names, generator.fingerprint())
        else:
            samples = sample_scored(
                generator,
                scorer,
                options.count,
                options.seed,
                _PICTURES,
                attributes=scorer.names,
                truncation=options.truncation,
                progress=progress,
            )
    path = write_scores(samples, Path(options.output))
    print(f"{path}: {options.count} samples, {', '.join(scorer.names)}")
    print(f"Use it with: directions train --scores {path} --attribute {scorer.names[0]} --output FILE.safetensors")
    print(f"--count {options.count} --seed {options.seed} {how_sampled(options)}")
