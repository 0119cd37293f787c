"""Where the demo's text goes: a terminal's bottom that moves, plain lines elsewhere."""

import io

from rich.console import Console

from streamrec.demo.screen import Screen


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
