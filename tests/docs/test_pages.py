"""Every page is tried as a reader would: its commands and programs, in their order, in one folder."""

import re
import runpy

import pytest
from docs.pages import LANGUAGES, PAGES, ROOT, blocks, commands, ours, spans
from docs.running import CHECKED, check_script, parsed, try_command

pages = pytest.mark.parametrize("page", PAGES)


@pytest.fixture(scope="module")
def tried():
    """The commands of other pages that need not be tried again."""
    return set()


@pages
def test_a_page_runs_from_its_first_line_to_its_last(page, reader, tried, capsys):
    found = [block for block in blocks(PAGES[page]) if block.test is None]
    shown = {}
    for block in found:
        if block.language == "python":
            (reader / "program.py").write_text(block.text, encoding="utf-8")
            shown |= runpy.run_path("program.py", shown)
        for command in commands(block.text) if block.language == "sh" else ():
            if command in tried:
                continue  # measures the demo model, wherever it stands
            done = try_command(command, reader)
            if command.words[3:4] == ("evaluate",) and "--data" not in command.words:
                tried.add(command)
            assert done != CHECKED or command.reason or ours(command.words) is None, command


@pages
def test_nothing_escapes(page):
    """Every block is of a language that is tried, and what another test tries is tried there."""
    text = PAGES[page]
    found = blocks(text)
    assert {block.language for block in found} <= LANGUAGES
    for block in found:
        assert block.test is None or page in (ROOT / block.test).read_text(encoding="utf-8"), block
    lines = {line for line in text.splitlines() if line.strip().startswith(("python", ".venv/", "torchrun", "pip "))}
    shown = {line for block in found for line in block.text.splitlines()}
    assert lines <= shown | {line for line in lines if "`" in line}, "a command outside of a block"


@pages
def test_commands_in_sentences_are_commands(page, capsys):
    """Whole ones are parsed; of those that only name one, the name is."""
    for span in spans(PAGES[page]):
        for command in commands(span) if re.match(r"(?:python3?|torchrun) ", span) else ():
            arguments = ours(command.words)
            if arguments is None:
                check_script(command.words)
            elif len(arguments) > 1 or "-" in "".join(arguments)[:1]:
                try:
                    parsed(arguments)
                except SystemExit as end:
                    assert not end.code, f"`{span}` is no command: {capsys.readouterr().err}"
            elif arguments:
                with pytest.raises(SystemExit, match="0"):
                    parsed([*arguments, "--help"])
