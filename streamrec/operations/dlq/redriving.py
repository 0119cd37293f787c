"""redrive(settings, chosen): letters back to the topics they came from, each once.

In one transaction per chunk the records go to their topics and a marker for each goes behind its letter. So a run that
was killed has done a chunk whole or not at all, and the next run does the rest. The transactional name fences a second
run; the markers are read after that, when no earlier run can commit any more.

A record written back has its key, value and own headers, and one header more that says where it was: a record that
fails again is set aside with the whole trail. It is appended anew, so its age is counted from now; but a statement
without a time of its own was said when it was first appended, which its headers say.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from aiokafka.errors import KafkaError as ClientError
from aiokafka.errors import ProducerFenced

from ...contracts.inputs import OF_READERS, is_redriven
from ...contracts.limits import BATCH_BYTES
from ...contracts.partitioner import partition_of
from ...contracts.record_size import headers_bytes
from ...errors import KafkaError
from ...kafka.log import KafkaLog
from ...kafka.refusals import denied
from ...kafka.transactions import Message, Transactions
from ...settings import Settings
from .later_versions import NOTHING_SINCE, Since, since
from .letters import REDRIVEN_FROM_HEADER, REDRIVEN_HEADER, Letter, Place
from .reading import read, whole

# the pipeline alone knows whether a later version or a withdrawal was written since; compaction leaves the last one
NOT_CATALOG = "only the content agent writes catalog, each article's newest version; publish the article again"
NOT_CONTROL = "what was commanded then may be wrong by now; give the command again with `streamrec control`"
CHUNK_LETTERS, CHUNK_BYTES = 500, 8 * 1024 * 1024  # of one transaction: well within its timeout
PORTION_LETTERS, PORTION_BYTES = 200_000, 256 * 1024 * 1024  # that are in memory whole at a time


class Plan(NamedTuple):
    """Which letters can go back to their topics, and which cannot and why."""

    ready: list[Letter]
    refused: list[tuple[Letter, str]]


def plan(letters: Iterable[Letter], settings: Settings, articles: Since = NOTHING_SINCE) -> Plan:
    """Divide letters into those that can go back and those that cannot, with the reason."""
    done = Plan([], [])
    for letter in letters:
        why_not = refusal(letter, settings, articles)
        if why_not:
            done.refused.append((letter, why_not))
        else:
            done.ready.append(letter)
    return done


def refusal(letter: Letter, settings: Settings, articles: Since = NOTHING_SINCE) -> str:
    """Why this letter cannot go back; empty if it can."""
    topic, home = letter.place.topic, settings.topic(letter.place.topic)
    if not is_redriven(topic):
        return NOT_CONTROL if topic == "control" else NOT_CATALOG
    if letter.cut:
        return f"{letter.cut}; take it from {letter.origin} while it is there"
    if letter.origin.topic != home:
        return f"it came from '{letter.origin.topic}', not from {home}"
    if not 0 <= letter.origin.partition < (1 if topic == "articles" else settings.partitions):
        return f"{home} has no partition {letter.origin.partition}"
    if (size := letter.size + headers_bytes([_trail(letter, settings)])) > BATCH_BYTES:
        return f"it has {size} bytes with its headers, and at most {BATCH_BYTES} can be written back"
    return articles.refusal(letter) if topic == "articles" else ""


def partition(letter: Letter, settings: Settings) -> int:
    """Where it goes: an event to where its key's user lives, an article to where it was."""
    if letter.place.topic in OF_READERS and letter.key is not None:
        try:
            return partition_of(letter.key.decode(), settings.partitions)
        except UnicodeDecodeError:
            pass  # nobody's key
    return letter.origin.partition


def message(letter: Letter, settings: Settings) -> Message:
    """The record of a letter as it was, with headers that say where it was in between."""
    return Message(letter.key, letter.value, (*letter.own, _trail(letter, settings)))


def _trail(letter: Letter, settings: Settings) -> tuple[str, bytes]:
    place = f"{settings.topic(letter.place.topic)}.dlq/{letter.place.partition}/{letter.place.offset}"
    return REDRIVEN_FROM_HEADER, f"{place} {letter.reason}".encode()


def chunks(letters: Iterable[Letter], most: int, most_bytes: int) -> Iterator[list[Letter]]:
    """In order, each letter once; no chunk is empty or, unless it is a single letter, above either bound."""
    chunk: list[Letter] = []
    size = 0
    for letter in letters:
        if chunk and (len(chunk) == most or size + letter.size > most_bytes):
            yield chunk
            chunk, size = [], 0
        chunk.append(letter)
        size += letter.size
    if chunk:
        yield chunk


def redrives(letters: Iterable[Letter]) -> dict[Place, int]:
    """What `redrive` is told: letters, and how often each was redriven when it was chosen."""
    return {letter.place: len(letter.redriven_ms) for letter in letters}


async def redrive(
    settings: Settings, chosen: Mapping[Place, int], progress: Callable[[int], None] = lambda _: None
) -> int:
    """Write these back; answers with how many. `progress` hears how many are committed, after each chunk.

    A letter that was redriven in between, that retention has deleted, or whose article has moved on is left out.
    KafkaError if another run takes over, or the broker fails; what was committed until then stays and is marked.
    """
    done = 0
    transactions = Transactions(f"{settings.group_id}-redrive", KafkaLog(settings))
    try:
        await transactions.start()
        topics = {place.topic for place in chosen}
        letters = await read(settings, topics, lambda letter: letter.place in chosen) if topics else []
        still = [letter for letter in letters if chosen.get(letter.place) == len(letter.redriven_ms)]
        ready = plan(still, settings, await since(settings, still)).ready
        for portion in chunks(ready, PORTION_LETTERS, PORTION_BYTES):
            for chunk in chunks(await whole(settings, portion), CHUNK_LETTERS, CHUNK_BYTES):
                await _commit(transactions, chunk, settings)
                done += len(chunk)
                progress(done)
    except ProducerFenced as error:
        stood_still = f"or this one stood still for more than {settings.transaction_timeout_s:.0f} s"
        raise KafkaError(
            f"another redrive took over after {done} letters of this one, {stood_still}; nothing is doubled: if no "
            "other one is at work, run it again"
        ) from error
    except (ClientError, OSError) as error:
        what = denied(error) or f"{type(error).__name__} {error}".strip()
        raise KafkaError(f"stopped after {done} letters: {what}; run it again, these are marked") from error
    finally:
        await transactions.stop()
    return done


async def _commit(transactions: Transactions, chunk: Sequence[Letter], settings: Settings) -> None:
    back: dict[tuple[str, int], list[Message]] = defaultdict(list)
    for letter in chunk:
        back[letter.origin.topic, partition(letter, settings)].append(message(letter, settings))
    async with transactions.begin() as writes:
        for (name, number), same in groupby(chunk, lambda letter: letter.place[:2]):  # the topics that are read, too
            markers = [Message(None, None, [(REDRIVEN_HEADER, str(x.place.offset).encode())]) for x in same]
            await writes.send(f"{settings.topic(name)}.dlq", number, markers)
        for (topic, number), messages in back.items():
            await writes.send(topic, number, messages)
