"""What editors and readers ask for in a run on a real cluster, beside the events: commands, and erasures.

Editors stop, hold, retract and correct all the while, and lift in the end what they have stopped and held. Readers of
their own are erased: they click before, and clicks of before go on coming after it; some come back when it is done.
"""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import orjson
from aiokafka import AIOKafkaProducer

from ...clock import now_ms
from ...contracts.control import Command
from ...contracts.decode import Origin, Typed, decode_control
from ...contracts.push import Push
from ...contracts.records import Record
from ...operations.erasing import ask
from ...partition.changelog_meta import ChangelogContent
from ...settings import Settings
from .cluster_load import ARTICLES, patient_producer, publish
from .commands_reading import Commands

EVERY_S = 0.4  # a command
ERASED = [f"erased{number}" for number in range(24)]
CLICKS_OF_ERASED = 4 * len(ERASED) + len(ERASED[::2])  # what they send in a run: before, after, and when they come back
ACTIONS = ("stop", "resume", "hold", "release", "retract", "correct", "pin")
SHARES = (0.2, 0.2, 0.15, 0.15, 0.1, 0.15, 0.05)


async def command_until(
    done: asyncio.Event, settings: Settings, rng: np.random.Generator, unclicked: Sequence[str]
) -> None:
    """Give commands until `done`, on articles that are clicked and on these."""
    articles, corrected = [*unclicked, *(f"a{number}" for number in range(ARTICLES))], set[str]()
    async with patient_producer(settings) as to:
        while not done.is_set():
            action = str(rng.choice(ACTIONS, p=SHARES))
            said: dict[str, Any] = {}
            if action in {"hold", "release", "retract", "correct"}:
                said["article_id"] = str(rng.choice(articles))
            elif action == "pin":
                said = {"setting": "daily_cap", "value": 2, "until_ms": now_ms() + 2_000}
            elif rng.random() < 0.5:
                said["category"] = "science"
            if action == "stop" and rng.random() < 0.5:
                said["until_ms"] = now_ms() + 1_500
            if action == "correct" and (article_id := said["article_id"]) in {*unclicked} - corrected:
                corrected.add(article_id)
                await publish(to, settings, article_id, 3)
            await _command(to, settings, action, said)
            await asyncio.sleep(EVERY_S)
        for lifted in ({}, {"category": "science"}):
            await _command(to, settings, "resume", lifted)
        for article_id in articles:
            await _command(to, settings, "release", {"article_id": article_id})


async def _command(to: AIOKafkaProducer, settings: Settings, action: str, said: dict[str, Any]) -> None:
    """In every partition, as `streamrec control` does, of one moment."""
    at_ms = now_ms()
    said = {"action": action, "who": "chaos", "why": "simulated", "at_ms": at_ms, "command_id": f"{at_ms}", **said}
    for number in range(settings.partitions):
        await to.send_and_wait(settings.topic("control"), value=orjson.dumps(said), partition=number)


async def erase_some(settings: Settings, pause_s: float) -> None:
    """Let readers click, forget them, and send what they did before once more."""
    before_ms = now_ms()
    async with patient_producer(settings) as to:
        await _click(to, settings, ERASED, before_ms)
        await asyncio.sleep(pause_s)
        for user_id in ERASED:
            await ask(to, settings, user_id)
        for _ in range(3):
            await asyncio.sleep(pause_s / 3)
            await _click(to, settings, ERASED, before_ms)


async def come_back(settings: Settings) -> int:
    """Let every second of them come back; since when, in ms since 1970."""
    since_ms = now_ms()
    async with patient_producer(settings) as to:
        await _click(to, settings, ERASED[::2], since_ms)
    return since_ms


async def _click(to: AIOKafkaProducer, settings: Settings, users: Sequence[str], at_ms: int) -> None:
    for number, user_id in enumerate(users):
        said = {"user_id": user_id, "action": "click", "article_id": f"a{number % ARTICLES}", "at_ms": at_ms}
        await to.send_and_wait(settings.topic("events"), key=user_id.encode(), value=orjson.dumps(said))


def command_differences(
    control: Sequence[Record], sent: Sequence[Push], content: ChangelogContent, whole: set[str]
) -> Iterator[str]:
    """Of one partition, in words: commands that do not count though they are the last on their target, records that
    took back or corrected in vain, and retractions that readers of `whole` should have got.
    """
    reading = Commands()
    for push in sent:
        if push.kind == "push":
            reading.pushed(push)
    for item in decode_control(control, Origin("control", 0)):
        if isinstance(item, Typed):
            command: Command = item.value
            reading.take(command, known=True)
    for push in sent:
        if push.kind != "push":
            yield from reading.refuse(push)
    yield from reading.missing(whole)
    count = {orjson.loads(value).get("command_id") for value in content.control.values() if value is not None}
    for about, last in reading.said.items():
        if last.command_id not in count:
            yield f"the last command on {about!r} does not count"
