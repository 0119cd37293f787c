"""What a network does to requests, by name of its family; each makes a fault for TcpProxy from a seed.

A connection that is reset tells its client at once that it gets no answer, and not whether the request arrives. One
that is silent tells nothing: only a timeout of the client ends it.

With an even seed one worker alone has the bad network, and its peers take over what it cannot hold.
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

PRODUCE, ADD_PARTITIONS, ADD_OFFSETS, END_TXN, COMMIT_OFFSETS = 0, 24, 25, 26, 28  # api keys
OF_TRANSACTIONS = (PRODUCE, ADD_PARTITIONS, ADD_OFFSETS, END_TXN, COMMIT_OFFSETS)
HELD_S = (0.03, 0.5)  # as long as transactions of the same id take to follow, and longer
DELAYED_S = (0.0, 0.2)
SLOW_BYTES_PER_S = 8_000.0


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


async def overtaken(connection: Connection, request: Request, rng: np.random.Generator) -> None:
    """One request in thirty that a transaction is made of arrives after those of the connection that follows."""
    if request.api_key in OF_TRANSACTIONS and rng.random() < 0.03:
        connection.deliver_later(request, float(rng.uniform(*HELD_S)))
        connection.reset()
    else:
        await connection.deliver(request)


async def black_holes(connection: Connection, request: Request, rng: np.random.Generator) -> None:
    """One connection in three hundred requests passes nothing any more, either way, and stays open."""
    if rng.random() < 1 / 300:
        connection.is_mute = connection.is_deaf = True
    await connection.deliver(request)


async def half_open(connection: Connection, request: Request, rng: np.random.Generator) -> None:
    """One connection in three hundred requests passes no answer any more; what is asked for is done."""
    if rng.random() < 1 / 300:
        connection.is_mute = True
    await connection.deliver(request)


async def slow_lines(connection: Connection, request: Request, rng: np.random.Generator) -> None:
    """One connection in three hundred requests passes 8 kB/s, either way, for as long as it lives."""
    if rng.random() < 1 / 300:
        connection.bytes_per_s = SLOW_BYTES_PER_S
    await connection.deliver(request)


FAMILIES = {
    "late_commits": late_commits,
    "resets": resets,
    "delays": delays,
    "overtaken": overtaken,
    "black_holes": black_holes,
    "half_open": half_open,
    "slow_lines": slow_lines,
}


@asynccontextmanager
async def bad_network(
    settings: Settings, kafka: LocalKafka, family: str, rng: np.random.Generator
) -> AsyncIterator[Settings]:
    """Settings with which a worker reaches this broker, made with a detour, through a network of such faults."""
    assert kafka.detour is not None
    async with TcpProxy(kafka.detour.advertised, kafka.detour.listens, partial(FAMILIES[family], rng=rng)):
        yield settings.changed(brokers=f"{HOST}:{kafka.detour.advertised}")
