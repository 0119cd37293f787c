"""What a partition reads: one table, in the order in which inputs are applied where they stand at the same moment.

To add an input: its word in `Topic` (records.py), its entry here, and its module in partition/inputs, which decodes and
applies it. Its topic, dead letters, lane, cursor, recovery, catching up, ACLs and metrics follow from the entry.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

from ..settings import Settings
from .records import TOPICS, Topic

DAY_MS = 86_400_000
WEEK, TWO_WEEKS, TWO_YEARS = str(7 * DAY_MS), str(14 * DAY_MS), str(731 * DAY_MS)
APPEND_TIME = {"message.timestamp.type": "LogAppendTime"}  # latency is counted from the append, not a producer's clock

Whose = Literal["reader", "everybody"]
Writer = Literal["producer", "worker", "operator"]


class Input(NamedTuple):
    """What the program has to know of an input of a partition, besides how it is decoded and applied."""

    config: Callable[[Settings], dict[str, str]]  # of its topic, as Kafka writes it
    whose: Whose = "reader"  # key user_id, and strays are sent on; or each record stands in every partition
    writer: Writer = "producer"  # the role that may write it
    in_time: bool = True  # has a place in the order of event time, in a replay
    one_by_one: bool = False  # each record ends before the next one begins, for it may take long
    urgent: bool = False  # applied before all else that waits, between any two steps
    redriven: bool = True  # dead letters may be written back


INPUTS: dict[Topic, Input] = {
    # the audit trail; what is in effect of it stands in the changelog
    "control": Input(
        lambda _: {"retention.ms": TWO_YEARS} | APPEND_TIME,
        whose="everybody",
        writer="operator",
        urgent=True,
        redriven=False,
    ),
    "erasure": Input(lambda _: {"retention.ms": TWO_WEEKS} | APPEND_TIME, writer="operator", urgent=True),
    # A patch must not be compacted away before it was read; the newest record of each reader stays for ever.
    "preferences": Input(
        lambda _: (
            {
                "cleanup.policy": "compact",
                "min.compaction.lag.ms": WEEK,
                "delete.retention.ms": WEEK,
            }
            | APPEND_TIME
        )
    ),
    # the last version of each article, as long as its vector lives
    "catalog": Input(
        lambda settings: {
            "cleanup.policy": "compact,delete",
            "retention.ms": str(round(settings.vector_days * DAY_MS)),
        },
        whose="everybody",
        writer="worker",
        one_by_one=True,
        redriven=False,
    ),
    # the time of the first append is kept, so a stray from the end of a backlog comes here almost a week old
    "rerouted": Input(lambda _: {"retention.ms": TWO_WEEKS}, writer="worker", in_time=False),
    "events": Input(lambda _: {"retention.ms": WEEK} | APPEND_TIME),
}
assert tuple(INPUTS) == TOPICS, "an input for each word of Topic, in the same order"

OF_READERS: tuple[Topic, ...] = tuple(name for name, each in INPUTS.items() if each.whose == "reader")
STRAYING: tuple[Topic, ...] = tuple(name for name in OF_READERS if name != "rerouted")  # from where records are sent on
URGENT: tuple[Topic, ...] = tuple(name for name, each in INPUTS.items() if each.urgent)
IN_TIME: tuple[Topic, ...] = tuple(name for name, each in INPUTS.items() if each.in_time)
REQUIRED: tuple[Topic, ...] = (
    "catalog",
    "events",
)  # in every replay; the others are waited for once they say something
BY_TURNS: tuple[Topic, ...] = tuple(name for name, each in INPUTS.items() if not (each.urgent or each.one_by_one))


def is_redriven(topic: str) -> bool:
    """Whether dead letters of this topic, named without prefix, may be written back."""
    return all(each.redriven for name, each in INPUTS.items() if name == topic)


def written_by(writer: Writer) -> list[Topic]:
    """Inputs that this role writes."""
    return [name for name, each in INPUTS.items() if each.writer == writer]
