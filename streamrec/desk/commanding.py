"""Writes commands: each to every partition of `control`, in one transaction, so all workers hear of it or none does."""

import asyncio
from uuid import uuid4

from aiokafka.errors import KafkaError as ClientError

from ..contracts.control import Command
from ..errors import KafkaError
from ..kafka.log import KafkaLog
from ..kafka.transactions import Transactions
from ..operations.control import write
from ..settings import Settings

TRANSACTIONAL = "-desk-"  # in transactional ids, behind the group


class Commander:
    """The desk's transactional producer; each desk has ids of its own, so two do not fence one another."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._transactions: Transactions | None = None
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        """Connect; KafkaError where no broker answers."""
        name = f"{self._settings.group_id}{TRANSACTIONAL}{uuid4().hex[:12]}"
        made = Transactions(name, KafkaLog(self._settings))
        try:
            await made.start()
        except ClientError as error:
            await made.stop()
            raise KafkaError(f"no broker answers at {self._settings.brokers}: {type(error).__name__}") from error
        self._transactions = made

    async def stop(self) -> None:
        """Close the connections."""
        if self._transactions is not None:
            await self._transactions.stop()

    async def say(self, command: Command) -> None:
        """Write a command, and wait until it is committed. KafkaError if that is not certain."""
        async with self._lock:
            try:
                if self._transactions is None:
                    await self.start()
                assert self._transactions is not None
                await write(self._transactions, self._settings, [command])
            except ClientError as error:
                failed, self._transactions = self._transactions, None  # the next command begins with another producer
                if failed is not None:
                    await failed.stop()
                raise KafkaError(f"the command was perhaps not written: {type(error).__name__}") from error
