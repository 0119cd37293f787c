"""Catalog: analysed articles, each in every partition."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ...contracts.article import AnalysedArticle
from ...contracts.decode import Item, Origin, Typed, decode_catalog
from ...contracts.records import Record
from ..changes import Changes
from .reading import Reading

if TYPE_CHECKING:
    from ..partition import Partition


def decode(records: Sequence[Record], origin: Origin, reference_ms: int | None) -> list[Item[AnalysedArticle]]:
    """Analysed articles; they have no time that could be ahead."""
    return decode_catalog(records, origin)


def apply(partition: "Partition", typed: list[Typed[Any]], now_ms: int, changes: Changes) -> Iterator[Changes]:
    """One article after the other; each meets everybody before the next one, where the partition does that at once."""
    for item in typed:
        taken_in = Changes()
        may_be_pushed = partition.take_in(item.value, now_ms, taken_in)
        if taken_in:
            yield taken_in  # with the first commit: rows in the log are never behind what decisions saw
        if may_be_pushed:
            partition.queue.published(item.value.article_id, item.offset)
        if partition.at_once:
            yield from partition.work_off(now_ms)


READING = Reading(decode, apply)
