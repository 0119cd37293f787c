"""What the desk writes to Kafka besides commands: an article, as a newsroom's own system would publish it."""

from typing import Any

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError as ClientError

from ..errors import KafkaError
from ..kafka.clients import producer
from ..settings import Settings


class Publisher:
    """Writes articles; started and stopped with the desk."""

    def __init__(self, settings: Settings) -> None:
        self._topic = settings.topic("articles")
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
        assert self._producer is not None
        try:
            await self._producer.send_and_wait(self._topic, orjson.dumps(article), article["article_id"].encode())
        except ClientError as error:
            raise KafkaError(f"the article was perhaps not written: {type(error).__name__}") from error
