"""State of a partition from its log: the changelog in bulk, then the part of `catalog` before the cursor.

Articles that were set aside as poison stand there, too. They are left out, as they were then: users who are due would
meet them again, and each owner in turn would end. Some users may have got them, so the catalog is told since when they
were known: a row that forgets one then has a floor above it, and its next version is not pushed to them again.

Called by a new owner after it has fenced the old one and written its barrier, so what it reads is final. Rows become
columns in bulk (np.frombuffer).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from ...clock import monotonic_s, now_ms
from ...contracts.article import AnalysedArticle
from ...contracts.decode import Item, Origin, Typed, decode_catalog
from ...contracts.records import Record, Topic, first_headers, header_number
from ...engine.catalog import Catalog
from ...errors import SettingsError
from ...kafka.log import Log, Reader, read_all
from ...partition.changelog_meta import ChangelogContent, Meta
from ...partition.context import PartitionContext
from ...partition.partition import Partition
from .dead_letter_index import DeadLetterIndex
from .rewind import beyond_the_end


class Recovered(NamedTuple):
    """What restoring a partition from its log took, and what could not be had any more."""

    rows: int
    records: int  # of the changelog, older versions of rows included
    articles: int
    seconds: float
    lost: dict[Topic, int]  # topic -> offsets that retention deleted before they were applied
    next_offset: int = 0  # in the changelog, behind what was read
    logged: ChangelogContent | None = None  # space, layouts and cursor of what was read, for whoever reads on; no rows


async def recover(
    partition: Partition,
    log: Log,
    changelog: str,
    partitions: int,
    progress: Callable[[int], object] = lambda _: None,
    through: int = -1,
    poison: Collection[int] = (),
) -> Recovered:
    """Restore the partition; sets its cursor, also where there was none. `progress` is told the records read so far.

    `through` is the offset of the owner's barrier (transaction.py): with it everything before is read that ever will
    be. `poison`: offsets in `catalog` whose dead letters may not be readable yet.
    """
    started = monotonic_s()
    number, topics = partition.context.number, partition.context.topics
    async with log.reader() as reader:
        logged, read, next_offset = ChangelogContent(partitions, partition.context.space_id), 0, 0
        async for records in reader.read(changelog, number, through=through):
            logged.take([(record.key or b"", record.value) for record in records])
            read += len(records)
            next_offset = records[-1].offset + 1 if records else next_offset
            progress(read)
        if logged.moved_to:
            raise SettingsError(
                f"{changelog}: `streamrec migrate` moved these profiles to {logged.moved_to}; start that deployment, or"
                " move them back first"
            )
        meta = logged.meta
        cursor, lost = await _cursor(reader, meta, topics, number)
        known = await read_all(reader, topics["catalog"], number, before=cursor["catalog"])
        gone = {*poison, *await set_aside_offsets(reader, topics["catalog"], number, known)}
        # known before it was written; and not decoded, for that may be what fails
        known_ms = max((record.timestamp for record in known if record.offset in gone), default=0)
        partition.catalog.after_set_aside(known_ms)
        sound = [record for record in known if record.offset not in gone]
        articles = decode_catalog(sound, Origin(topics["catalog"], number))
        rows = rows_of(logged, partition.context, articles)
        known_rows = chain(rows.items(), logged.said.items())
        partition.restore(known_rows, meta._replace(cursor=dict(cursor.items())), articles, logged.control.items())
    return Recovered(len(rows), read, len(articles), monotonic_s() - started, lost, next_offset, logged.without_rows())


def rows_of(
    logged: ChangelogContent, context: PartitionContext, articles: Sequence[Item[AnalysedArticle]]
) -> dict[bytes, bytes]:
    """Rows of this release's layout; those of an earlier one meet the articles before the cursor first."""
    known, looked_ms = Catalog(context.max_articles, context.keep_ms), logged.meta.looked_ms
    if logged.has_earlier_rows():
        for item in articles:
            if isinstance(item, Typed):
                known.apply(item.value, max(looked_ms, item.value.known_at_ms))
    return logged.rows(known, (looked_ms if context.tick_ms else now_ms()) // 1000)


async def set_aside_offsets(reader: Reader, topic: str, number: int, records: Sequence[Record]) -> set[int]:
    """Offsets of those of these records on which processing failed; other dead letters say nothing."""
    found = DeadLetterIndex()
    async for letters in reader.read(f"{topic}.dlq", number):
        for letter in letters:
            said = first_headers(letter)
            offset = header_number(said.get("streamrec-offset"))
            if offset >= 0 and said.get("streamrec-reason") == b"processing_error":
                found.add(offset, letter)
    return found.named(records)


async def _cursor(
    reader: Reader, meta: Meta, topics: Mapping[Topic, str], number: int
) -> tuple[dict[Topic, int], dict[Topic, int]]:
    """The logged cursor, moved to the first offset that still exists where retention was faster than we.

    StateError where it is beyond the end.
    """
    beginnings = await reader.beginnings(list(topics.values()), number)
    ends = await reader.ends(list(topics.values()), number)
    for name, topic in topics.items():
        if meta.cursor.get(name, 0) > ends[topic]:
            raise beyond_the_end(topic, number, meta.cursor[name], ends[topic])
    cursor = {name: max(meta.cursor.get(name, 0), beginnings[topic]) for name, topic in topics.items()}
    lost = {
        name: cursor[name] - meta.cursor[name] for name in topics if cursor[name] > meta.cursor.get(name, cursor[name])
    }
    return cursor, lost
