"""A worker that hears of what becomes of topics within a second, not five minutes; run as a script."""

from typing import Any

from streamrec.settings import Settings, load
from streamrec.worker.faust_app import app
from streamrec.worker.run import run_worker

usual = app._faust_settings


def eager(settings: Settings) -> dict[str, Any]:
    """The same, and metadata asked for anew each second."""
    return usual(settings) | {"consumer_metadata_max_age_ms": 1000}


if __name__ == "__main__":
    app._faust_settings = eager
    run_worker(load())
