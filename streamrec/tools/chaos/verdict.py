"""What must be true after a run, whatever went wrong in it.

lost, duplicated  what owners applied and committed is one sequence without gaps and repetitions (oracle.py)
violations        other rows than the oracle's, or other pushes than the rows count; the rules of the audit
                  (operations/audit/findings.py); pushes that another reading of the policy would not have made
                  (second_opinion.py); dead letters that should not be there or are missing; strays not re-keyed exactly
                  once and in order; pushes long after a "no" (late_pushes.py)
"""

from collections import Counter
from dataclasses import dataclass, field

from ...clock import now_ms
from ...contracts.decode import Origin, Typed
from ...contracts.partitioner import partitions_of
from ...contracts.records import REROUTED_HEADER, TOPICS, RawRecord
from ...engine.catalog import Catalog
from ...engine.profiles.zones import is_zone
from ...operations.audit.checks import check
from ...operations.audit.facts import Facts
from ...partition.changelog_meta import CURSOR_KEY, ChangelogContent
from ...settings import Settings
from .faulty_partition import POISON, FragilePartition
from .inputs import PARTITIONS, Inputs
from .late_pushes import DECODED, late_pushes
from .memory_log import MemoryLog
from .oracle import Oracle
from .reference_reading import Compared

COUNTS = ("runs", "events", "pushes", "owners", "readers", "in_full", "lost", "duplicated", "violations")


@dataclass
class Verdict:
    """What was counted and what was wrong in one run, or in several of them together."""

    runs: int = 0
    events: int = 0
    pushes: int = 0
    owners: int = 0
    lost: int = 0
    duplicated: int = 0
    violations: int = 0
    readers: int = 0  # whose rows were held against the oracle's
    in_full: int = 0  # of these: to the last bit, since a row remembers all they dealt with
    found: list[str] = field(default_factory=list)  # in words
    failing_seeds: list[int] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether every promise was kept."""
        return not (self.lost or self.duplicated or self.violations)

    def summary(self) -> dict[str, object]:
        """Counts and failing seeds as the JSON of the command's last line."""
        return {name: getattr(self, name) for name in (*COUNTS, "failing_seeds")}

    def compare(self, compared: Compared) -> None:
        """Count readers whose rows were held against the oracle's."""
        self.readers += compared.readers
        self.in_full += compared.in_full

    def judge_comparison(self, least: float) -> None:
        """Where few rows are compared in full, that nothing differs says little."""
        if Compared(self.in_full, self.readers).falls_short_of(least):
            self.violate(f"rows of {self.in_full} of {self.readers} readers compared in full, expected {least:.0%}")

    def violate(self, what: str, count: int = 1) -> None:
        """Count a broken promise and say which, `what` in words."""
        self.violations += count
        self.found.append(what)

    def audit(self, facts: Facts, settings: Settings) -> None:
        """Hold what a run wrote against the rules of the audit."""
        for finding in check(facts, settings, now_ms(), skew_ms=0):
            if finding.violations:
                self.violate(f"{finding.rule}: {[example.shown() for example in finding.examples]}", finding.violations)
                self.duplicated += finding.violations if finding.rule == "duplicate_push" else 0

    def add(self, other: "Verdict", seed: int) -> None:
        """Add the verdict on another run, that of `seed`."""
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        if not other.holds:
            self.failing_seeds.append(seed)
            self.found += [f"seed {seed}: {what}" for what in other.found]


def judge(inputs: Inputs, broker: MemoryLog, owners: int) -> Verdict:
    """Judge all promises by what is committed at the end of a run."""
    verdict = Verdict(runs=1, owners=owners)
    for number in range(PARTITIONS):
        verdict.events += len(broker.committed("events", number))
        verdict.pushes += len(broker.committed("push", number))
        _state(verdict, inputs, broker, number)
    _audit(verdict, inputs, broker)
    _dead_letters(verdict, inputs, broker)
    _strays(verdict, broker)
    for what in late_pushes(broker, inputs.settings.max_push_lag_s):
        verdict.violate(what)
    return verdict


