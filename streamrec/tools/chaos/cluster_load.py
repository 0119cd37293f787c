"""What goes into a run on a real cluster. Articles that are clicked come first, so that a sequential oracle knows the
order; articles nobody clicks come all the while, so that there is always something to push.

Every second reader keeps to so few articles that a row remembers them, and the pushes of a day, however long the run;
these rows are compared in full (reference_reading.py). The others deal with more than a row remembers.
"""

import asyncio

import numpy as np
import orjson
from aiokafka import AIOKafkaProducer

from ...clock import now_ms
from ...engine.profiles.layout import SEEN
from ...kafka.clients import producer
from ...settings import Settings

ARTICLES, USERS, CAP = 30, 400, 4
FEW = SEEN - CAP
LEAST_IN_FULL = 0.4  # of readers; half of them keep to FEW articles
ACTIONS = ("click", "click", "click", "open", "share", "dislike", "impression", "search", "unsubscribe", "subscribe")
QUERIES = ("volcano iceland", "the volcano", "", "quantum chip record")
ZONES = ("", "", "Europe/Copenhagen", "Asia/Shanghai")
AUDIENCES = (  # of the articles nobody clicks, in turn
    None, {"everybody": True}, {"share": 0.3}, None, {"everybody": True, "ramp": {"share": 0.2, "after_min": 0.1}},
    {"countries": ["CN"], "share": 0.5}, {"languages": ["en"], "categories": ["science"]},
)  # fmt: skip


def patient_producer(settings: Settings) -> AIOKafkaProducer:
    """Survives a broker that is away for a while, and writes nothing twice."""
    return producer(settings, enable_idempotence=True, request_timeout_ms=60_000, linger_ms=5)


async def publish(
    to: AIOKafkaProducer, settings: Settings, article_id: str, version: int = 0, audience: object = None
) -> None:
    """Publish one version of an article, with words of its own, and wait for its acknowledgement."""
    record = {
        "article_id": article_id, "title": f"{article_id}x {article_id}y {article_id}z", "category": "science",
        "published_at_ms": now_ms(), "version": version, "audience": audience,
    }  # fmt: skip
    await to.send_and_wait(settings.topic("articles"), key=article_id.encode(), value=orjson.dumps(record))


async def publish_first(settings: Settings) -> None:
    """Publish the articles that will be clicked, before any click."""
    async with patient_producer(settings) as to:
        for number in range(ARTICLES):
            await publish(to, settings, f"a{number}")


async def send_events(settings: Settings, rng: np.random.Generator, events: int, per_s: float) -> None:
    """Events of all kinds, one in a hundred unreadable; every second a new article, an older version of it that comes
    late, and one that cannot be read.
    """
    async with patient_producer(settings) as to:
        for number in range(events):
            reader = int(rng.integers(USERS))
            user, among = f"u{reader}", FEW if reader % 2 else ARTICLES
            record = {
                "user_id": user, "article_id": f"a{rng.integers(among)}", "action": str(rng.choice(ACTIONS)),
                "at_ms": now_ms() - int(rng.choice([0, 0, 0, 4000])), "tz": str(rng.choice(ZONES)),
            }  # fmt: skip
            if record["action"] == "search":
                record["query"] = str(rng.choice(QUERIES))
            value = b"{" if rng.random() < 0.01 else orjson.dumps(record)
            await to.send(settings.topic("events"), key=user.encode(), value=value)
            if number % max(1, round(per_s)) == 0:
                audience = AUDIENCES[number // max(1, round(per_s)) % len(AUDIENCES)]
                await publish(to, settings, f"n{number}", 2, audience)
                await publish(to, settings, f"n{number}", 1)
                await to.send_and_wait(settings.topic("articles"), key=f"n{number}".encode(), value=b"{")
            if number % 20 == 0:
                await asyncio.sleep(20 / per_s)
        await to.flush()
