"""A torch module and rows of one's own go the way of a teacher: recipe, verdict, ladder and a folder to take away."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
import torch
from click.testing import CliRunner
from torch import nn

from streamrec.__main__ import cli
from streamrec.compression.own.folder import ONNX
from streamrec.compression.own.model import built
from streamrec.compression.own.rows import Names, read
from streamrec.compression.store import FILE, load_model
from streamrec.errors import ArtifactError, DataError, RecipeError
from streamrec.models.artifact import MANIFEST, load

SLATE, READERS = 6, 150
COLUMNS = ["age_h", "likeness", "reads"]
MODEL = """
import torch
from torch import nn

class Ranker(nn.Module):
    columns = ["reads", "likeness", "age_h"]

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 1))

    def forward(self, x):
        return 2 * x[:, 1:2] - x[:, 2:] + 0.1 * self.layers(x)

def build():
    torch.manual_seed(1)
    return Ranker()

def build_probabilities():
    return nn.Sequential(nn.Linear(3, 1), nn.Sigmoid())

def build_nothing():
    return 7
"""


def written(home: Path, impressions: int = 600, form: str = "parquet") -> tuple[Path, str]:
    """Rows and the model's file; a reader clicks what is like them and fresh."""
    rng = np.random.default_rng(1)
    count = impressions * SLATE
    table = {name: rng.normal(size=count).astype(np.float32) for name in COLUMNS}
    chance = 1 / (1 + np.exp(-(2 * table["likeness"] - table["age_h"] - 1.5)))
    group = np.repeat(np.arange(impressions), SLATE)
    table |= {
        "clicked": (rng.random(count) < chance).astype(np.int8),
        "impression": np.array([f"i{number}" for number in group]),
        "who": np.array([f"u{number % READERS}" for number in group]),
    }
    path = home / f"rows.{form}"
    found = pa.table(table)
    pa.parquet.write_table(found, path) if form == "parquet" else pa.csv.write_csv(found, path)
    (home / "ranker.py").write_text(MODEL)
    return path, f"{home / 'ranker.py'}:build"


