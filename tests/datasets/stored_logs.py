"""Where the real logs lie on this machine, and tests of rules that every log keeps."""

import os
from pathlib import Path

import pytest

from streamrec.datasets.records import Log, step_order

BESIDE_THE_PROJECT = Path(__file__).parents[3] / "shared" / "data"


def stored(name: str) -> Path:
    """A real log's path, below the folder STREAMREC_DATA or beside the project; skips the test where there is none."""
    path = Path(os.environ.get("REAL_LOGS") or BESIDE_THE_PROJECT) / name
    if not path.exists():
        pytest.skip(f"no real log at {path}; set STREAMREC_DATA")
    return path


def check_log(log: Log) -> None:
    """Steps come in order, each article before anything that names it, as many as the summary says."""
    last, count, known = (0, 0), 0, set()
    for step in log:
        order = step_order(step)
        assert order >= last
        last, count = order, count + 1
        match step.kind:
            case "article":
                known.add(step.record.article_id)  # type: ignore[union-attr]
                assert step.record.published_at_ms <= step.at_ms  # type: ignore[union-attr]
            case "event":
                assert step.record.article_id in known  # type: ignore[union-attr]
            case "impression":
                assert known.issuperset(step.record.candidates)  # type: ignore[union-attr]
    assert count == log.summary.steps
    assert last[0] == log.summary.end_ms


def rejected(log: Log) -> dict[str, int]:
    """How many rows were left out for each reason, named after its part."""
    parts = log.summary.tally.parts.items()
    return {f"{what}: {why}": count for what, part in parts for why, count in part.reasons.items()}
