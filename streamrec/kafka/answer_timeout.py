"""How long a broker may take to answer before its connection is taken for dead, by what is asked.

A connection of which a firewall has forgotten never breaks: no packet passes any more, and no reset comes. aiokafka
gives every request the same time (40 s; 90 s in Faust's consumer, since JoinGroup waits for all members), and what is
asked within that time cannot be asked again. Here a request that brokers answer at once waits ANSWER_S, as any request
may in Java's clients at most 30 s; then the connection is closed, and aiokafka asks again on a new one. For Produce
and EndTxn that is safe as after a reset (producer.py).

A connection that breaks while the coordinator is looked for changes nothing, so it is looked for again: aiokafka's
producer ends over it, and a worker with it.

Importing this is enough for every client of the process. The private names are listed in
tests/worker/test_private_names.py.
"""

from collections.abc import Awaitable
from typing import Any

from aiokafka import client, conn
from aiokafka.consumer import consumer
from aiokafka.errors import CoordinatorNotAvailableError, KafkaConnectionError
from aiokafka.producer import producer
from aiokafka.util import wait_for

ANSWER_S = 15.0
# not: JoinGroup, SyncGroup (they wait for other members), and what administers (it says itself how long it may take)
AT_ONCE = {
    "Produce": 0, "Fetch": 1, "ListOffsets": 2, "Metadata": 3, "OffsetCommit": 8, "OffsetFetch": 9,
    "FindCoordinator": 10, "Heartbeat": 12, "ApiVersions": 18, "InitProducerId": 22, "AddPartitionsToTxn": 24,
    "AddOffsetsToTxn": 25, "EndTxn": 26, "TxnOffsetCommit": 28,
}  # fmt: skip
KEYS = frozenset(AT_ONCE.values())


class Connection(conn.AIOKafkaConnection):  # type: ignore[misc]
    """One connection to a broker."""

    def send(self, request: Any, expect_response: bool = True) -> Awaitable[Any]:
        """The answer; TimeoutError where it does not come in time, which closes the connection."""
        answer: Awaitable[Any] = super().send(request, expect_response)
        return wait_for(answer, ANSWER_S) if request.API_KEY in KEYS else answer


class Client(client.AIOKafkaClient):  # type: ignore[misc]
    """What producers and consumers ask brokers through."""

    async def coordinator_lookup(self, coordinator_type: int, coordinator_key: str) -> int:
        """Its node; CoordinatorNotAvailableError, which everybody repeats, also where the connection broke."""
        try:
            return int(await super().coordinator_lookup(coordinator_type, coordinator_key))
        except KafkaConnectionError as error:
            raise CoordinatorNotAvailableError from error


conn.AIOKafkaConnection = Connection
consumer.AIOKafkaClient = producer.AIOKafkaClient = Client
