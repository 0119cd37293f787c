"""What a network does to requests, by name of its family; each makes a fault for TcpProxy from a seed.

Broken connections are reset, so a client knows at once that it gets no answer, and not whether the request arrives.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import numpy as np

from ...settings import Settings
from ..local_kafka.process import LocalKafka
from ..ports import HOST
from .tcp_proxy import Connection, Request, TcpProxy

ADD_PARTITIONS, END_TXN = 24, 26  # api keys
HELD_S = (0.03, 0.5)  # as long as transactions of the same id take to follow, and longer
DELAYED_S = (0.0, 0.2)


async def late_commits(connection: Connection, request: Request, rng: np.random.Generator) -> None:
    """One commit in ten is held, and reaches the broker when others have followed it."""
    if request.api_key == END_TXN and rng.random() < 0.1:
        connection.deliver_later(request, float(rng.uniform(*HELD_S)))
        connection.reset()
    else:
        await connection.deliver(request)


async def resets(connection: Connection, request: Request, rng: np.random.Generator) -> None:
    """One request in two hundred, of any kind, is lost, not answered, or late."""
    if rng.random() >= 0.005:
        await connection.deliver(request)
        return
    fate = rng.integers(3)
    if fate == 0:
        await connection.deliver(request)
    elif fate == 1:
        connection.deliver_later(request, float(rng.uniform(*HELD_S)))
    connection.reset()


async def delays(connection: Connection, request: Request, rng: np.random.Generator) -> None:
    """One request in ten waits, and those behind it on its connection."""
    if rng.random() < 0.1:
        await asyncio.sleep(float(rng.uniform(*DELAYED_S)))
    await connection.deliver(request)


FAMILIES = {"late_commits": late_commits, "resets": resets, "delays": delays}


@asynccontextmanager
async def bad_network(
    settings: Settings, kafka: LocalKafka, family: str, rng: np.random.Generator
) -> AsyncIterator[Settings]:
    """Settings with which a worker reaches this broker, made with a detour, through a network of such faults."""
    assert kafka.detour is not None
    async with TcpProxy(kafka.detour.advertised, kafka.detour.listens, partial(FAMILIES[family], rng=rng)):
        yield settings.changed(brokers=f"{HOST}:{kafka.detour.advertised}")
