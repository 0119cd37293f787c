"""What the desk writes to Kafka besides commands: articles and preferences, as a newsroom's own systems would."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError as ClientError

from ..errors import KafkaError
from ..kafka.clients import producer
from ..operations.erasing import ask
from ..settings import Settings


class Publisher:
    """Writes articles and preferences; started and stopped with the desk."""

    def __init__(self, settings: Settings) -> None:
        self._articles, self._preferences = settings.topic("articles"), settings.topic("preferences")
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connect; KafkaError where no broker answers."""
        made = producer(self._settings, enable_idempotence=True, request_timeout_ms=10_000)
        try:
            await made.start()
        except ClientError as error:
            await made.stop()
            raise KafkaError(f"no broker answers at {self._settings.brokers}: {type(error).__name__}") from error
        self._producer = made

    async def stop(self) -> None:
        """Close the connection."""
        if self._producer is not None:
            await self._producer.stop()

    async def publish(self, article: dict[str, Any]) -> None:
        """Write an article, and wait until it is there. KafkaError if that is not certain."""
        await self._write(self._articles, article["article_id"].encode(), orjson.dumps(article))

    async def prefer(self, user_id: str, patch: bytes) -> None:
        """Write a reader's patch, and wait until it is there. KafkaError if that is not certain."""
        await self._write(self._preferences, user_id.encode(), patch)

    async def erase(self, user_id: str) -> None:
        """Ask for a reader to be forgotten. KafkaError if it is not certain that this was written."""
        assert self._producer is not None
        with _perhaps_not_written(self._settings.topic("erasure")):
            await ask(self._producer, self._settings, user_id)

    async def _write(self, topic: str, key: bytes, value: bytes) -> None:
        assert self._producer is not None
        with _perhaps_not_written(topic):
            await self._producer.send_and_wait(topic, value, key)


@contextmanager
def _perhaps_not_written(topic: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise KafkaError(f"what was said was perhaps not written to {topic}: {type(error).__name__}") from error
