"""One partition's profiles into the new space: events up to the source's cursor learned again, rows carried over.

    target changelog <- one transaction {rows that differ, cursor of the source, its last look}

The cursor is the source's, so the target goes on with the very event the source would have read next: none is lost and
none counts twice, however often this is repeated. The first pass reads `events` from the beginning, later ones what is
new. No decision is made here, so nothing is pushed.
"""

from itertools import chain, starmap
from typing import NamedTuple

from ...clock import now_ms
from ...content.query import Queries
from ...contracts.records import Topic
from ...errors import SettingsError, StateError
from ...kafka.log import KafkaLog
from ...kafka.topics import changelog_topic
from ...kafka.transactions import Message
from ...models.prior import Prior
from ...partition.changelog_meta import ChangelogContent, Meta, moved_record, owner_records
from ...partition.intake import Batch
from ...partition.partition import Partition, PartitionContext
from ...worker.commit.partition_commit import barrier
from ...worker.recovery.recovery import rows_of
from .articles import articles_in, catalog_items, catalog_records, met_until
from .plan import Plan, Side
from .reading import Poison, records_from, transactions_of
from .rows import carried, without_interest

LEARNED_FROM: tuple[Topic, ...] = ("rerouted", "events")
BATCH = 1000
FOREVER_MS = 10**13  # an event counts if its article is still in the topic, however old it is


class Moved(NamedTuple):
    """What moving one partition has read, learned and written."""

    users: int
    events: int  # learned in this pass
    written: int  # rows that changed
    without_interest: int


async def move(plan: Plan, number: int, poison: Poison, final: bool, slots_stay: bool) -> Moved:
    """Bring one partition of the target to where the source stands; `final`: the source cannot go on any more.

    `slots_stay`: categories have the same slots on both sides.
    """
    source, target = plan.source, plan.target
    end = await _fenced(source, number) if final else -1
    async with transactions_of(target.settings, number) as transactions:
        old = await _logged(source, number, end)
        new = await _logged(target, number, await barrier(transactions, changelog_topic(target.settings), number))
        articles = await catalog_items(target, number)
        queries = Queries(plan.encoder)
        context = PartitionContext.of(target.settings, number, Prior(), queries=queries)
        context = context._replace(max_articles=max(context.max_articles, len(articles) + 1))
        if old.moved_to == target.settings.app_id:  # a cut-over that was interrupted
            return Moved(len(rows_of(old, context, articles)), 0, 0, 0)
        _check(plan, number, old, new)
        scratch = Partition(context._replace(keep_ms=FOREVER_MS))
        before = dict(rows_of(new, context, articles))
        scratch.restore(chain(before.items(), old.said.items()), new.meta, articles)
        events = await _learn(plan, number, scratch, old.meta, poison)
        rows = rows_of(old, context, articles)
        known = scratch.catalog["key"]
        half_life_ms = target.settings.interest_half_life_h * 3_600_000
        made = carried(rows, scratch.profiles, known, half_life_ms, slots_stay)
        met = articles_in(await catalog_records(source, number, old.meta.met_until))
        cursor = old.meta.cursor | {"catalog": max(met_until(articles, met), new.meta.cursor.get("catalog", 0))}
        changed = [Message(key, row) for key, row in made.items() if before.get(key) != row]
        changed += [Message(key, said) for key, said in old.said.items() if new.said.get(key) != said]
        gone = [Message(key, None) for key in (before.keys() - made.keys()) | (new.said.keys() - old.said.keys())]
        commanded = old.control | dict.fromkeys(new.control.keys() - old.control.keys())
        changed += [Message(key, value) for key, value in commanded.items() if new.control.get(key) != value]
        meta = [*owner_records(target.settings.partitions, target.space_id), moved_record("")]
        meta.append(Meta(cursor, old.meta.looked_ms, opened_ms=old.meta.opened_ms).record())
        async with transactions.begin() as writes:
            await writes.send(changelog_topic(target.settings), number, [*starmap(Message, meta), *changed, *gone])
    return Moved(len(made), events, len(changed), without_interest(made))


async def moves_anywhere(plan: Plan) -> None:
    """SettingsError if the source's profiles are in the target's space already; nothing is written."""
    for number in range(plan.source.settings.partitions):
        if space := (await _logged(plan.source, number, -1)).space:
            if space == plan.target.space_id:
                raise SettingsError(
                    f"the profiles of {plan.source.settings.app_id} are in the model's space already ({space}): nothing"
                    " to migrate; `streamrec model promote` rolls the model out"
                )
            return


async def retire(plan: Plan, number: int) -> None:
    """The source's changelog says where its readers have gone: its workers refuse to start on it."""
    settings, moved = plan.source.settings, Message(*moved_record(plan.target.settings.app_id))
    async with transactions_of(settings, number) as transactions, transactions.begin() as writes:
        await writes.send(changelog_topic(settings), number, [moved])


async def _fenced(side: Side, number: int) -> int:
    """From here on no worker of this deployment can commit to the partition; its changelog ends at this offset."""
    async with transactions_of(side.settings, number) as transactions:
        return await barrier(transactions, changelog_topic(side.settings), number)


async def _logged(side: Side, number: int, through: int) -> ChangelogContent:
    logged = ChangelogContent(side.settings.partitions, side.space_id)
    async with KafkaLog(side.settings).reader() as reader:
        async for records in reader.read(changelog_topic(side.settings), number, through=through):
            logged.take([(record.key or b"", record.value) for record in records])
    return logged


def _check(plan: Plan, number: int, old: ChangelogContent, new: ChangelogContent) -> None:
    if old.moved_to:
        raise SettingsError(
            f"partition {number} of {plan.source.settings.app_id} was moved to {old.moved_to} already; start its"
            " workers, or give that deployment's settings to move it on"
        )
    for name in LEARNED_FROM:
        here, there = old.meta.cursor.get(name, 0), new.meta.cursor.get(name, 0)
        if there > here:
            raise SettingsError(
                f"partition {number}: {plan.target.settings.app_id} stands at {name} {there},"
                f" {plan.source.settings.app_id} at {here}; it has served since: give the settings of the one that is"
                " ahead, and the other one's names as the target"
            )


async def _learn(plan: Plan, number: int, scratch: Partition, until: Meta, poison: Poison) -> int:
    learned = 0
    for name in LEARNED_FROM:
        topic, end = plan.source.settings.topic(name), until.cursor.get(name, 0)
        aside = poison[topic, number]
        async for fetched in records_from(plan.source.settings, topic, number, scratch.cursor.get(name, 0), end):
            for start in range(0, len(fetched), BATCH):
                records = fetched[start : start + BATCH]
                batch = Batch(name, records, records[-1].offset + 1, aside.named(records))
                try:
                    learned += sum(len(changes.appended_ms) for changes in scratch.apply(batch, now_ms()))
                except Exception as error:
                    raise StateError(
                        f"{topic}-{number}: processing failed between offsets {records[0].offset} and"
                        f" {records[-1].offset}, where {plan.source.settings.app_id} went on: {error!r}"
                    ) from error
    return learned
