"""Where the demo's text goes: a terminal's bottom that moves, plain lines elsewhere."""

import io
import re

from rich.console import Console

from streamrec.tools.demo.screen import Screen


def shown(**terminal: object) -> str:
    """What a short run writes."""
    file = io.StringIO()
    screen = Screen(Console(file=file, width=80, height=24, **terminal))  # type: ignore[arg-type]
    screen.doing("starting")
    screen.progress("50%")
    screen.fact("worker", "pid [1]")
    with screen.running():
        screen.show([("events", "7/s"), ("pushes", "3")])
    screen.heading("what it was worth")
    screen.done()
    return file.getvalue()


def test_a_pipe_gets_whole_plain_lines() -> None:
    """No colour, nothing that moves, no progress; one line for the figures of one moment."""
    assert shown(force_terminal=False).splitlines() == [
        "starting ...",
        "worker: pid [1]",
        "events 7/s | pushes 3",
        "what it was worth",
    ]


def test_figures_are_as_wide_as_the_terminal() -> None:
    """Nothing is cut where there is room, nothing wraps where there is none, and nothing at all is cut in a pipe."""
    long = "x" * 150
    for width, room in ((80, 63), (200, 150)):
        file = io.StringIO()
        screen = Screen(Console(file=file, width=width, force_terminal=True, force_interactive=True, color_system=None))
        with screen.running():
            screen.show([("suppressed", long)])
        drawn = max(re.findall("x+", file.getvalue()), key=len)
        assert room - 1 <= len(drawn) <= room
    file = io.StringIO()
    Screen(Console(file=file, width=80, force_terminal=False)).show([("suppressed", long)])
    assert long in file.getvalue()


def test_text_is_no_markup() -> None:
    """An IPv6 address, and what looks like an emoji's name, stand as they are."""
    for moves in (True, False):
        file = io.StringIO()
        screen = Screen(Console(file=file, width=80, force_terminal=moves, force_interactive=moves, color_system=None))
        screen.doing("making topics at [::1]:9092 [red]")
        screen.done()
        screen.fact("worker", ":smile: [red]")
        assert "[::1]:9092 [red]" in file.getvalue()
        assert ":smile: [red]" in file.getvalue()


def test_a_dumb_terminal_is_treated_as_a_pipe() -> None:
    """TERM=dumb cannot move its cursor."""
    assert shown(force_terminal=True, force_interactive=False) == shown(force_terminal=False)


def test_a_terminals_bottom_is_gone_at_the_end() -> None:
    """The running figures are erased (CSI 2K) when the run is over: they do not stand above the summary."""
    text = shown(force_terminal=True, force_interactive=True, legacy_windows=False)
    figures, _, rest = text.rpartition("pushes")
    assert "7/s" in figures
    assert rest.count("\x1b[2K") >= 2
    assert "what it was worth" in rest
