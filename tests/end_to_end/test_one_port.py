"""Workers of one host that are started together, with one port for all of them."""

import asyncio
from contextlib import ExitStack
from pathlib import Path

import pytest
from on_kafka import until

from streamrec.kafka.topics import create
from streamrec.settings import Settings
from streamrec.tools.ports import free_port
from streamrec.tools.worker_process import worker_process

pytestmark = pytest.mark.kafka


def test_of_several_that_start_at_once_one_serves_and_the_others_say_why(
    settings_for_test: Settings, tmp_path: Path
) -> None:
    """Whether the port was taken when they asked, or only when they began to listen: one sentence, no traceback."""
    settings = settings_for_test.changed(web_port=free_port(), web_host="127.0.0.1")
    asyncio.run(create(settings))
    with ExitStack() as stack:
        workers = [stack.enter_context(worker_process(settings, tmp_path / f"{n}.log")) for n in range(3)]
        asyncio.run(until(lambda: sum(worker.exit_code() is not None for worker in workers) == 2))
        ended = [worker for worker in workers if worker.exit_code() is not None]
        (alive,) = [worker for worker in workers if worker.exit_code() is None]
        alive.wait_ready()
        assert alive.exit_code() is None
    for worker in ended:
        assert worker.exit_code() in {1, 2}
        said = worker.log_path.read_text()
        assert f"STREAMREC_WEB_PORT is {settings.web_port}, where nothing can listen on 127.0.0.1" in said
        assert "Traceback" not in said
        assert "OSError" not in said
        assert said.splitlines()[-1].endswith("or 0 for no pages")
