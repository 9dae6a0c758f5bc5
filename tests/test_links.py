"""Links and pictures in the Markdown files lead somewhere, without asking the network."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "benchmarks/*.md", "web/docs/*.md", "sfe_models/*/*.md")
    for path in ROOT.glob(pattern)
)
PAGES = [path for path in FILES if path.parent in (ROOT, ROOT / "docs")]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def anchors(text):
    """Names of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    text = path.read_text(encoding="utf-8")
    for link in LINK.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), link


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_of_the_repository_that_a_page_names_is_there(path):
    text = path.read_text(encoding="utf-8")
    for name in set(
        re.findall(r"(?<![\w/])((?:tests|benchmarks|sfe_models|docs|web|locales|workflows)/[\w./-]+\w)", text)
    ):
        assert (ROOT / name).exists(), name
