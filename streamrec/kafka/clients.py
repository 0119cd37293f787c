"""Every Kafka client of this package is made here, so that none forgets how the cluster is reached.

    async with consumer(settings, "a-topic", group_id="g") as records: ...
    async with producer(settings, linger_ms=5) as sending: ...
    async with admin(settings) as asking: ...

What is given besides goes to aiokafka as it is. Faust makes its own clients (worker/faust_app/faust_connection.py).
`AIOKafkaConsumer`, the type, is the one that reads headers of any name (consumer.py).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from ..settings import Settings
from .connection import connection
from .consumer import AIOKafkaConsumer
from .producer import TransactionalProducer

__all__ = ["AIOKafkaConsumer", "admin", "admin_client", "consumer", "producer", "transactional_producer"]


def consumer(settings: Settings, *topics: str, **more: Any) -> AIOKafkaConsumer:
    """A consumer of these topics, full names, not started; to be made within a running loop."""
    return AIOKafkaConsumer(*topics, **connection(settings), **more)


def producer(settings: Settings, **more: Any) -> AIOKafkaProducer:
    """A producer, not started; to be made within a running loop."""
    return AIOKafkaProducer(**connection(settings), **more)


def transactional_producer(settings: Settings, **more: Any) -> TransactionalProducer:
    """A producer of a `transactional_id`, not started; to be made within a running loop."""
    return TransactionalProducer(**connection(settings), **more)


def admin_client(settings: Settings) -> AIOKafkaAdminClient:
    """A client that administers, not started; to be made within a running loop."""
    return AIOKafkaAdminClient(**connection(settings))


@asynccontextmanager
async def admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    """A client that administers, started, while the block lasts."""
    client = admin_client(settings)
    try:
        await client.start()
        yield client
    finally:
        await client.close()
