"""A push as a person reads it, for `watch` and the demo: one line, whatever its record holds."""

from ..contracts.push import Push, Reason
from .printable import printable


def sentence(push: Push, latency_ms: int) -> str:
    """Who gets what, because of what, how likely a click is, who said so, and how long it took; what a
    retraction or correction is about, and which command sent it.
    """
    quote = '"' if "'" in push.title else "'"
    if push.kind != "push":
        which = f"  command {printable(push.command_id)}" if push.command_id else ""
        return f"{push.kind} {printable(push.user_id)} <- {quote}{printable(push.title)}{quote}{which}  {latency_ms} ms"
    return (
        f"push {printable(push.user_id)} <- {quote}{printable(push.title)}{quote}  because: {because(push.reason)}  "
        f"p={push.relevance:.2f}  {push.model.engine}  {latency_ms} ms"
    )


def because(reason: Reason) -> str:
    """A push's reason in words for a line of the terminal; a category that has no name is not named."""
    words = printable(str(reason.args.get("words") or "something like it"))
    count, category = reason.args.get("count"), printable(str(reason.args.get("category") or ""))
    reads = "1 recent read" if count == 1 else f"{printable(str(count))} recent reads"
    known: dict[str, str] = {
        "searched": f"you searched for {words}",
        "recent_reads": f"{reads} in {category}" if category else reads,
        "audience": f"in its audience ({category or 'no category'})",
        "similar_interest": f"similar to earlier reads ({category or 'no category'})",
        "breaking": f"breaking news in {category}" if category else "breaking news",
    }
    return known.get(reason.code, reason.code.replace("_", " "))
