"""How topics differ from what they should be, in sentences that name the cure."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

MISSING = "missing"
RETENTION, FOR_EVER = "retention.ms", -1
AT_LEAST = (RETENTION, "min.insync.replicas")


class Drift(NamedTuple):
    """One way in which a topic is not as the settings need it, with its cure."""

    topic: str
    what: str
    expected: str
    got: str
    cure: str

    def __str__(self) -> str:
        return f"topic {self.topic}: {self.of_any()}"

    def of_any(self) -> str:
        """The sentence without the topic's name, so that topics with the same drift can share it."""
        if self.got == MISSING:
            return f"missing; {self.cure}"
        return f"{self.what} is {self.got}, expected {self.expected}; {self.cure}"


def missing(topic: str) -> Drift:
    """The topic is not there."""
    return Drift(topic, "it", "there", MISSING, "run `streamrec topics create`")


def partitions(topic: str, got: int, wanted: int) -> list[Drift]:
    """Another number of partitions than the settings say."""
    if got == wanted:
        return []
    cure = "the number is fixed for the life of the topics: set STREAMREC_PARTITIONS to what they were made with"
    if got > wanted:
        cure = (
            "if only this topic differs it was enlarged, and Kafka takes no partitions back: it has to be deleted and"
            f" made anew, deploy/RUNBOOK.md, UnreadPartitions; if all do, set STREAMREC_PARTITIONS to {got}"
        )
    return [Drift(topic, "partitions", str(wanted), str(got), cure)]


def too_few_replicas(topic: str, got: int, wanted: int) -> list[Drift]:
    """Fewer replicas, of the partition that has the fewest, than the settings say."""
    if got >= wanted:
        return []
    cure = "add replicas with kafka-reassign-partitions, or set STREAMREC_REPLICATION to what the topics have"
    return [Drift(topic, "replicas", f"at least {wanted}", str(got), cure)]


def in_sync(topic: str, values: Mapping[str, str], replicas: int) -> list[Drift]:
    """More in-sync replicas asked for than there are, perhaps by the cluster's default: every write would fail."""
    name = "min.insync.replicas"
    asked = int(values.get(name, 1))
    if asked <= replicas:
        return []
    cure = "no write can succeed: add replicas with kafka-reassign-partitions, or alter it with kafka-configs"
    return [Drift(topic, name, f"at most {replicas}, the number of replicas", str(asked), cure)]


def altered(topic: str, values: Mapping[str, str], wanted: Mapping[str, str]) -> list[Drift]:
    """Settings that are not as they were made; longer retention and more copies are more than was asked for."""
    cure = "alter it with kafka-configs, or delete the topic"
    return [
        Drift(topic, name, f"at least {value}" if name in AT_LEAST else value, values.get(name, "not set"), cure)
        for name, value in wanted.items()
        if not _suffices(name, values.get(name), value)
    ]


def _suffices(name: str, got: str | None, wanted: str) -> bool:
    if name not in AT_LEAST or got is None:
        return got == wanted
    return int(got) >= int(wanted) or (name == RETENTION and int(got) == FOR_EVER)


def summary(drift: Iterable[Drift]) -> list[str]:
    """A sentence for each kind: what several topics have in common is said once, with its cure."""
    alike: dict[str, list[str]] = {}
    for one in drift:
        alike.setdefault(one.of_any(), []).append(one.topic)
    return [f"{_named(topics)}: {what}" for what, topics in alike.items()]


def _named(topics: list[str]) -> str:
    return f"topic {topics[0]}" if len(topics) == 1 else f"{len(topics)} topics ({', '.join(topics)})"
