"""How a worker ends: a failure, a second SIGTERM or one during the start leave no member in the group, and no gap."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from on_kafka import event, members, owned, send, share_all, taken_over, until

from streamrec.kafka.log import KafkaLog
from streamrec.kafka.topics import changelog_topic, create
from streamrec.kafka.transactions import Message, Transactions
from streamrec.settings import Settings
from streamrec.tools.worker_process import WorkerProcess, value

pytestmark = pytest.mark.kafka

SESSION_S, MUCH_SOONER_S = 60.0, 30.0
TOLD = "told to stop by SIGTERM"
Start = Callable[..., WorkerProcess]


@pytest.fixture
def settings(settings_for_test: Settings) -> Settings:
    """A session that no test waits for, and topics."""
    made = settings_for_test.changed(session_timeout_s=SESSION_S)
    asyncio.run(create(made))
    return made


@pytest.fixture
def start(settings: Settings, tmp_path: Path) -> Iterator[Start]:
    """Starts a worker with other arguments to Python, if given; none is left behind."""
    workers: list[WorkerProcess] = []

    def one(*arguments: str) -> WorkerProcess:
        log = tmp_path / f"log-{len(workers)}"
        workers.append(WorkerProcess(settings, log, arguments) if arguments else WorkerProcess(settings, log))
        workers[-1].ensure()
        return workers[-1]

    yield one
    for worker in workers:
        worker.kill()


def lines(worker: WorkerProcess) -> list[str]:
    """Its log."""
    return worker.log_path.read_text().splitlines()


def terminated(worker: WorkerProcess) -> tuple[int | None, list[str]]:
    """Exit code after SIGTERM, and what it said from there on."""
    before = len(lines(worker))
    code = worker.stop(60)
    return code, lines(worker)[before:]


async def are(settings: Settings, count: int) -> bool:
    """As many members are in the group."""
    return await members(settings) == count


def test_a_failure_leaves_the_group(settings: Settings, start: Start) -> None:
    """The other worker owns the partitions of one that has failed long before its session is over."""
    workers = [start(), start()]
    asyncio.run(until(lambda: share_all(workers, settings.partitions)))
    asyncio.run(taken_over(settings, owned(workers[0])[0], workers[0]))
    failed_s = time.monotonic()
    asyncio.run(until(lambda: len(owned(workers[1])) == settings.partitions, MUCH_SOONER_S))
    assert time.monotonic() - failed_s < MUCH_SOONER_S
    assert workers[0].exit_code() == 1
    assert asyncio.run(members(settings)) == 1
    assert sum("ending: " in line for line in lines(workers[0])) == 1


def test_all_workers_stop_at_once(settings: Settings, start: Start) -> None:
    """Each with code 0 and one line, though the group changes under their hands; nobody is left in it."""
    workers = [start(), start()]
    asyncio.run(until(lambda: share_all(workers, settings.partitions)))
    before = [len(lines(worker)) for worker in workers]
    for worker in workers:
        os.kill(worker.pid, signal.SIGTERM)
    asyncio.run(until(lambda: all(worker.exit_code() is not None for worker in workers)))
    for worker, told in zip(workers, before, strict=True):
        assert worker.exit_code() == 0
        (line,) = lines(worker)[told:]
        assert line.endswith(TOLD)
    assert asyncio.run(members(settings)) == 0


def test_a_second_sigterm_does_not_wait_for_the_broker(settings: Settings, start: Start) -> None:
    """What is not committed is left to the next owner, the group is left as well, and one line says so."""
    worker = start(str(Path(__file__).with_name("slow_worker.py")), "6")
    worker.wait_ready()
    asyncio.run(send(settings, (event(f"u{n}", "a1") for n in range(200))))
    asyncio.run(until(lambda: value(worker.series(), "streamrec_events_total") > 0))
    os.kill(worker.pid, signal.SIGTERM)
    asyncio.run(until(lambda: TOLD in worker.last_line()))
    code, said = terminated(worker)
    assert code == 1
    (line,) = said
    assert "CRITICAL" in line
    assert line.endswith("ending: told to stop a second time; what is not committed is left to the next owner")
    asyncio.run(until(lambda: are(settings, 0), 5))


def test_sigterm_before_anything_has_begun(settings: Settings, start: Start) -> None:
    """While it still loads what it needs: exit code 0, and no line but that one, if logs are set up by then."""
    worker = start()
    status = Path(f"/proc/{worker.pid}/status")

    def hears() -> bool:
        blocked = next(line for line in status.read_text().splitlines() if line.startswith("SigBlk"))
        return bool(int(blocked.split()[1], 16) >> (signal.SIGTERM - 1) & 1)

    asyncio.run(until(hears))
    code, said = terminated(worker)
    assert code == 0
    assert [line for line in said if not line.endswith(TOLD)] == []


def test_sigterm_while_it_waits_to_join(settings: Settings, start: Start) -> None:
    """A worker that the others have not let in yet leaves no member behind, for which they would wait."""
    first = start()
    first.wait_ready()
    os.kill(first.pid, signal.SIGSTOP)  # the group waits for it
    second = start()
    asyncio.run(until(lambda: are(settings, 2)))
    code, (line,) = terminated(second)
    assert (code, line.endswith(TOLD)) == (0, True)
    os.kill(first.pid, signal.SIGCONT)
    asyncio.run(until(lambda: len(owned(first)) == settings.partitions and first.is_ready(), MUCH_SOONER_S))
    assert asyncio.run(members(settings)) == 1


def test_sigterm_during_recovery(settings: Settings, start: Start) -> None:
    """A partition that takes long to be read back is given up at once: exit code 0, one line, and the group is left."""

    async def scene() -> None:
        patient = settings.changed(transaction_timeout_s=300.0)  # not aborted before a worker has started
        other = Transactions("unrelated-to-any-partition", KafkaLog(patient))
        await other.start()
        try:
            async with other.begin() as writes:  # open until the end: no reader gets past it
                await writes.send(changelog_topic(settings), 0, [Message(b"\x00", None)])
                await writes.acknowledged()
                worker = start()
                await until(lambda: len(owned(worker)) == settings.partitions - 1)
                assert not worker.is_ready() or 0 not in owned(worker)
                assert await asyncio.to_thread(terminated, worker) == (0, [lines(worker)[-1]])
                assert worker.last_line().endswith(TOLD)
                assert await members(settings) == 0
        finally:
            await other.stop()

    asyncio.run(scene())
