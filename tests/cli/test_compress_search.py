"""`streamrec compress search` and `report`, as somebody types them."""

from pathlib import Path

import msgspec
import orjson
import pytest
import torch
from click.testing import CliRunner, Result
from compression.search.finished import finished, taught
from compression.search.worlds import REQUEST
from rich.console import Console

from streamrec.__main__ import cli
from streamrec.cli.compress_search import Share
from streamrec.compression.search.best import check_best, write_best
from streamrec.compression.search.trial import Fidelity, Folder
from streamrec.compression.source import load_source
from streamrec.content.encoders import encoder_of
from streamrec.datasets.simulated.log import SimulatedLog
from streamrec.errors import ArtifactError, DataError, RecipeError
from streamrec.models.artifact import manifest_of
from streamrec.settings import Settings
from streamrec.training.teacher import Teacher
from streamrec.training.teacher_folder import read_manifest, save
from streamrec.training.threshold import Wanted


def typed(*arguments: str) -> Result:
    """After `streamrec compress`."""
    return CliRunner().invoke(cli, ["compress", *arguments])


@pytest.fixture
def teacher(tmp_path: Path) -> Path:
    """A teacher of the smallest kind that has learned nothing yet, so anything may replace it."""
    log = SimulatedLog(1, 250)
    torch.manual_seed(1)
    save(
        tmp_path / "teacher",
        Teacher(width=16, heads=2),
        log="simulated",
        test_from_ms=log.visits_from_ms + 30 * 3_600_000,
        seed=1,
        settings=Settings(),
        space_id=encoder_of("hashed").space_id,
        metrics={},
    )
    return tmp_path / "teacher"


@pytest.mark.slow
def test_a_search_and_its_report(tmp_path: Path, teacher: Path) -> None:
    """Trials, verdict, picture and page from a log and a teacher; the last line is JSON; nothing is overwritten."""
    out, student = tmp_path / "found", "student(width=16) > distil(alpha=0) > int8"
    data = ("--log", "simulated", "--users", "250", "--teacher", str(teacher))
    result = typed("search", *data, "--budget", "1s", "--max-loss", "20%", "--recipe", student, "--out", str(out))
    line = orjson.loads(result.stdout.splitlines()[-1])
    assert result.exit_code == 0
    assert line["best"]["recipe"] == student
    assert line["best"]["verdict"] == "pass"
    assert line["best"]["auc"] > line["teacher"]["auc"]
    assert load_source(out / "best").encoder == "hashed"
    won = manifest_of(out / "best").engine
    assert won is not None
    assert won.name == line["best"]["engine"]
    assert (out / "pareto.png").read_bytes().startswith(b"\x89PNG")

    page = tmp_path / "report.html"
    assert typed("report", str(out), "--out", str(page)).exit_code == 0
    assert student.replace(">", "&gt;") in page.read_text()

    suggested = ("run", student, *data, "--epochs", "1", "--out", str(tmp_path / "tried"), "--max-loss", "20%")
    alone, beside = (typed(*suggested, *more) for more in ((), ("--search", str(out))))
    assert [orjson.loads(ran.stdout.splitlines()[-1])["together"] for ran in (alone, beside)] == [1, 3]
    assert "if a search suggested it, --search" in alone.stdout
    assert "3 models together" in beside.stdout
    other = typed(*suggested, "--search", str(out), "--seed", "2")
    assert "what the search has judged are other impressions" in str(other.exception)

    again = typed("search", *data, "--out", str(out))
    assert isinstance(again.exception, DataError)
    assert "--resume goes on with it" in str(again.exception)


@pytest.mark.slow
def test_a_model_of_the_teachers_shape_is_met_only_if_asked_for(tmp_path: Path, teacher: Path) -> None:
    """It is written as weights, and a store says what they are."""
    out, data = tmp_path / "found", ("--log", "simulated", "--users", "250", "--teacher", str(teacher))
    result = typed("search", *data, "--budget", "1s", "--max-loss", "20%", "--recipe", "int8", "--out", str(out))
    line = orjson.loads(result.stdout.splitlines()[-1])
    assert (result.exit_code, line["met"], line["best"]["servable"]) == (0, True, False)
    assert "no worker serves" in result.stderr
    added = CliRunner().invoke(cli, ["model", "add", str(out / "best"), "--store", str(tmp_path / "models")])
    assert isinstance(added.exception, ArtifactError)
    assert "which no worker serves" in str(added.exception)


