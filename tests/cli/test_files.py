"""A folder in our own contract, from the command that writes one to a compressed ranker."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from streamrec.__main__ import cli
from streamrec.content.encoder import HashedEncoder
from streamrec.engine.features.fingerprint import fingerprint
from streamrec.errors import DataError
from streamrec.models.artifact import load


def run(*arguments: object) -> Result:
    """A command; errors of ours stay in `exception`, where `main` would show them and exit with 2."""
    return CliRunner().invoke(cli, list(map(str, arguments)))


def last_line(result: Result) -> dict[str, object]:
    """Its JSON."""
    assert result.exit_code == 0, (result.output, result.exception)
    found: dict[str, object] = json.loads(result.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An example."""
    out = tmp_path_factory.mktemp("files") / "example"
    done = run("simulate", "--out", out, "--users", 300, "--hours", 40)
    assert done.exit_code == 0, done.output
    return out


def test_an_example_is_whole_and_the_same_each_time(folder: Path, tmp_path: Path) -> None:
    """No line of it is refused; the same seed gives the same bytes; what is there is not overwritten."""
    assert run("simulate", "--out", tmp_path, "--users", 300, "--hours", 40).exit_code == 0
    for name in ("articles.jsonl", "events.jsonl"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
    again = run("simulate", "--out", tmp_path)
    assert isinstance(again.exception, DataError)
    assert "articles.jsonl cannot be written (File exists)" in str(again.exception)
    for wrong in (("--out", tmp_path, "--seconds", 3), ("--hours", 3)):
        assert run("simulate", *wrong).exit_code == 2
    replayed = run("replay", "files", folder, "--no-broker", "--limit", 500)
    assert "not read" not in replayed.stderr
    assert last_line(replayed)["dead_letters"] == 0


@pytest.mark.slow
def test_a_teacher_is_trained_and_compressed(folder: Path, tmp_path: Path) -> None:
    """The folder of the result loads as a worker loads it, and remembers the log."""
    options = ("--epochs", 1)
    trained = last_line(run("train", "files", folder, "--teacher", "--out", tmp_path / "teacher", *options))
    assert (trained["log"], trained["model"]) == ("files", "teacher")
    recipe = "student(8,1,16) > distil(0) > int8"
    source = ("--log", "files", "--teacher", tmp_path / "teacher")
    compressed = last_line(run("compress", "run", recipe, folder, *source, "--out", tmp_path / "small", *options))
    assert compressed["tested_on"] == trained["tested_on"]
    artifact = load(tmp_path / "small", expected_space_id=HashedEncoder().space_id, expected_fingerprint=fingerprint())
    assert (artifact.manifest.version, artifact.manifest.log) == (compressed["version"], "files")
    without = run("compress", "run", recipe, *source, "--out", tmp_path / "other")
    assert "`files` needs the path of its data" in str(without.exception)


@pytest.mark.parametrize("share", [0.005, 0.02])
def test_what_is_lost_is_said_and_more_than_a_hundredth_is_an_error(folder: Path, tmp_path: Path, share: float) -> None:
    """Each of the commands that read logs, with the count and the first line."""
    lines = (folder / "events.jsonl").read_text().splitlines()
    bad = round(share * len(lines))
    (tmp_path / "events.jsonl").write_text("\n".join(['{"user_id": "u"}'] * bad + lines[bad:]))
    (tmp_path / "articles.jsonl").write_bytes((folder / "articles.jsonl").read_bytes())
    done = run("replay", "files", tmp_path, "--no-broker", "--limit", 300)
    said = f"events: {bad} of {len(lines):,} rows not read: invalid, action: required ({bad}, first in line 1)"
    assert said in done.stderr
    assert isinstance(done.exception, DataError) is (share > 0.01), done.exception
    allowed = ("--no-broker", "--limit", 300, "--allow-rejected", "2.1%")
    assert run("replay", "files", tmp_path, *allowed).exit_code == 0


@pytest.mark.parametrize("command", ["train", "replay", "compress"])
def test_ids_that_hardly_meet_are_an_error_that_shows_both_forms(folder: Path, tmp_path: Path, command: str) -> None:
    """A model of them would have learned on empty profiles."""
    text = (folder / "articles.jsonl").read_text()
    (tmp_path / "articles.jsonl").write_text(text.replace('"article_id":"a', '"article_id":"urn:A'))
    (tmp_path / "events.jsonl").write_bytes((folder / "events.jsonl").read_bytes())
    arguments = {
        "train": ("train", "files", tmp_path, "--out", tmp_path / "model"),
        "replay": ("replay", "files", tmp_path, "--no-broker"),
        "compress": ("compress", "search", tmp_path, "--log", "files", "--out", tmp_path / "found", "--budget", "1m"),
    }
    done = run(*arguments[command])
    assert isinstance(done.exception, DataError), (done.output, done.exception)
    assert "ids like a######, articles have ids like urn:A######" in str(done.exception)
