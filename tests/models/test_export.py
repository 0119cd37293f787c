"""The exported file: other software gets the ranker's scores from the same JSON, and reads the contract in it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from click.testing import CliRunner
from trained import publish_small

from streamrec import onnx_models
from streamrec.__main__ import cli
from streamrec.arrays import FloatArray
from streamrec.content.encoder import HashedEncoder
from streamrec.engine.features.features import FEATURES
from streamrec.engine.features.fingerprint import fingerprint
from streamrec.engine.predictor import COLUMN_NAMES, COLUMNS
from streamrec.errors import ArtifactError
from streamrec.models.artifact import load
from streamrec.models.export import export as write
from streamrec.models.ranker import Ranker, load_ranker
from streamrec.onnx_models import OPSET

PRECISIONS = ("fp32", "int8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small artifact."""
    path = tmp_path_factory.mktemp("model") / "small"
    publish_small(path, 1)
    return path


def export(folder: Path, precision: str) -> tuple[Path, dict[str, Any]]:
    """Through the command: the file and what its last line says."""
    file = folder.with_suffix(f".{precision}.onnx")
    flags = ["--int8"] if precision == "int8" else []
    arguments = ["model", "export", "--onnx", str(file), *flags, str(folder)]
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return file, json.loads(result.output.splitlines()[-1])


def session(file: Path) -> Any:
    """As a program without this one would load it."""
    return onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])


def ranker(folder: Path, engine: Any) -> Ranker:
    """The same artifact in a worker."""
    return load_ranker(folder, engine, HashedEncoder().space_id, fingerprint())


@pytest.fixture
def records() -> str:
    """What an app would send: candidates as JSON objects of named features."""
    rows = np.random.default_rng(3).normal(size=(40, COLUMNS)).astype(np.float32)
    return json.dumps([dict(zip(COLUMN_NAMES, map(float, row), strict=True)) for row in rows])


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_same_json_gives_the_same_scores(folder: Path, records: str, precision: str) -> None:
    """Names from the file's metadata, values from JSON: P(click) is the worker's own up to float rounding."""
    file, _ = export(folder, precision)
    loaded = session(file)
    names = json.loads(loaded.get_modelmeta().custom_metadata_map["features"])
    features: FloatArray = np.array([[record[name] for name in names] for record in json.loads(records)], np.float32)
    p_click, logit = loaded.run(["p_click", "logit"], {"features": features})
    served = ranker(folder, f"ort_{precision}")
    np.testing.assert_allclose(p_click, served.probability(features), atol=1e-6)
    np.testing.assert_array_equal(logit, served.admission.engine.logits(features))
    for row in (0, 17):
        np.testing.assert_array_equal(loaded.run(["p_click"], {"features": features[row : row + 1]})[0], p_click[row])
    reference = ranker(folder, "torch_fp32").probability(features)
    np.testing.assert_allclose(p_click, reference, atol=1e-6 if precision == "fp32" else 0.03)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_contract_stands_in_the_file(folder: Path, precision: str) -> None:
    """Whoever has only the file knows what to feed it, whose vectors, and which model it is."""
    file, said = export(folder, precision)
    told = session(file).get_modelmeta().custom_metadata_map
    manifest = ranker(folder, "fp32").manifest
    assert json.loads(told["features"])[64:] == [function.__name__ for function in FEATURES]
    assert len(json.loads(told["features"])) == COLUMNS
    assert (told["space_id"], told["feature_fingerprint"]) == (manifest.space_id, manifest.feature_fingerprint)
    assert (told["name"], told["version"], told["precision"]) == (manifest.name, manifest.version, precision)
    assert json.loads(told["calibration"]) == {"a": manifest.calibration.a, "b": manifest.calibration.b}
    assert float(told["min_score"]) == manifest.min_score
    assert said["bytes"] == file.stat().st_size
    assert said["version"] == manifest.version


@pytest.mark.parametrize("precision", PRECISIONS)
def test_any_runtime_can_read_it(folder: Path, precision: str) -> None:
    """Standard operators of one opset, checked, and nothing of one vendor's."""
    model = onnx.load(export(folder, precision)[0])
    onnx.checker.check_model(model, full_check=True)
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", OPSET)]
    assert {node.domain for node in model.graph.node} == {""}


def test_int8_is_smaller(folder: Path) -> None:
    """Weights are stored as bytes: what is left above a quarter are scales, names and the contract."""
    sizes = {precision: export(folder, precision)[1]["bytes"] for precision in PRECISIONS}
    rest = 6000
    assert sizes["int8"] < sizes["fp32"] / 4 + rest


def test_what_disagrees_with_the_record_is_not_written(folder: Path, tmp_path: Path) -> None:
    """A file that gives other scores than were recorded never leaves the program."""
    artifact = load(folder, expected_space_id=HashedEncoder().space_id, expected_fingerprint=fingerprint())
    probe = replace(artifact.probe, logits=artifact.probe.logits + 1, tolerance=0.01)
    for int8 in (True, False):
        with pytest.raises(ArtifactError, match=r"in P\(click\) from what was recorded, expected at most"):
            write(replace(artifact, probe=probe), tmp_path / "wrong.onnx", int8=int8)
    loose = replace(artifact.probe, logits=artifact.probe.logits + 1, tolerance=1.0)
    with pytest.raises(ArtifactError, match=r"expected at most 0\.0500"):
        write(replace(artifact, probe=loose), tmp_path / "wrong.onnx", int8=True)
    assert not (tmp_path / "wrong.onnx").exists()


def test_a_missing_extra_and_a_bad_path_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One readable error each, with the cure."""
    arguments = ["model", "export", "--onnx", str(folder / "no" / "such.onnx"), str(folder)]
    with pytest.raises(ArtifactError, match=r"such.onnx: cannot be written \(No such file"):
        CliRunner().invoke(cli, arguments, catch_exceptions=False)
    monkeypatch.setattr(onnx_models, "EXTRA", ("no_such_package",))
    with pytest.raises(ArtifactError, match=r"no_such_package not installed: pip install 'streamrec\[onnx\]'"):
        CliRunner().invoke(cli, arguments, catch_exceptions=False)
