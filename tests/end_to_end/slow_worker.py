"""A worker whose broker takes its time to commit: half a second, or as many as it is told; run as a script by tests."""

import asyncio
import sys

from aiokafka import AIOKafkaProducer

from streamrec.kafka.log import KafkaLog
from streamrec.settings import load
from streamrec.worker.run import run_worker

COMMIT_S = float(sys.argv[1]) if sys.argv[1:] else 0.5


class SlowLog(KafkaLog):
    """Real transactions, late."""

    def producer(self, transactional_id: str) -> AIOKafkaProducer:
        producer = super().producer(transactional_id)
        commit = producer.commit_transaction

        async def late() -> None:
            await asyncio.sleep(COMMIT_S)
            await commit()

        producer.commit_transaction = late
        return producer


if __name__ == "__main__":
    settings = load()
    run_worker(settings, SlowLog(settings))