def _state(verdict: Verdict, inputs: Inputs, broker: MemoryLog, number: int) -> None:
    records = broker.committed("changelog", number)
    logged = ChangelogContent(PARTITIONS)
    logged.take([(record.key or b"", record.value) for record in records])
    rows, meta = logged.rows(Catalog(), 0), logged.meta
    oracle = Oracle(inputs.settings, number, broker)
    pushes = _pushes_by_cursor(broker, number)
    for record in records:
        if record.key == CURSOR_KEY and record.value is not None:
            oracle.follow(FragilePartition.encoding_of(record.value), pushes.get(record.offset, []))
    verdict.compare(oracle.compared())
    verdict.duplicated += oracle.again
    verdict.lost += oracle.passed_over
    for topic, end in meta.cursor.items():
        verdict.lost += len(broker.committed(topic, number, end))
    if oracle.again or oracle.passed_over:
        verdict.found.append(f"partition {number}: {oracle.again} records twice, {oracle.passed_over} passed over")
    for what in oracle.differences(rows, logged.said):
        verdict.violate(f"partition {number}: {what}")


def _pushes_by_cursor(broker: MemoryLog, number: int) -> dict[int, list[RawRecord]]:
    """Offset of a cursor record -> the pushes of its transaction."""
    return {
        entry.record.offset: [push.record for push in sent.get(("push", number), ())]
        for sent in broker.transactions
        for entry in sent.get(("changelog", number), ())
        if entry.record.key == CURSOR_KEY
    }


def _audit(verdict: Verdict, inputs: Inputs, broker: MemoryLog) -> None:
    def read(topic: str) -> dict[int, list[RawRecord]]:
        return {number: broker.committed(topic, number) for number in range(PARTITIONS)}

    ends: dict[tuple[str, int], int] = {
        (topic, number): broker.end(topic, number) for topic in TOPICS for number in range(PARTITIONS)
    }
    letters = [letter for topic in TOPICS for records in read(f"{topic}.dlq").values() for letter in records]
    facts = Facts.of(
        PARTITIONS,
        read("push"),
        read("changelog"),
        read("events"),
        ends,
        letters,
        preferences=read("preferences"),
        catalog=broker.committed("catalog", 0),
        control=read("control"),
        erasure=read("erasure"),
    )
    verdict.audit(facts, inputs.settings)


def _dead_letters(verdict: Verdict, inputs: Inputs, broker: MemoryLog) -> None:
    """Exactly what is unreadable or poison, once; articles that users who are due meet first, if one did."""
    expected = Counter((a.reason, a.value) for a in inputs.arrivals if a.reason)
    perhaps = Counter(
        ("processing_error", a.value)
        for a in inputs.arrivals
        if a.topic == "catalog" and not a.reason and a.key and a.key.startswith(POISON.encode())
    )
    found = Counter(
        (dict(letter.headers)["streamrec-reason"].decode(), letter.value)
        for topic in TOPICS
        for number in range(PARTITIONS)
        for letter in broker.committed(f"{topic}.dlq", number)
    )
    for what, difference in (("missing", expected - found), ("not expected", found - expected - perhaps)):
        if difference:
            verdict.violate(f"dead letters {what}: {dict(difference)}", difference.total())


def _strays(verdict: Verdict, broker: MemoryLog) -> None:
    """Each readable record of somebody else's user stands in `rerouted` once, in the order it came in."""
    for topic, source in ((topic, source) for topic in DECODED for source in range(PARTITIONS)):
        items = DECODED[topic](broker.committed(topic, source), Origin(topic, source), is_zone)
        readable = [item for item in items if isinstance(item, Typed)]
        homes = partitions_of([item.value.user_id for item in readable], PARTITIONS).tolist()
        for home in range(PARTITIONS):
            expected = [item.offset for item, to in zip(readable, homes, strict=True) if to == home != source]
            found = [
                int(origin[2])
                for record in broker.committed("rerouted", home)
                if (origin := dict(record.headers)[REROUTED_HEADER].decode().split("/"))[:2] == [topic, str(source)]
            ]
            if found != expected:
                verdict.violate(f"strays of {topic}-{source}: {found} re-keyed, expected {expected}")
