"""The order in which one partition's inputs are applied, and what time it then is.

wall    live: in order of arrival; the policy clock is the caller's.
event   replay: inputs are merged by event time, as far as the watermarks of all have come, so the result does not
        depend on which topic was fetched first. The policy clock follows: it is the time of what is applied.
        Equal times: ticks first, then inputs in the order of their table, events last (contracts/inputs.py). Catalog
        and events are waited for in any case, another input once it has said anything.

A tick is a multiple of `tick_ms`: the moments at which users whose waiting is over are looked for.
"""

from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..contracts.article import AnalysedArticle
from ..contracts.decode import Item, Watermark
from ..contracts.inputs import IN_TIME, INPUTS, REQUIRED
from ..contracts.records import DeadLetter, Stray, Topic

AnyItem = Item[Any] | Stray


class Run(NamedTuple):
    """Consecutive items of one topic that are applied together; `now_ms` is 0 in wall time."""

    topic: Topic
    items: list[AnyItem]
    next_offset: int
    now_ms: int


class Tick(NamedTuple):
    """The moment, in ms of policy time, to look for users whose waiting is over."""

    now_ms: int


class EventTimeline:
    """Holds back what a replay's topics deliver, and releases it in the order of event time.

    An item is released when the watermarks of all topics have reached its time; between items come the ticks.
    """

    def __init__(self, tick_ms: int, clock_ms: int = 0) -> None:
        self.tick_ms = tick_ms
        self.clock_ms = clock_ms
        self._waiting: dict[Topic, deque[tuple[int, AnyItem]]] = {topic: deque() for topic in IN_TIME}
        self._watermark_ms: dict[Topic, int] = dict.fromkeys(REQUIRED, 0)  # others enter with what they say first
        self._last_ms: dict[Topic, int] = dict.fromkeys(IN_TIME, 0)

    def reference_ms(self, topic: Topic) -> int:
        """What event times of this topic are checked against: its last watermark, 0 before the first."""
        return self._watermark_ms.get(topic, 0)

    def add(self, topic: Topic, items: list[AnyItem]) -> None:
        """Take in decoded items. Within a topic the order of arrival stands: a late one is applied when it comes."""
        if items:
            self._watermark_ms.setdefault(topic, 0)
        for item in items:
            if isinstance(item, Watermark):
                self._watermark_ms[topic] = max(self._watermark_ms[topic], item.at_ms)
            self._last_ms[topic] = max(self._last_ms[topic], _time_of(item))
            self._waiting[topic].append((self._last_ms[topic], item))

    def held(self, topic: Topic) -> int:
        """How many items of this topic wait for a watermark."""
        return len(self._waiting[topic])

    def release(self) -> Iterator[Run | Tick]:
        """Yield all that the watermarks allow by now, in order: runs of items, and ticks between them."""
        until_ms = min(self._watermark_ms.values())
        while (topic := self._next_topic(until_ms)) is not None:
            at_ms = self._waiting[topic][0][0]
            yield from self._ticks(at_ms)
            self.clock_ms = max(self.clock_ms, at_ms)
            yield self._run(topic, until_ms)
        yield from self._ticks(until_ms)

    def _next_topic(self, until_ms: int) -> Topic | None:
        ready = [
            (waiting[0][0], order, topic)
            for order, (topic, waiting) in enumerate(self._waiting.items())
            if waiting and waiting[0][0] <= until_ms
        ]
        return min(ready)[2] if ready else None

    def _run(self, topic: Topic, until_ms: int) -> Run:
        """Items of `topic` up to the next tick or the next item of another topic; one article at a time."""
        waiting = self._waiting[topic]
        start_ms, item = waiting.popleft()
        items = [item]
        if not INPUTS[topic].one_by_one:
            others_ms = min(self._head_ms(other) for other in self._waiting if other != topic)
            stop_ms = min(until_ms, self._next_tick(start_ms) - 1, others_ms - 1)
            while waiting and waiting[0][0] <= stop_ms:
                items.append(waiting.popleft()[1])
        return Run(topic, items, items[-1].offset + 1, self.clock_ms)

    def _head_ms(self, topic: Topic) -> int:
        waiting = self._waiting[topic]
        return waiting[0][0] if waiting else 1 << 62

    def _next_tick(self, after_ms: int) -> int:
        return (after_ms // self.tick_ms + 1) * self.tick_ms

    def _ticks(self, until_ms: int) -> Iterator[Tick]:
        if not self.clock_ms:
            self.clock_ms = until_ms
        while (tick_ms := self._next_tick(self.clock_ms)) <= until_ms:
            self.clock_ms = tick_ms
            yield Tick(tick_ms)


def _time_of(item: AnyItem) -> int:
    if isinstance(item, Watermark):
        return item.at_ms
    if isinstance(item, DeadLetter | Stray):
        return 0  # stays behind the item before it
    value = item.value
    return int(value.known_at_ms if isinstance(value, AnalysedArticle) else value.at_ms)
