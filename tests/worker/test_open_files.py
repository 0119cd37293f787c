"""What a process may have open is enough for its partitions, or it ends and says so."""

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamrec.errors import KafkaError, SettingsError
from streamrec.kafka.topics import create
from streamrec.settings import Settings
from streamrec.tools.worker_process import WorkerProcess
from streamrec.worker.process.open_files import check_limit, raise_limit

LIMITED = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (70, 75)); from streamrec.__main__ import main; "


@pytest.fixture
def limits() -> Iterator[tuple[int, int]]:
    """As they are, and again after the test."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield soft, hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_limit_is_raised_and_checked(limits: tuple[int, int], caplog: pytest.LogCaptureFixture) -> None:
    """To what the system allows; what does not fit is a warning at the start, and an error when it comes to it."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, limits[1]))
    check_limit(9)
    with pytest.raises(SettingsError, match=r"10 partitions need 104 open files, .* may have 100; raise the limit: "):
        check_limit(10)
    raise_limit(9)
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == limits[1]
    assert not caplog.records
    raise_limit(limits[1])
    assert "if all partitions came to this worker: " in caplog.text


@pytest.mark.kafka
async def test_a_worker_that_is_given_too_many_ends(settings_for_test: Settings, tmp_path: Path) -> None:
    """One sentence, as the last line of its log, and a code that is not 0."""
    await create(settings_for_test)
    worker = WorkerProcess(settings_for_test, tmp_path / "log", ("-c", f"{LIMITED}main()", "worker"))
    try:
        worker.ensure()
        with pytest.raises(KafkaError):
            worker.wait_ready()
        assert worker.exit_code() == 1
        assert "ending: 4 partitions need 80 open files, more with several brokers, and this" in worker.last_line()
        assert "Traceback" not in worker.log_path.read_text()
    finally:
        worker.stop()
