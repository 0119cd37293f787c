"""The auditor against the real state machine: what it does is never an alarm; what a broken one does is."""

from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import T0 as NOON
from making import AffinityScores, applied, article

from streamrec.contracts.event import Action, UserEvent
from streamrec.contracts.records import RawRecord, Topic
from streamrec.engine.policy.config import Policy
from streamrec.engine.policy.gates import GATES
from streamrec.engine.policy.types import UntilArray
from streamrec.engine.profiles.store import Users
from streamrec.operations.audit.checks import check
from streamrec.operations.audit.facts import Facts
from streamrec.partition.changes import Changes
from streamrec.partition.intake import Batch
from streamrec.partition.partition import Partition, PartitionContext
from streamrec.settings import Settings, load

MINUTE = 60_000
POLICY = load({}, partitions=1, daily_cap=3, min_interval_s=1800, session_gap_s=60, min_score=0, min_affinity=0)


class Step(NamedTuple):
    """After `minutes`, an event of a user, or (without an action) an article."""

    minutes: int
    user: int
    article: int
    action: Action | None
    tz: str
    breaking: int


STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from([0, 1, 7, 40, 300]),
        st.integers(0, 2),
        st.integers(0, 9),
        st.sampled_from(["click", "open", "unsubscribe", "subscribe", "dislike", None, None]),
        st.sampled_from(["", "", "Asia/Tokyo", "America/New_York"]),
        st.sampled_from([0, 0, 1]),
    ),
    max_size=60,
)


class Recorder:
    """One partition whose transactions are written to topics in memory, one a step."""

    def __init__(self, policy: Settings) -> None:
        self.partition, self.policy, self.now_ms = (
            Partition(PartitionContext.of(policy, 0, AffinityScores())),
            policy,
            NOON,
        )
        self.logs: dict[str, list[RawRecord]] = {name: [] for name in ("events", "catalog", "push", "changelog")}

    def step(self, step: Step) -> None:
        """Take in one record, look for users who are due, commit."""
        self.now_ms += step.minutes * MINUTE + 1
        value: Any
        if step.action is None:
            times = {"published_at_ms": self.now_ms, "known_at_ms": self.now_ms, "expires_at_ms": self.now_ms + 10**8}
            value = article(
                f"a{step.article}", topic="one", story_id=f"s{step.article // 2}", breaking=step.breaking, **times
            )
            self._apply("catalog", value)
        else:
            value = UserEvent(f"u{step.user}", step.action, self.now_ms, f"a{step.article}", step.tz)
            self._apply("events", value)
        self.now_ms += 1
        self._commit(self.partition.look(self.now_ms))

    def _apply(self, topic: Topic, value: Any) -> None:
        record = self._append(topic, None, msgspec.json.encode(value))
        self._commit(applied(self.partition, Batch(topic, [record], record.offset + 1), self.now_ms))

    def _commit(self, changes: Changes) -> None:
        for key, row in self.partition.encode(changes.unique_rows()):
            self._append("changelog", key, row)
        for made in changes.pushes:
            self._append("push", made.user_id.encode(), made.value)

    def _append(self, topic: str, key: bytes | None, value: bytes | None) -> RawRecord:
        log = self.logs[topic]
        log.append(RawRecord(len(log), self.now_ms, key, value))
        return log[-1]

    def audit(self) -> dict[str, int]:
        """Violations of each broken rule, on one clock."""
        ends = {(name, 0): log[-1].offset + 1 for name, log in self.logs.items() if log}
        facts = Facts.of(1, {0: self.logs["push"]}, {0: self.logs["changelog"]}, {0: self.logs["events"]}, ends)
        found = check(facts, self.policy, self.now_ms, skew_ms=0)
        return {finding.rule: finding.violations for finding in found if finding.violations}


@settings(max_examples=150, deadline=None)
@given(STEPS, st.integers(0, 40))
def test_what_the_state_machine_does_is_never_an_alarm(steps: list[Step], retained: int) -> None:
    """Any input, on one clock, with the oldest pushes and events gone: every rule holds."""
    recorder = Recorder(POLICY)
    for step in steps:
        recorder.step(step)
    assert recorder.audit() == {}
    for topic in ("push", "events"):
        recorder.logs[topic] = recorder.logs[topic][retained:]
    assert recorder.audit() == {}


def busy(policy: Settings) -> Recorder:
    """Three readers, who leave, and then more articles than anybody may get."""
    recorder = Recorder(policy)
    for user in range(3):
        recorder.step(Step(0, user, 9, "click", "", 0))
    recorder.step(Step(1, 0, 9, None, "", 0))
    recorder.step(Step(1, 0, 9, "unsubscribe", "", 0))
    for minutes in (5, 5, 40, 600, 500, 40, 40, 40):
        recorder.step(Step(minutes, 0, len(recorder.logs["catalog"]) % 9 * 2, None, "", 0))
    return recorder


def always_open(users: Users, now_s: int, policy: Policy) -> UntilArray:
    """A gate that stops nobody."""
    return np.zeros(len(users), np.uint32)


@pytest.mark.parametrize("rule", ["opt_out", "min_interval", "daily_cap", "quiet_hours"])
def test_a_gate_left_open_is_found(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same scene is clean with the gate and broken without it."""
    assert busy(POLICY).audit() == {}
    gates = tuple(gate._replace(opens_at=always_open) if gate.reason == rule else gate for gate in GATES)
    monkeypatch.setattr("streamrec.decide.GATES", gates)
    assert rule in busy(POLICY).audit()
