"""A worker whose broker takes half a second to commit; run as a script by test_limits.py."""

import asyncio

from aiokafka import AIOKafkaProducer

from streamrec.kafka.log import KafkaLog
from streamrec.settings import load
from streamrec.worker.run import run_worker


class SlowLog(KafkaLog):
    """Real transactions, late."""

    def producer(self, transactional_id: str) -> AIOKafkaProducer:
        producer = super().producer(transactional_id)
        commit = producer.commit_transaction

        async def late() -> None:
            await asyncio.sleep(0.5)
            await commit()

        producer.commit_transaction = late
        return producer


if __name__ == "__main__":
    settings = load()
    run_worker(settings, SlowLog(settings))
