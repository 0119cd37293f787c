"""The worker with a plain producer: what `bench guarantees` measures the price of transactions against.

Same batches, same records, acks=all; but a crash between two of them leaves state and pushes at odds.
"""

from asyncio import Future
from typing import Any

from ...contracts.limits import BATCH_BYTES
from ...kafka.clients import producer
from ...kafka.log import KafkaLog
from ...settings import Settings, load
from ...worker.run import run_worker


class PlainProducer:
    """A producer with the interface of a transactional one, which commits every batch by itself."""

    def __init__(self, settings: Settings) -> None:
        self._producer = producer(
            settings, acks="all", max_batch_size=BATCH_BYTES, max_request_size=BATCH_BYTES + 100_000
        )

    in_doubt = False

    async def start(self) -> None:
        await self._producer.start()

    async def stop(self) -> None:
        await self._producer.stop()

    async def begin_transaction(self) -> None:
        """Does nothing: batches are sent outside of transactions."""

    async def commit_transaction(self) -> None:
        """Does nothing: the broker has acknowledged every batch already."""

    def create_batch(self) -> Any:
        return self._producer.create_batch()

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> "Future[Any]":
        sent: Future[Any] = await self._producer.send_batch(batch, topic, partition=partition)
        return sent


class PlainLog(KafkaLog):
    """A KafkaLog that writes without transactions."""

    def producer(self, transactional_id: str) -> Any:
        return PlainProducer(self._settings)


if __name__ == "__main__":
    settings = load()
    run_worker(settings, PlainLog(settings))
