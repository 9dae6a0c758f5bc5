"""Compare one method's edits with every other's, over the people whom both brought to the wanted change.

    python -m sfe_models evaluate --gradual demo-gradual --count 80 --json results.json
    python benchmarks/edit_pairs.py gradual results.part*.jsonl

`evaluate` compares all its methods over the people whom every one of them brought there: few, if one seldom does.
"""

import argparse
import json
from pathlib import Path
from statistics import fmean

parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
parser.add_argument("method")
parser.add_argument("results", type=Path, nargs="+", help="the single results that evaluate keeps beside --json")
options = parser.parse_args()
lines = [line for path in options.results for line in path.read_text(encoding="utf-8").splitlines()]
people = [row["editing"] for row in map(json.loads, lines) if row.get("editing")]
edits = {
    name: [person[name]["methods"] for person in people if person.get(name, {}).get("methods")]
    for name in dict.fromkeys(name for person in people for name in person)
}
edits = {name: found for name, found in edits.items() if found}
others = [name for name in next(iter(edits.values()))[0] if name not in (options.method, "unedited")]
nearer = dict.fromkeys(others, 0)
compared = dict.fromkeys(others, 0)
print(
    f"| attribute (people) | {options.method} reached |" + "".join(f" {options.method} : {other} |" for other in others)
)
print("|---" * (2 + len(others)) + "|")
for name, found in edits.items():
    reached = sum(one[options.method]["reached"] for one in found)
    cells = [f"{name} ({len(found)})", str(reached)]
    for other in others:
        pairs = [
            (one[options.method]["error"], one[other]["error"])
            for one in found
            if one[options.method]["reached"] and one[other]["reached"]
        ]
        if not pairs:
            cells.append("-")
            continue
        own, its = (fmean(side) for side in zip(*pairs, strict=True))
        nearer[other] += own < its
        compared[other] += 1
        cells.append(f"{own:.4f} : {its:.4f} ({len(pairs)})")
    print(f"| {' | '.join(cells)} |")
print()
for name in (options.method, *others):
    share = fmean(fmean(one[name]["reached"] for one in found) for found in edits.values())
    against = "" if name == options.method else f"; {options.method} is nearer on {nearer[name]} of {compared[name]}"
    print(f"- {name}: {share:.0%} of people reach the change, mean of the attributes{against}.")
