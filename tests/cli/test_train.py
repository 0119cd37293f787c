"""`streamrec train`: from a log to a folder that loads, also after it was killed; errors in one line."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from making import globo_clicks

from streamrec.__main__ import cli
from streamrec.content.encoder import HashedEncoder
from streamrec.datasets.simulated.log import START_MS
from streamrec.engine.features.fingerprint import fingerprint
from streamrec.engine.predictor import COLUMNS
from streamrec.errors import DataError
from streamrec.models.artifact import load as load_ranker
from streamrec.models.network import SIZES
from streamrec.terminal.times import millis
from streamrec.training.fit import STUDENT
from streamrec.training.teacher_folder import load as load_teacher
from streamrec.training.teacher_folder import read_manifest

SPACE = HashedEncoder().space_id


@pytest.fixture(scope="module")
def clicks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clicks of simulated readers in Globo's format."""
    return globo_clicks(tmp_path_factory.mktemp("globo") / "clicks.csv", n_users=400)


def command(*arguments: object) -> list[str]:
    """The command line."""
    return [sys.executable, "-m", "streamrec", "train", *map(str, arguments)]


def train(*arguments: object) -> tuple[int, str, str]:
    """Run it to its end: exit code, output, errors."""
    done = subprocess.run(command(*arguments), capture_output=True, timeout=200, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.mark.slow
def test_a_ranker_from_clicks_alone(clicks: Path, tmp_path: Path) -> None:
    """The folder loads, the last line is JSON with intervals, and no checkpoint is left."""
    code, output, errors = train("globo", clicks, "--out", tmp_path / "model", "--epochs", 4)
    assert code == 0, errors
    said = json.loads(output.splitlines()[-1])
    artifact = load_ranker(tmp_path / "model", expected_space_id=SPACE, expected_fingerprint=fingerprint())
    assert said["version"] == artifact.manifest.version
    assert said["model"] == "ranker"
    manifest = artifact.manifest
    assert (manifest.log, manifest.half_life_h) == ("globo", 168)
    assert manifest.test_from_ms is not None
    assert manifest.test_from_ms > START_MS
    value, low, high = said["ladder"][said["rung"]]["auc"]
    assert low < value < high
    assert artifact.manifest.sizes in {(COLUMNS, 1), SIZES, STUDENT.sizes}
    assert f"{said['rung']} " in output
    assert said["threshold"]["min_score"] == artifact.manifest.min_score
    assert 0 < said["threshold"]["share"] < 1
    assert f"threshold {artifact.manifest.min_score:.4g}: " in output
    assert ", the best of the ladder: AUC " in output
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.slow
def test_a_killed_training_goes_on_where_it_was(clicks: Path, tmp_path: Path) -> None:
    """SIGKILL after the first checkpoint, then --resume: the very model an undisturbed run gives."""
    options = ["globo", clicks, "--teacher", "--epochs", 2, "--seed", 2, "--out"]
    process = subprocess.Popen(command(*options, tmp_path / "killed"), stderr=subprocess.DEVNULL)
    checkpoint = tmp_path / "killed.checkpoint.safetensors"
    while not checkpoint.exists():
        assert process.poll() is None, "it ended before its first checkpoint could be seen"
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (tmp_path / "killed").exists()
    for name, more in (("killed", ["--resume"]), ("steady", [])):
        done = CliRunner().invoke(cli, ["train", *map(str, options), str(tmp_path / name), *more])
        assert done.exit_code == 0, done.output
    said = json.loads(done.stdout.splitlines()[-1])
    versions = {name: read_manifest(tmp_path / name).version for name in ("killed", "steady")}
    assert versions["killed"] == versions["steady"] == said["version"]
    assert said["model"] == "teacher"
    assert {"teacher", "wide ranker", "mean cosine", "gradient boosting"} <= said["ladder"].keys()
    assert said["ladder"]["teacher"]["ahead"] == [0, 0, 0]
    saved = load_teacher(tmp_path / "steady", expected_space_id=SPACE, expected_fingerprint=fingerprint())
    assert saved.manifest.log == "globo"
    assert not checkpoint.exists()


@pytest.mark.parametrize(
    ("text", "hour"),
    [("2019-11-13T18", 18), ("2019-11-13T18:00+02:00", 16), ("2019-11-13", 0), ("2019-11-13T18:00Z", 18)],
)
def test_a_time_means_its_own_offset(text: str, hour: int) -> None:
    """And UTC where it names none."""
    assert millis("--since", text) == 1_573_603_200_000 + hour * 3_600_000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--test-from", "tomorrow"], "--test-from is 'tomorrow'; expected a day like 2019-11-13"),
        (["--test-from", "2031-01-01"], "nothing was shown from 2031-01-01"),
        (["--test-from", "2001-01-01"], "nothing was shown before 2001-01-01"),
        (["--limit", "1"], "the log has no impressions to learn from"),
        (["--limit", "20"], "hold no rows; expected both clicked and unclicked articles: give more impressions"),
        (["--limit", "60"], "impressions to learn from; expected at least 50"),
        (["--device", "cuda"], "the device is cuda, but torch finds none"),
    ],
)
def test_what_cannot_be_done_is_said(clicks: Path, tmp_path: Path, options: list[str], message: str) -> None:
    """An error for the person at the keyboard, and nothing written."""
    if "cuda" in options and torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    result = CliRunner().invoke(cli, ["train", "globo", str(clicks), "--out", str(tmp_path / "model"), *options])
    assert isinstance(result.exception, DataError)
    assert message in str(result.exception)
    assert list(tmp_path.iterdir()) == []