@pytest.mark.parametrize("best", [None, 0])
def test_a_best_of_an_earlier_search_does_not_stay(tmp_path: Path, teacher: Path, best: int | None) -> None:
    """Where nothing met the budget, or only what no worker can load, there is nothing to roll out."""
    manifest = read_manifest(teacher)
    passed = msgspec.structs.replace(
        finished().points[0], recipe="student(8) > distil(0) > int8", fidelity=Fidelity(1, 1.0)
    )
    of = taught()
    write_best(
        tmp_path, of, msgspec.structs.replace(finished(), points=[passed], best=0), manifest, Wanted(0.2), Console()
    )
    assert (tmp_path / "best" / "manifest.json").exists()
    (tmp_path / "best" / "signature.json").touch()  # signed where it lies
    check_best(tmp_path)
    reference = msgspec.structs.replace(finished().points[0], servable=False)
    outcome = msgspec.structs.replace(finished(), points=[reference], best=best)
    write_best(tmp_path, of, outcome, manifest, Wanted(0.2), Console())
    assert not (tmp_path / "best").exists()
    check_best(tmp_path)


def test_what_somebody_else_has_put_there_stays(tmp_path: Path) -> None:
    """It is refused before any work is done, and not removed after it."""
    (tmp_path / "best").mkdir()
    (tmp_path / "best" / "notes.txt").write_text("mine")
    result = typed("search", "--log", "simulated", "--out", str(tmp_path))
    assert isinstance(result.exception, DataError)
    assert "is not what a search has written there" in str(result.exception)
    assert (tmp_path / "best" / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("--resume",), DataError, "holds no search"),
        (("--recipe", "shrink(2)"), RecipeError, "method 'shrink' is unknown"),
        (("--log", "mind"), DataError, "needs the path of its data"),
    ],
)
def test_what_cannot_be_searched_is_said_at_once(
    tmp_path: Path, arguments: tuple[str, ...], error: type[Exception], message: str
) -> None:
    """Before a log is played or anything is trained."""
    result = typed("search", "--log", "simulated", "--out", str(tmp_path / "o"), *arguments)
    assert isinstance(result.exception, error)
    assert message in str(result.exception)
    assert not (tmp_path / "o").exists()


def test_no_time_is_refused(tmp_path: Path) -> None:
    """Before a teacher is trained."""
    result = typed("search", "--log", "simulated", "--out", str(tmp_path / "o"), "--budget", "0s")
    assert result.exit_code == 2
    assert "no time is not enough" in result.output


def test_half_of_everything_needs_a_sign(tmp_path: Path) -> None:
    """Who writes 0.5 means half a percent more often than half."""
    result = typed("search", "--log", "simulated", "--out", str(tmp_path / "o"), "--max-loss", "0.5")
    assert result.exit_code == 2
    assert "50.000% or 0.5%" in " ".join(result.output.split())


@pytest.mark.parametrize(("text", "share"), [(".5%", 0.005), ("0.005", 0.005), ("50%", 0.5), ("1%", 0.01), (".1", 0.1)])
def test_ways_to_write_a_share(text: str, share: float) -> None:
    """With and without the sign."""
    assert Share().convert(text, None, None) == share


@pytest.mark.parametrize("share", ["0", "100%", "half", "-1%", "2", "1.2.3", "."])
def test_a_loss_is_a_share(tmp_path: Path, share: str) -> None:
    """Between nothing and everything."""
    result = typed("search", "--log", "simulated", "--out", str(tmp_path / "o"), f"--max-loss={share}")
    assert result.exit_code == 2
    assert "is not a share" in result.output


@pytest.mark.parametrize(("begun", "cure"), [(True, "--resume goes on"), (False, "give the same command again")])
def test_ctrl_c_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun: bool, cure: str) -> None:
    """With the exit code of an interruption; before the first try there is nothing to go on with."""

    def interrupted(*_: object) -> None:
        if begun:
            Folder(tmp_path / "o", REQUEST, resume=False)
        raise KeyboardInterrupt

    monkeypatch.setattr("streamrec.training.log_source.Played.rows", interrupted)
    result = typed("search", "--log", "simulated", "--out", str(tmp_path / "o"))
    assert result.exit_code == 130
    assert cure in " ".join(result.output.split())


def test_a_folder_without_a_search_has_no_report(tmp_path: Path) -> None:
    """It says what it expected."""
    result = typed("report", str(tmp_path), "--out", str(tmp_path / "r.html"))
    assert isinstance(result.exception, DataError)
    assert "no search" in str(result.exception)
