"""What the pages show a reader to type: commands in `sh` blocks, programs in `python` blocks, commands in sentences."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for pattern in ("README.md", "CONTRIBUTING.md", "docs/*.md", "benchmarks/README.md", "sfe_models/*/MODEL_CARD.md")
    for path in sorted(ROOT.glob(pattern))
}
LANGUAGES = {"sh", "python"}
# What a comment behind a command begins with if it cannot be tried here; everything else is run.
NOT_HERE = (
    "network",
    "several GPUs",
    "a running ComfyUI",
    "a browser",
    "weights of others",
    "data of others",
    "a long measurement",
)
_BLOCK = re.compile(r"^(?:<!-- tried by (?P<test>\S+) -->\n+)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S)
# Commands in the older manner, four letters in.
_INDENTED = re.compile(r"(?:^ {4}(?:python|pip|torchrun|npm|bash|comfy|\.venv/)\S* .*\n)+", re.M)
_SPAN = re.compile(r"`([^`]+)`")
_VARIABLE = re.compile(r"[A-Z_]+=\S*")


@dataclass(frozen=True)
class Block:
    """One fenced block; test: the file that tries it in the place of the pages' own test."""

    language: str
    text: str
    test: str | None


@dataclass(frozen=True)
class Command:
    """One command of a line; words: without variables before it. reason: why it is not run, one of NOT_HERE."""

    words: tuple[str, ...]
    reason: str | None


def blocks(text: str) -> list[Block]:
    """List the blocks of a page, in their order."""
    found = [(one.start(), Block(one["language"], one["text"], one["test"])) for one in _BLOCK.finditer(text)]
    outside = _BLOCK.sub(lambda one: "\n" * len(one[0]), text)  # as long, so that places stay
    found += [(one.start(), Block("sh", one[0], None)) for one in _INDENTED.finditer(outside)]
    return [block for _, block in sorted(found, key=lambda pair: pair[0])]


def commands(text: str) -> list[Command]:
    """Split the lines of an `sh` block, and those joined by &&, into commands."""
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        comment = next(iter(re.findall(r"\s#\s(.*)", line)), "")
        reason = next((reason for reason in NOT_HERE if comment.startswith(reason)), None)
        reason = "network" if "://" in line else reason  # an address in the place of a file
        for part in shlex.join(shlex.split(line, comments=True)).split(" '&&' "):
            words = shlex.split(part)
            while words and _VARIABLE.fullmatch(words[0]):
                words.pop(0)
            if words:
                found.append(Command(tuple(words), reason))
    return found


def spans(text: str) -> list[str]:
    """List the code in sentences and tables, each on one line."""
    outside = _BLOCK.sub("", text)
    return [" ".join(span.split()) for span in _SPAN.findall(outside)]


def ours(words: tuple[str, ...]) -> list[str] | None:
    """Return the arguments of a command of the package; None if it is another program."""
    module = words[1:3] == ("-m", "sfe_models") and re.fullmatch(r"(\S*/)?python3?", words[0])
    return list(words[3:]) if module else None
