"""Progress where there is no terminal: a line now and then, and no silence of minutes."""

import io

import pytest
from rich.console import Console

from streamrec.terminal import progress as bars
from streamrec.terminal.tables import show


def test_a_file_gets_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not one for each step; with the count where there is a total."""
    now = [0.0]
    monkeypatch.setattr(bars, "monotonic_s", lambda: now[0])
    out = io.StringIO()
    with bars.Bars(Console(file=out, width=20)) as progress:
        epochs, search = progress.add_task("epochs", total=6), progress.add_task("search", total=None)
        for step in range(40):
            now[0] = float(step)
            progress.update(epochs, completed=step // 10)
        now[0] = 60.0
        progress.update(search, description="try 3: student > distil > int8, 2 epochs")
    lines = ["15 s: epochs 1/6", "30 s: epochs 3/6", "60 s: try 3: student > distil > int8, 2 epochs"]
    assert out.getvalue().splitlines() == lines


def test_a_terminal_gets_bars() -> None:
    """And no lines."""
    out = io.StringIO()
    with bars.Bars(Console(file=out, force_terminal=True, width=100)) as progress:
        progress.update(progress.add_task("epochs", total=6), completed=2)
        progress.refresh()
    assert "2/6" in out.getvalue()


def test_a_table_is_not_squeezed_into_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """80 columns are nobody's there."""
    show("x" * 300)
    assert capsys.readouterr().out == "x" * 300 + "\n"
