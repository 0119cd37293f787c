"""Articles into the new space: each version analysed again by the new encoder, written to the target's catalog.

Where the source's catalog still has the version, all but the vector and the category it was made with stays as it was:
story, language, the time it became known. So dedupe by story holds across the move. Categories keep the source's slots
if the source has a table of them that agrees with the target's; else they are handed out anew (rows.py).

A record on which the source's analysis failed is left out: its dead letter stands in `articles.dlq`, which both sides
share. One on which only this encoder fails gets its letter here. Other dead letters are the source's to write.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from ...content.category_slots import CategorySlots, slots_in
from ...content.pipeline import CatalogRecord, ContentPipeline
from ...contracts.article import AnalysedArticle
from ...contracts.decode import Item, Origin, Typed, decode_catalog
from ...contracts.records import DeadLetter, Record
from ...kafka.log import KafkaLog
from ...kafka.transactions import Message, Transactions, set_aside
from ...settings import Settings
from ...worker.poison.poison_limit import analysed
from .plan import Plan, Side
from .reading import articles_done, poison_of, records_from, set_articles_done, transactions_of

Version = tuple[str, int]  # article id and version
BATCH = 500
MADE_ANEW = ("vector", "space_id", "category", "category_slot")


class Encoded(NamedTuple):
    """How many articles were written to the target's catalog, and how many the new encoder failed on."""

    written: int
    set_aside: int  # the new encoder fails on them


async def encode_articles(plan: Plan) -> Encoded:
    """What is in `articles` and not in the target's catalog yet. Safe to repeat.

    StateError if the encoder fails on more than a worker may set aside.
    """
    source, target = plan.source, plan.target.settings
    theirs = await catalog_records(source, 0)
    old = {_version(article): article for article in articles_in(theirs)}
    pipeline, total, topic = ContentPipeline(target, plan.encoder), Encoded(0, 0), target.topic("articles")
    poison = (await poison_of(source.settings, ["articles"]))[topic, 0]
    async with transactions_of(target, "content") as transactions:
        pipeline.recall(await catalog_records(plan.target, 0))
        if (slots := slots_of(theirs)).begins_with(pipeline.categories.slots):
            pipeline.categories.slots = slots
        await _write(transactions, target, [pipeline.slots_record()], [])
        async for fetched in records_from(target, topic, 0, await articles_done(target)):
            for records in (fetched[start : start + BATCH] for start in range(0, len(fetched), BATCH)):
                gone = poison.named(records)
                sound = [record for record in records if record.offset not in gone]
                made = await analysed(pipeline, sound, KafkaLog(target), target)
                catalog = [kept(record, old) for record in made.catalog]
                letters = [letter for letter in made.dead_letters if letter.reason == "processing_error"]
                await _write(transactions, target, catalog, letters)
                written = sum(bool(record.value) for record in catalog)
                total = Encoded(total.written + written, total.set_aside + len(letters))
                await set_articles_done(target, records[-1].offset + 1)
    return total


async def _write(
    transactions: Transactions, target: Settings, catalog: Sequence[CatalogRecord], letters: Sequence[DeadLetter]
) -> None:
    async with transactions.begin() as writes:
        for number in range(target.partitions):
            await writes.send(target.topic("catalog"), number, (Message(*record) for record in catalog))
        await writes.send(target.topic("articles.dlq"), 0, map(set_aside, letters))


def articles_in(records: Sequence[Record]) -> list[AnalysedArticle]:
    """The articles among these records of `catalog`."""
    return [item.value for item in decode_catalog(records, Origin("catalog", 0)) if isinstance(item, Typed)]


async def catalog_items(side: Side, number: int) -> list[Item[AnalysedArticle]]:
    """Items of one partition of `catalog`, in order, with their offsets."""
    return decode_catalog(await catalog_records(side, number), Origin(side.settings.topic("catalog"), number))


async def catalog_records(side: Side, number: int, before: int | None = None) -> list[Record]:
    """Records of one partition of `catalog`, in order, up to the offset `before`."""
    records = list[Record]()
    async for fetched in records_from(side.settings, side.settings.topic("catalog"), number, 0, before):
        records += fetched
    return records


def slots_of(records: Sequence[Record]) -> CategorySlots:
    """The slots of categories a catalog remembers; none if it was written by a release that did not hand them out."""
    return next((slots for record in reversed(records) if (slots := slots_in(record)) is not None), CategorySlots())


async def same_slots(plan: Plan) -> bool:
    """Whether what the source's profiles hold by category means the same in the target."""
    ours, theirs = [slots_of(await catalog_records(side, 0)) for side in (plan.target, plan.source)]
    return bool(theirs) and ours.begins_with(theirs)


def met_until(target: list[Item[AnalysedArticle]], met: list[AnalysedArticle]) -> int:
    """The offset in the target's catalog after the last article the source's readers have met.

    Both catalogs stand in the order of `articles`; an article met a second time would harm nobody, its readers' rows
    say who has it, but one that was never met would be lost.
    """
    versions = {_version(article) for article in met}
    offsets = [item.offset for item in target if isinstance(item, Typed) and _version(item.value) in versions]
    return max(offsets, default=-1) + 1


def kept(record: CatalogRecord, old: Mapping[Version, AnalysedArticle]) -> CatalogRecord:
    """A new record with story and times of the source's, where that has this version."""
    if not record.value:
        return record
    new = msgspec.json.decode(record.value, type=AnalysedArticle)
    before = old.get(_version(new))
    if before is None or before.status != new.status:
        return record
    made_anew = {name: getattr(new, name) for name in MADE_ANEW}
    return record._replace(value=msgspec.json.encode(msgspec.structs.replace(before, **made_anew)))


def _version(article: AnalysedArticle) -> Version:
    return article.article_id, article.version
