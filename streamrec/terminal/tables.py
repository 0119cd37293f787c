"""Tables on stdout, as wide as they need: a pipe or a file has no 80 columns to fit into."""

from typing import Any

from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from .printable import encoded, printable, printable_json

WIDTH = 118  # of a page


class PlainConsole(Console):
    """A console on which text is text: it acts on no terminal, and `[red]` or `:smile:` stand as they are."""

    def render_str(self, text: str, **style: Any) -> Text:
        """Render text as it is: without rich's markup, emoji and highlighting, and safe for a terminal."""
        safe = "\n".join(printable(line, None) for line in text.split("\n"))
        return super().render_str(safe, **{**style, "markup": False, "emoji": False, "highlight": False})


def grid(*headings: str, show_header: bool = True) -> Table:
    """A table of plain columns, without lines between them."""
    return Table(*headings, box=None, pad_edge=False, show_header=show_header)


def show_json(told: object) -> None:
    """One line of JSON on stdout, to be piped on: exact, and safe where it is a terminal after all."""
    print(printable_json(encoded(told)))


def show(*shown: RenderableType) -> None:
    """Print; a table has the terminal's width, a page's or its own, whichever is largest."""
    console = PlainConsole()
    least = max(console.width, WIDTH)
    for each in shown:
        console.width = least
        if not isinstance(each, str):
            console.width = max(least, Measurement.get(console, console.options.update(max_width=400), each).maximum)
        console.print(each, soft_wrap=isinstance(each, str))
