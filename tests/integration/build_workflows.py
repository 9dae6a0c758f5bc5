"""Write `workflows/NN Title.json` (UI format), `workflows/api/*.json` (API format) and the blueprint in `subgraphs/`.

    PYTHONPATH=.:tests python tests/integration/build_workflows.py MODEL

MODEL: the bundle whose directions' useful ranges the strengths are taken from, normally the demo model's.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from integration.blueprint import NAME, blueprint
from integration.examples import EXAMPLES

from sfe_models.checkpoints.load import model_path
from sfe_models.cli.showcase import strength_at
from sfe_models.directions.files import bundle_directions

ROOT = Path(__file__).resolve().parents[2]
OBJECT_INFO = ROOT / "tests/nodes/object_info.json"


def main(source: str) -> None:
    info = json.loads(OBJECT_INFO.read_text(encoding="utf-8"))
    directions = {direction.info.name: direction for direction in bundle_directions(model_path(source))}

    def strength(name: str, share: float) -> float:
        return round(strength_at(directions[name], share), 1)

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
    main(*sys.argv[1:])
