"""Print what the stages of a gradual model add, how open their gates are, and where their queries look.

python benchmarks/gradual_stages.py gradual.safetensors --people 64
"""

import argparse
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sfe_models.evaluation.gradual_stages import stage_reports  # noqa: E402
from sfe_models.gradual.files import load_gradual  # noqa: E402
from sfe_models.gradual.pipeline import GradualPipeline  # noqa: E402

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("model")
parser.add_argument("--people", type=int, default=64)
options = parser.parse_args()
reports = stage_reports(GradualPipeline(load_gradual(options.model, torch.float32)), range(options.people))
print("| stage, px | gate | added | looks off by, cells | would be, straight ahead |\n|---|---|---|---|---|")
for report in reports:
    numbers = " | ".join(f"{value:.2f}" for value in (report.gate, report.added, report.looked, report.stayed))
    print(f"| {report.side} | {numbers} |")
