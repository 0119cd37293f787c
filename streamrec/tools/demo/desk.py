"""The desk beside the demo's worker: a process of its own, with a link on the first screen."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from ...settings import Settings
from ..ports import free_port
from ..worker_process import WorkerProcess

NEEDS = ("starlette", "uvicorn", "jinja2", "itsdangerous", "python_multipart")


@contextmanager
def desk(settings: Settings, log_path: Path) -> Iterator[str]:
    """Serve the desk for as long as the block; answers with where it is, or what it needs. It is up in some seconds."""
    missing = [name for name in NEEDS if find_spec(name) is None]
    if missing:
        yield f'not here: {missing[0]} is missing; pip install "streamrec[desk]"'
        return
    if "desk_port" not in settings.model_fields_set:
        settings = settings.changed(desk_port=free_port())
    process = WorkerProcess(settings, log_path, ("-m", "streamrec", "desk"))
    process.ensure()
    try:
        yield f"http://{settings.desk_host}:{settings.desk_port}, the editors' page: who gets what, and why"
    finally:
        process.stop()
