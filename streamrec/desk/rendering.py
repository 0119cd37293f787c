"""Templates: everything that is shown is escaped, and a name that does not exist is an error."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..clock import now_ms
from . import words
from .words import Times

HERE = Path(__file__).parent


def environment(times: Times, **shared: Callable[..., Any] | object) -> Environment:
    """The desk's templates; autoescape is on for all of them, whatever their file is called."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "n": words.count,
        "pace": words.pace,
        "span": words.span,
        "reason": words.reason,
        "clock": lambda at_ms: times.clock(at_ms, now_ms()),
        "exact": times.exact,
        "field": times.field,
        "asked": words.asked,
        "done": lambda action: words.ACTIONS.get(action, action),
        "changed": lambda change: words.changed(change, times, now_ms()),
        "quiet": words.quiet,
        "standing": words.standing,
        "what": words.what,
    }
    made.globals |= {"zone": times.zone, "share": share, **shared}
    return made


def share(part: float, whole: float) -> str:
    """A width in percent, of what stands in `whole`."""
    return f"{100 * part / whole:.2f}%" if whole else "0%"
