"""Tables on stdout, as wide as they need: a pipe or a file has no 80 columns to fit into."""

from rich.console import Console, RenderableType

WIDTH = 118  # of a page


def show(*shown: RenderableType) -> None:
    """Print, each with the terminal's width or a page's, whichever is larger: what overflows is wrapped by it."""
    console = Console()
    console.width = max(console.width, WIDTH)
    for each in shown:
        console.print(each, soft_wrap=isinstance(each, str))
