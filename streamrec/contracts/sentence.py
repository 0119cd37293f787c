"""A push as a person reads it, for `watch` and the demo."""

from .push import Push


def sentence(push: Push, latency_ms: int) -> str:
    """One push as a person reads it."""
    args = push.reason.args
    reads = "1 recent read" if args.get("count") == 1 else f"{args.get('count')} recent reads"
    why = {
        "recent_reads": f"{reads} in {args.get('category')}",
        "similar_interest": f"similar to earlier reads ({args.get('category') or 'no category'})",
        "breaking": f"breaking news in {args.get('category') or 'general'}",
    }[push.reason.code]
    return (
        f"push {push.user_id} <- {push.title!r}  because: {why}  "
        f"p={push.relevance:.2f}  {push.model.engine}  {latency_ms} ms"
    )
