"""`streamrec compress run` end to end, on a small simulated log."""

import json
from pathlib import Path

import pytest
from benches import trained_teacher
from click.testing import CliRunner

from streamrec.__main__ import cli
from streamrec.compression.recipe import METHODS
from streamrec.content.encoder import HashedEncoder
from streamrec.datasets.simulated.log import START_MS
from streamrec.engine.features.fingerprint import fingerprint
from streamrec.errors import ArtifactError, DataError, RecipeError
from streamrec.models.artifact import WEIGHTS, load
from streamrec.settings import Settings
from streamrec.training.teacher_folder import save

HOUR_MS = 3_600_000


def arguments(recipe: str, tmp_path: Path) -> list[str]:
    """Of a short run; the teacher is saved as one that was trained on the first two days."""
    save(
        tmp_path / "teacher",
        trained_teacher(),
        log="simulated",
        test_from_ms=START_MS + 48 * HOUR_MS,
        seed=1,
        settings=Settings(interest_half_life_h=168),
        space_id=HashedEncoder().space_id,
        metrics={},
    )
    options = ["--log", "simulated", "--users", "60", "--epochs", "1", "--seed", "3"]
    return [
        "compress",
        "run",
        recipe,
        "--teacher",
        f"{tmp_path / 'teacher'}",
        "--out",
        f"{tmp_path / 'small'}",
        *options,
    ]


def test_a_recipe_becomes_a_folder_and_a_verdict(tmp_path: Path) -> None:
    """Tables for people, JSON as the last line, and an artifact that passes every check."""
    recipe = "student(8,1,16) > distil(0) > prune(magnitude,.5) > int8"
    done = CliRunner().invoke(cli, arguments(recipe, tmp_path), catch_exceptions=False)
    told = json.loads(done.stdout.splitlines()[-1])
    assert done.exit_code == 0
    assert told["size"]["file_bytes"] == (tmp_path / "small" / WEIGHTS).stat().st_size
    assert told["artifact_bytes"] > 50_000 > told["size"]["file_bytes"]
    assert told["size_ratio"] > 5
    assert {layer["step"] for layer in told["layers"]} == {
        "student(width=8,vector=16)",
        "distil(alpha=0)",
        "prune(magnitude,0.5)",
        "int8",
    }
    assert set(told["verdict"]) == {"auc", "ndcg_10"}
    artifact = load(tmp_path / "small", expected_space_id=HashedEncoder().space_id, expected_fingerprint=fingerprint())
    assert (artifact.manifest.version, artifact.manifest.half_life_h) == (told["version"], 168)
    assert "zero or gone" in done.stdout


def test_a_recipe_that_makes_no_sense_is_refused_at_once(tmp_path: Path) -> None:
    """Before a log is played or a folder written."""
    with pytest.raises(RecipeError, match="must be last"):
        CliRunner().invoke(cli, arguments("int8 > lowrank", tmp_path), catch_exceptions=False)
    assert not (tmp_path / "small").exists()


def test_the_teacher_is_not_judged_on_what_it_has_learned_from(tmp_path: Path) -> None:
    """An earlier test window is refused, and so is another log."""
    early = [*arguments("student(8) > distil", tmp_path), "--test-from", "2026-01-02"]
    with pytest.raises(DataError, match=r"24\.0 h before the teacher stopped learning"):
        CliRunner().invoke(cli, early, catch_exceptions=False)
    other = [*arguments("student(8) > distil", tmp_path), "--log", "mind"]
    with pytest.raises(DataError, match="--log is 'mind', but the model was trained on 'simulated'"):
        CliRunner().invoke(cli, other, catch_exceptions=False)
    assert not (tmp_path / "small").exists()


def test_rows_of_another_half_life_are_none_of_the_teacher(tmp_path: Path) -> None:
    """Told before the log is played, by whichever command compresses."""
    run = arguments("student(8) > distil", tmp_path)
    search = ["compress", "search", "--teacher", run[4], "--log", "simulated", "--users", "100", "--out", run[6]]
    for command in (run, search):
        with pytest.raises(ArtifactError, match=r"half_life_h is 168, expected 24.*INTEREST_HALF_LIFE_H=168"):
            CliRunner().invoke(cli, command, catch_exceptions=False, env={"STREAMREC_INTEREST_HALF_LIFE_H": "24"})
    assert not (tmp_path / "small").exists()


def test_help_keeps_its_lines() -> None:
    """Examples and the list of methods stand as they were written, one a line."""
    lines = CliRunner().invoke(cli, ["compress", "run", "--help"], catch_exceptions=False).stdout.splitlines()
    for method in METHODS:
        assert any(line.strip().startswith((f"{method}(", f"{method},")) or f", {method} " in line for line in lines)
    assert not any("\\b" in line for line in lines)
