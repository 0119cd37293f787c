"""Where the demo's text goes: lines that scroll, with the running figures below them on a terminal.

Anything else than a terminal (a pipe, a file, TERM=dumb) gets whole plain lines: no colours, nothing that moves.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ...contracts.push import Push
from ...terminal.push_sentence import sentence
from .lines import LABEL_WIDTH, Fact, push_lines

TERMINAL_EVERY_S = 0.5
PLAIN_EVERY_S = 5.0
MARGIN = 2  # columns on the right: some terminals wrap in the last one
SHORTEST_FACT = 20


class Screen:
    """Prints what the demo has to say, with a line at the bottom that moves if the console is a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._moves = console.is_interactive
        self._status = console.status("")
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self.every_s = TERMINAL_EVERY_S if self._moves else PLAIN_EVERY_S

    @property
    def fact_width(self) -> int | None:
        """Columns beside a label, as wide as the terminal is now; None: what is shown stays, and is never cut."""
        return max(SHORTEST_FACT, self._console.width - LABEL_WIDTH - MARGIN) if self._moves else None

    def doing(self, what: str) -> None:
        """Say what is being waited for; it stands at the bottom until `done`."""
        if self._moves:
            self._status.update(Text(what))
            self._status.start()
        else:
            self._plain(f"{what} ...")

    def progress(self, what: str) -> None:
        """Say how far the waiting is, where that can be overwritten."""
        if self._moves:
            self._status.update(Text(what))

    def done(self) -> None:
        """Take away what `doing` said."""
        self._status.stop()

    def fact(self, label: str, text: str) -> None:
        """Print something that is known now and stays: a label and a text."""
        if self._moves:
            self._console.print(_grid([(label, text)]))
        else:
            self._plain(f"{label}: {text}")

    def heading(self, title: str) -> None:
        """Print the title of what follows."""
        if self._moves:
            self._console.rule(title)
        else:
            self._plain(title)

    def push(self, push: Push, latency_ms: int) -> None:
        """One push; breaking news stands out, reasons on a line of their own stand back."""
        if not self._moves:
            self._plain(sentence(push, latency_ms))
            return
        first, *more = push_lines(push, latency_ms, self._console.width)
        style = "bold red" if push.priority == "breaking" else ""
        text = Text("\n").join([Text(first, style), *(Text(line, style or "dim") for line in more)])
        self._console.print(text, no_wrap=True, overflow="ellipsis")

    @contextmanager
    def running(self) -> Iterator[None]:
        """While this lasts, `show` has a place at the bottom; afterwards it is gone."""
        self.done()
        if not self._moves:
            yield
            return
        with self._live:
            yield

    def show(self, facts: Iterable[Fact]) -> None:
        """Print the running figures: in place on a terminal, else as one more line."""
        if self._moves:
            self._live.update(_grid(facts, self.fact_width), refresh=True)
        else:
            self._plain(" | ".join(f"{label} {text}" for label, text in facts))

    def _plain(self, text: str) -> None:
        self._console.print(text, soft_wrap=True, highlight=False, markup=False, emoji=False)


def _grid(facts: Iterable[Fact], width: int | None = None) -> Table:
    """Labels and texts; with a width each text is one line, cut there."""
    grid = Table.grid()
    grid.add_column(style="dim", width=LABEL_WIDTH, no_wrap=True)
    grid.add_column(max_width=width, no_wrap=width is not None, overflow="ellipsis" if width else "fold")
    for label, text in facts:
        grid.add_row(label, Text(text))
    return grid
