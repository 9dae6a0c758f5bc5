"""Write `workflows/NN Title.json` (UI format), `workflows/api/*.json` (API format) and the blueprint in `subgraphs/`.

PYTHONPATH=.:tests python tests/integration/build_workflows.py
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from integration.blueprint import NAME, blueprint
from integration.examples import EXAMPLES

from sfe_models.checkpoints.load import DEMO_BUNDLE
from sfe_models.directions.base import DirectionInfo
from sfe_models.directions.files import describe_own_files, described_in_bundle
from sfe_models.photo.install import DIRECTIONS

ROOT = Path(__file__).resolve().parents[2]
OBJECT_INFO = ROOT / "tests/nodes/object_info.json"


def strength(name: str, share: float) -> float:
    """A share of the strengths that are useful for both models: 1 their upper end, -1 their lower one."""
    ranges = [directions[name].strength_range for directions in own_directions()]
    end = min(high for _, high in ranges) if share > 0 else -max(low for low, _ in ranges)
    return round(share * end, 1)


@cache
def own_directions() -> tuple[dict[str, DirectionInfo], dict[str, DirectionInfo]]:
    """The directions of the demo model and of the photographic one, by name."""
    _, demo = described_in_bundle(DEMO_BUNDLE)
    photo = [file.info for file in describe_own_files([DIRECTIONS], None)[0]]
    return {info.name: info for info in demo}, {info.name: info for info in photo}


def main() -> None:
    info = json.loads(OBJECT_INFO.read_text(encoding="utf-8"))
    (ROOT / "workflows/api").mkdir(parents=True, exist_ok=True)
    for number, (title, make) in enumerate(EXAMPLES, 1):
        graph = make(strength)
        _write(ROOT / f"workflows/{number:02} {title}.json", graph.ui(info))
        _write(ROOT / f"workflows/api/{make.__name__}.json", graph.api())
    _write(ROOT / f"subgraphs/{NAME}.json", blueprint(info, "smile", strength("smile", 1)))


def _write(path: Path, content: dict) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
