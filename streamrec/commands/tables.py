"""Tables on stdout, as wide as they need: a pipe or a file has no 80 columns to fit into."""

from rich.console import Console, RenderableType
from rich.measure import Measurement

WIDTH = 118  # of a page


def show(*shown: RenderableType) -> None:
    """Print; a table has the terminal's width, a page's or its own, whichever is largest."""
    console = Console()
    least = max(console.width, WIDTH)
    for each in shown:
        console.width = least
        if not isinstance(each, str):
            console.width = max(least, Measurement.get(console, console.options.update(max_width=400), each).maximum)
        console.print(each, soft_wrap=isinstance(each, str))