def run(recipe: str, home: Path, *more: str) -> dict[str, object]:
    """The last line; what is written lies in `small`."""
    rows, model = written(home)
    command = ["compress", "run", recipe, str(rows), "--model", model, "--reader", "who", "--out", str(home / "small")]
    done = CliRunner().invoke(cli, [*command, "--epochs", "1", *more], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    told: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_a_student_leaves_as_a_file_that_other_programs_run(tmp_path: Path) -> None:
    """By the columns that its manifest names, in their order; judged beside what applies of the ladder."""
    told = run("student(8) > distil(alpha=1) > int8", tmp_path)
    manifest = json.loads((tmp_path / "small" / MANIFEST).read_bytes())
    assert manifest["columns"] == ["reads", "likeness", "age_h"]
    assert 100 <= manifest["verdict"]["users"] <= READERS
    assert told["verdict"]["auc"] == manifest["verdict"]["outcome"]  # type: ignore[index]
    rungs = told["ladder"]
    assert isinstance(rungs, dict)
    assert {"random", "logistic regression", "teacher"} <= rungs.keys()
    assert not {"popularity", "mean cosine"} & rungs.keys()
    assert "best single feature: likeness" in rungs
    x = np.random.default_rng(2).normal(size=(5, 3)).astype(np.float32)
    session = onnxruntime.InferenceSession(tmp_path / "small" / ONNX, providers=["CPUExecutionProvider"])
    p_click, logit = session.run(["p_click", "logit"], {"features": x})
    student = load_model(tmp_path / "small" / FILE, nn.Identity())
    np.testing.assert_allclose(student(torch.from_numpy(x)).numpy(), logit, atol=1e-5)
    assert ((p_click > 0) & (p_click < 1)).all()
    with pytest.raises(ArtifactError, match="format is"):
        load(tmp_path / "small")


@pytest.mark.parametrize(
    "recipe", ["lowrank(.5) > qat", "prune(gradient,.5) > int8", "neurons(magnitude,.5) > fp16", "variational"]
)
def test_what_keeps_its_shape_goes_back_into_the_module(tmp_path: Path, recipe: str) -> None:
    """The file gives the measured weights back to whatever `build` makes, also where layers became smaller."""
    told = run(recipe, tmp_path)
    assert told["verdict"]
    assert not (tmp_path / "small" / ONNX).exists()
    model = load_model(tmp_path / "small" / FILE, built(f"{tmp_path / 'ranker.py'}:build"))
    assert model(torch.zeros(4, 3)).shape == (4, 1)
    assert told["size"]["file_bytes"] == (tmp_path / "small" / FILE).stat().st_size  # type: ignore[index]


def test_csv_and_parquet_are_the_same_rows(tmp_path: Path) -> None:
    """In the order that is asked for, impressions whole, text columns as groups."""
    names = Names(reader="who")
    found = [read([written(tmp_path, 30, form)[0]], names, ["likeness", "age_h"]) for form in ("parquet", "csv")]
    (chosen, one), (_, other) = found
    assert chosen == ["likeness", "age_h"]
    np.testing.assert_allclose(one.x, other.x, rtol=1e-6)
    for name in ("clicked", "impression", "user", "at_ms"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert read([written(tmp_path, 30)[0]], names, None)[0] == COLUMNS


def test_rows_stand_in_order_of_time(tmp_path: Path) -> None:
    """Of their impression's first row, as numbers and not as text: 10 comes after 9."""
    table = {
        "clicked": ["False", "true", "True", "false", "false", "true"],
        "impression": ["b", "b", "a", "a", "c", "c"],
        "at": ["10", "11", "9", "30", "100", "100"],
        "f": [1.0, 2, 3, 4, 5, 6],
    }
    for form in ("parquet", "csv"):
        path = tmp_path / f"rows.{form}"
        found = pa.table(table)
        pa.parquet.write_table(found, path) if form == "parquet" else pa.csv.write_csv(found, path)
        _, rows = read([path], Names(time="at"), None)
        assert rows.x[:, 0].tolist() == [3, 4, 1, 2, 5, 6]
        assert rows.clicked.tolist() == [True, False, False, True, False, True]
        assert (np.diff(rows.at_ms) >= 0).all()
        assert all(len(set(rows.at_ms[rows.impression == group])) == 1 for group in set(rows.impression.tolist()))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"f": ["x", "2"]}, "column f is not of numbers"),
        ({"f": [None, 2.0]}, "column f holds nothing, NaN or infinity in row 1"),
        ({"clicked": ["true", "maybe"]}, "column clicked holds something else than 0 and 1"),
        ({"clicked": [2, 0]}, "column clicked holds something else than 0 and 1"),
    ],
)
def test_rows_that_are_none_are_refused(tmp_path: Path, change: dict[str, list[object]], message: str) -> None:
    """By the name of their column."""
    table = {"clicked": [0, 1], "impression": [1, 1], "f": [1.0, 2.0]} | change
    pa.parquet.write_table(pa.table(table), tmp_path / "rows.parquet")
    with pytest.raises(DataError, match=message):
        read([tmp_path / "rows.parquet"], Names(), None)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("ranker.py", r"expected FILE.py:FUNCTION"),
        ("nowhere.py:build", r"expected FILE.py:FUNCTION"),
        ("ranker.py:absent", "has no function 'absent'"),
        ("ranker.py:build_nothing", "gives a int; expected a torch.nn.Module"),
    ],
)
def test_a_model_that_is_none_is_refused(tmp_path: Path, model: str, message: str) -> None:
    """Before rows are read."""
    written(tmp_path, 30)
    with pytest.raises(DataError, match=message):
        built(str(tmp_path / model))


def test_what_does_not_apply_is_refused(tmp_path: Path) -> None:
    """What wants a worker's vectors, and options of another kind of run."""
    rows, model = written(tmp_path, 30)
    options = [str(rows), "--model", model, "--out", str(tmp_path / "small")]
    for recipe in ("users(sq8)", "student(8,vector=16) > distil"):
        with pytest.raises(RecipeError, match="rows of one's own hold no vectors"):
            CliRunner().invoke(cli, ["compress", "run", recipe, *options], catch_exceptions=False)
    for more in (["--log", "simulated"], ["--test-from", "2026-01-01"]):
        assert CliRunner().invoke(cli, ["compress", "run", "int8", *options, *more]).exit_code == 2
    assert CliRunner().invoke(cli, ["compress", "run", "int8", "--out", str(tmp_path / "x")]).exit_code == 2
    assert not (tmp_path / "small").exists()
