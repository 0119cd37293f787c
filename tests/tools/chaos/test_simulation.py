"""Simulated crashes: nothing that is promised breaks, and each way of breaking it is found."""

import asyncio
import itertools
import subprocess
import sys
from collections.abc import Callable, Iterable

import orjson
import pytest

from streamrec.engine.profiles import history
from streamrec.engine.profiles.layout import CONSENT_UNKNOWN
from streamrec.engine.profiles.store import ProfileStore
from streamrec.engine.profiles.zones import offset_minutes
from streamrec.kafka.transactions import Transactions
from streamrec.partition import partition
from streamrec.partition.changelog_meta import layout_record
from streamrec.partition.changes import Changes
from streamrec.partition.intake import Batch
from streamrec.tools.chaos import inputs, virtual_time
from streamrec.tools.chaos import simulate as simulate_module
from streamrec.tools.chaos.memory_strays import MemoryStrays
from streamrec.tools.chaos.simulate import quietly, simulate
from streamrec.tools.chaos.verdict import Verdict
from streamrec.worker.commit.partition_commit import write
from streamrec.worker.commit.uncommitted import Pending, Ready
from streamrec.worker.process.supervision import guarded
from streamrec.worker.recovery.recovery import Recovered, recover
from streamrec.worker.writing import writer
from streamrec.worker.writing.catch_up import CatchUp
from streamrec.worker.writing.writer import PartitionWriter


@pytest.mark.parametrize("seed", range(5000, 5040))
def test_every_promise_holds_whatever_dies(seed: int) -> None:
    """State, pushes, dead letters and strays are those of a world without faults."""
    verdict = simulate(seed)
    assert verdict.found == []
    assert verdict.events > 0
    assert verdict.owners >= 2


def test_a_seed_is_a_run() -> None:
    """The same seed plays the same run, so a failure can be looked at again."""
    assert simulate(7) == simulate(7)


async def cursor_in_a_transaction_of_its_own(self: PartitionWriter, ready: Ready) -> None:
    """Rows and pushes first, the cursor a moment later."""
    await write(self._transactions, self._names, self.number, ready.rows[:-1], ready.changes)
    await write(self._transactions, self._names, self.number, ready.rows[-1:], Changes())
    self._in_flight_since_s = None
    self.committed = ready.cursor


async def recovery_before_the_fence(self: PartitionWriter) -> Recovered:
    """The old owner can still commit while its successor reads."""
    self.recovered = await recover(self.partition, self._log, "changelog", self._settings.partitions)
    await self._transactions.start()
    self.committed, self._lanes.expected = dict(self.partition.cursor), dict(self.partition.cursor)
    layout = [layout_record(self._settings.partitions)]
    await write(self._transactions, self._names, self.number, layout, Changes())
    self._begin_catch_up()
    self._tasks = [asyncio.create_task(guarded(run, self._fail)) for run in (self._apply_all, self._commit_all)]
    return self.recovered


async def recovery_without_a_barrier(self: PartitionWriter) -> Recovered:
    """The old owner's last commit may become readable after its successor has read."""
    await self._transactions.start()
    self.recovered = await recover(self.partition, self._log, "changelog", self._settings.partitions)
    self.committed, self._lanes.expected = dict(self.partition.cursor), dict(self.partition.cursor)
    self._begin_catch_up()
    self._tasks = [asyncio.create_task(guarded(run, self._fail)) for run in (self._apply_all, self._commit_all)]
    return self.recovered


async def repeated_deliveries_applied_again(self: PartitionWriter, batch: Batch, start: int) -> None:
    """What was applied before is not skipped."""
    self._lanes.expected[batch.topic] = min(start, self._lanes.expected.get(batch.topic, 0))
    await OFFER(self, batch, start)


async def applied_in_a_rebalance(self: PartitionWriter) -> None:
    """What was applied is not committed before the partition moves, and is forgotten with it."""
    self._running.clear()
    self._pending = Pending()


