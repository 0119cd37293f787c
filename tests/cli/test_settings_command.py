"""`streamrec settings` for people and for grep."""

import pytest
from click.testing import CliRunner
from rich.console import Console

from streamrec.cli.settings import Row, print_for_people, settings
from streamrec.settings import Settings

ROWS = [
    Row("STREAMREC_DAILY_CAP", "3", "whole number", "pushes/24 h", "5", "per user; 0 pushes nothing " * 3),
    Row("STREAMREC_LOG_FORMAT", "text", "text or json", "", "text", "one object a line"),
]


def test_each_setting_is_one_line_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search finds a variable with its value, unit and reason; a changed one says so and what it was."""
    monkeypatch.setenv("STREAMREC_DAILY_CAP", "3")
    lines = CliRunner().invoke(settings).output.splitlines()
    assert [line.partition("=")[0] for line in lines] == [f"STREAMREC_{name.upper()}" for name in Settings.model_fields]
    (changed,) = [line for line in lines if "changed" in line]
    assert (
        changed == "STREAMREC_DAILY_CAP=3  (whole number, pushes/24 h, changed, default 5)  per user; 0 pushes nothing"
    )


def test_changed_lists_only_what_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is set to its default is not changed."""
    monkeypatch.setenv("STREAMREC_DAILY_CAP", "5")
    monkeypatch.setenv("STREAMREC_QUIET_FROM", "23:00")
    (line,) = CliRunner().invoke(settings, ["--changed"]).output.splitlines()
    assert line.startswith("STREAMREC_QUIET_FROM=23:00  (text, HH:MM, changed, default 22:00)")


@pytest.mark.parametrize("width", [80, 100, 160])
def test_a_window_shows_every_word_and_cuts_none(width: int) -> None:
    """Variable, value and type stay on one line whatever the width; the changed ones are named at the end."""
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    print_for_people(ROWS, console, len(ROWS))
    lines = console.export_text().splitlines()
    assert max(map(len, lines)) <= width
    assert lines[0].startswith("STREAMREC_DAILY_CAP=3  whole number, pushes/24 h, changed, default 5")
    assert " ".join(" ".join(lines).split()).count("0 pushes nothing") == 3
    assert [line.strip() for line in lines[-2:]] == [
        "1 of 2 settings differ from their defaults",
        "STREAMREC_DAILY_CAP",
    ]
