"""What the demo reads from `push`, as a gateway would: committed records only."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import msgspec
from aiokafka import AIOKafkaConsumer

from ...clock import now_ms
from ...contracts.push import Push


@dataclass
class Seen:
    """The pushes that the demo has read so far, with their latency and repeated ids."""

    pairs: list[tuple[str, str, int]] = field(default_factory=list)  # user, article, created_at_ms
    ids: set[str] = field(default_factory=set)
    latency_ms: list[int] = field(default_factory=list)
    doubled: int = 0
    steered: Counter[tuple[str, str]] = field(default_factory=Counter)  # kind and title of what came after a push

    def add(self, push: Push, latency_ms: int) -> None:
        """Note one push, read `latency_ms` after its cause."""
        self.doubled += push.push_id in self.ids
        self.ids.add(push.push_id)
        if push.kind != "push":
            self.steered[push.kind, push.title] += 1
            return
        self.pairs.append((push.user_id, push.article_id, push.created_at_ms))
        self.latency_ms.append(latency_ms)

    def percentile_ms(self, share: float) -> float:
        """Of event -> push read, over the last thousand pushes; NaN before the first."""
        last = sorted(self.latency_ms[-1000:])
        return float(last[min(len(last) - 1, int(share * len(last)))]) if last else float("nan")


async def read_pushes(
    consumer: AIOKafkaConsumer, until: Callable[[], bool], seen: Seen
) -> AsyncIterator[tuple[Push, int]]:
    """Pushes with their latency in ms: from what caused them to their being read here."""
    while not until():
        for records in (await consumer.getmany(timeout_ms=100)).values():
            for record in records:
                push = msgspec.json.decode(record.value, type=Push)
                latency_ms = max(0, now_ms() - push.event_at_ms)
                seen.add(push, latency_ms)
                yield push, latency_ms