OFFER = PartitionWriter.offer


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("_commit", cursor_in_a_transaction_of_its_own),
        ("start", recovery_before_the_fence),
        ("start", recovery_without_a_barrier),
        ("offer", repeated_deliveries_applied_again),
        ("pause", applied_in_a_rebalance),
    ],
)
def test_a_broken_protocol_is_found(name: str, broken: Callable[..., object], monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge can fail: each classic mistake is found within a few runs."""
    monkeypatch.setattr(PartitionWriter, name, broken)
    assert any(not quietly(seed).holds for seed in range(39, 139))


@pytest.mark.slow
def test_pushes_before_the_backlog_is_applied_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the rule that first all is read, somebody who left in an outage gets a push after it."""
    monkeypatch.setattr(CatchUp, "is_behind", lambda *_: False)
    missing = {"opt_out", "already_read"}
    for seed in (83, *range(120, 280)):
        missing -= {rule for what in quietly(seed).found for rule in missing if what.startswith(rule)}
        if not missing:
            return
    pytest.fail(f"no run finds {missing}")


@pytest.mark.slow
def test_pushes_that_wait_for_no_stray_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """An opt-out lies in a partition that stands still, and its reader's own partition goes on pushing."""

    async def never(_: CatchUp) -> bool:
        return False

    async def at_once(_: MemoryStrays) -> None:
        return

    monkeypatch.setattr(inputs, "ASTRAY", 0.6)
    monkeypatch.setattr(simulate_module, "OUTAGES", 1.0)
    monkeypatch.setattr(simulate_module, "OUTAGE_S", (1800.0,))
    assert all(quietly(seed).holds for seed in range(12))
    monkeypatch.setattr(CatchUp, "others_are_late", never)
    monkeypatch.setattr(MemoryStrays, "sent_on", at_once)
    assert any("after a no" in what for seed in range(100) for what in quietly(seed).found)


def test_a_cap_that_forgets_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pushes that the row does not know of at once break a cap, an interval or a story."""

    class Forgets:
        def __getattr__(self, name: str) -> object:
            return (lambda *_: history.NO_KEYS) if name == "after_push" else getattr(history, name)

    monkeypatch.setattr(partition, "history", Forgets())
    assert any(not quietly(seed).holds for seed in range(100))


def test_owners_that_fence_nobody_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """With transactional ids of its own each owner goes on writing beside its successor."""
    owners = itertools.count()
    monkeypatch.setattr(writer, "Transactions", lambda name, log: Transactions(f"{name}-{next(owners)}", log))
    assert any(not quietly(seed).holds for seed in range(100))


def test_a_recovery_that_forgets_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oracle recovers nothing, so it misses what a recovery loses."""

    def forgets(self: ProfileStore, records: Iterable[tuple[bytes, bytes]]) -> None:
        restore(self, records)
        self["consent"][:] = CONSENT_UNKNOWN

    restore = ProfileStore.restore
    monkeypatch.setattr(ProfileStore, "restore", forgets)
    assert any("differs in consent" in what for seed in range(100) for what in quietly(seed).found)


def test_quiet_hours_in_the_wrong_zone_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The audit asks the gate; the second opinion does not."""
    gate = sys.modules["streamrec.engine.policy.gates.quiet_hours"]  # the package's name for it is the function
    monkeypatch.setattr(gate, "offset_minutes", lambda slots, *when: offset_minutes(slots * 0, *when))
    assert any("against quiet hours" in what for seed in range(200) for what in quietly(seed).found)


def test_a_run_without_an_end_is_a_failing_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turns of the event loop are counted, so that not even a mistake that waits for ever hides a seed."""

    async def spins(self: PartitionWriter) -> None:
        for _ in range(10_000):
            await asyncio.sleep(0)

    monkeypatch.setattr(PartitionWriter, "start", spins)
    monkeypatch.setattr(virtual_time, "MOST_TURNS", 1000)
    (found,) = quietly(1).found
    assert found == "StateError: no end after 1000 turns of the event loop"


def test_a_run_that_raises_is_a_failing_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """No exception hides a seed."""

    async def raises(self: PartitionWriter) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(PartitionWriter, "start", raises)
    verdict, total = quietly(1), Verdict()
    total.add(verdict, 1)
    assert total.failing_seeds == [1]


def test_the_command_says_it_in_json() -> None:
    """The last line is the summary."""
    command = [sys.executable, "-m", "streamrec", "chaos", "--simulate", "4", "--seed", "3", "--jobs", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    summary = orjson.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 0, done.stderr
    assert summary["runs"] == 4
    assert summary["failing_seeds"] == []
    assert summary["lost"] == summary["duplicated"] == summary["violations"] == 0
