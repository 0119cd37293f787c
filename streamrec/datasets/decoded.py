"""Records in our own contract, decoded as a worker does, for logs: a tally of what a worker would set aside."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from ..contracts.decode import Item, T, Typed, Watermark
from ..contracts.event import UserEvent
from .tally import Part, Tally


def typed(items: Sequence[Item[T]], part: Part, *, lines: bool = False) -> Iterator[Typed[T]]:
    """Those that are records; the others are counted by reason and field. With `lines` an offset is a line's number."""
    for item in items:
        if isinstance(item, Watermark):
            continue
        part.rows += 1
        if isinstance(item, Typed):
            yield item
        else:
            part.reject(f"{item.reason}, {item.detail}" if item.detail else item.reason, item.offset if lines else 0)


def name_articles(tally: Tally, events: Iterable[UserEvent], article_ids: Iterable[str]) -> None:
    """Count the articles that impressions and all other events name."""
    shown, read = Counter[str](), Counter[str]()
    for event in events:
        if event.article_id:
            (shown if event.action == "impression" else read)[event.article_id] += 1
    held = dict.fromkeys(article_ids)
    tally.names("impressions", shown, held)
    tally.names("reads", read, held)
