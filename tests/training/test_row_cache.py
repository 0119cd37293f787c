"""A log is played once: its rows come back to the bit, and anything that would change them plays it again."""

from pathlib import Path

import numpy as np
import pytest

from streamrec.content.encoder import HashedEncoder
from streamrec.datasets.records import Log, StepLog
from streamrec.datasets.simulated.log import SimulatedLog
from streamrec.settings import load
from streamrec.training import row_cache
from streamrec.training.row_cache import KEPT, played_once
from streamrec.training.rows import Rows, rows_of

SETTINGS, ENCODER = load({}), HashedEncoder()


@pytest.fixture(scope="module")
def log() -> StepLog:
    """Steps of few readers."""
    simulated = SimulatedLog(1, 40, 8)
    return StepLog(list(simulated), simulated.summary)


@pytest.fixture
def plays(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by one whenever a log is really played."""
    played = list[str]()

    def counted(log: Log, *rest: object) -> Rows:
        played.append(log.summary.name)
        return rows_of(log, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(row_cache, "rows_of", counted)
    return played


def test_the_second_command_finds_what_the_first_has_played(log: StepLog, plays: list[str], tmp_path: Path) -> None:
    """The same rows in every column, whatever the threshold is; another log, space, half-life or code is played."""
    first = played_once(log, SETTINGS, ENCODER, tmp_path)
    again = played_once(log, SETTINGS.changed(min_score=0.5), ENCODER, tmp_path)
    assert len(plays) == 1
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
        assert np.asarray(one).dtype == np.asarray(other).dtype
    steps = log.steps[:-1]
    played_once(StepLog(steps, log.summary), SETTINGS, ENCODER, tmp_path)
    played_once(log, SETTINGS.changed(interest_half_life_h=24), ENCODER, tmp_path)
    assert len(plays) == 3


def test_another_release_plays_again(
    log: StepLog, plays: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What earlier code has made is not taken for what this one would make."""
    played_once(log, SETTINGS, ENCODER, tmp_path)
    monkeypatch.setattr(row_cache, "code_hash", lambda _: "another")
    played_once(log, SETTINGS, ENCODER, tmp_path)
    assert len(plays) == 2


def test_a_damaged_file_costs_a_replay(log: StepLog, plays: list[str], tmp_path: Path) -> None:
    """Cut off, or no archive at all: played and written again; in a folder that cannot be made, played each time."""
    whole = played_once(log, SETTINGS, ENCODER, tmp_path)
    (kept,) = tmp_path.iterdir()
    for damage in (kept.read_bytes()[:1000], b"", b"no archive"):
        kept.write_bytes(damage)
        np.testing.assert_array_equal(played_once(log, SETTINGS, ENCODER, tmp_path).x, whole.x)
    assert len(plays) == 4
    played_once(log, SETTINGS, ENCODER, tmp_path)
    assert len(plays) == 4
    for _ in range(2):
        played_once(log, SETTINGS, ENCODER, kept / "below a file")
    assert len(plays) == 6


def test_the_folder_does_not_grow_for_ever(tmp_path: Path, log: StepLog) -> None:
    """Only the files used last stay, and the new one is among them."""
    for number in range(KEPT + 2):
        (tmp_path / f"{number}.npz").touch()
    played_once(log, SETTINGS, ENCODER, tmp_path)
    assert len(list(tmp_path.iterdir())) == KEPT
    assert any(path.stat().st_size for path in tmp_path.iterdir())
