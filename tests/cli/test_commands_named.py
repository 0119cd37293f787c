"""What the pages and help texts tell people to type is a command with these options: a renamed one is found here."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from pages import pages

from streamrec.__main__ import cli

ROOT = Path(__file__).parents[2]
PAGES = [page for page in pages() if page.name != "CHANGELOG.md"]  # which says what was, too
HELP = sorted((ROOT / "streamrec" / "cli").glob("*.py"))


def typed(text: str) -> Iterator[str]:
    """Commands in backquotes, and those a line ends with; a line that ends in a backslash goes on."""
    text = text.replace("\\\n", " ")
    yield from (found.replace("\n", " ") for found in re.findall(r"`(?:[A-Z_]+=\S+ )*streamrec ([^`{}]+)`", text))
    yield from re.findall(r"(?:^ *(?:\d\. )?(?:[A-Z_]+=\S+ )*|\| )streamrec ([^\n`]+)$", text, re.MULTILINE)


def commands() -> Iterator[str]:
    """All of them, once."""
    found: dict[str, None] = {}
    for path in (*PAGES, *HELP):
        found |= dict.fromkeys(typed(path.read_text()))
    return iter(found)


@pytest.mark.parametrize("line", commands())
def test_a_command_is_one_and_takes_these_options(line: str) -> None:
    """Alternatives (`create|check`) are looked at one by one; placeholders count as values."""
    words = shlex.split(re.split(r"(?<=\w) [#&;]|  +\S", line)[0], comments=True)
    words = words[: words.index(">")] if ">" in words else words
    command: click.Command = cli
    while words and isinstance(command, click.Group):
        names = words.pop(0).strip("<>.,").split("|")
        if names in (["--version"], ["--help"]):
            return
        found = [command.get_command(click.Context(command), name) for name in names]
        assert all(found), names
        assert found[0] is not None
        command = found[0]
    if any("|" in word for word in words) or "--help" in words:
        return
    if words and words[-1] == "--history":
        words.append("PATH")  # in prose its value is not said
    _, left, _ = command.make_parser(click.Context(command)).parse_args(words)
    assert not left
