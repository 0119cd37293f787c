"""A model folder is loaded whole and unchanged, or refused with the file, the facts and the cure."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from models.saved import FEATURES_HASH, SPACE, publish_fitted
from safetensors.numpy import load_file
from safetensors.numpy import save as bytes_of

from streamrec.arrays import FloatArray
from streamrec.engine.predictor import COLUMNS, Arrays
from streamrec.errors import ArtifactError
from streamrec.models.artifact import PROBE, Artifact, Probe, load, save
from streamrec.models.calibration import Calibration
from streamrec.models.manifest import Interval, decode, encode
from streamrec.training.fit import Fitted


def opened(folder: Path) -> Artifact:
    """Load with the expectations the fixture was saved for."""
    return load(folder, expected_space_id=SPACE, expected_fingerprint=FEATURES_HASH)


def resave(folder: Path, weights: Arrays, **changes: object) -> None:
    """Save the folder's content again with other weights or fields."""
    old = opened(folder)
    given: dict[str, object] = {
        "name": old.manifest.name,
        "space_id": SPACE,
        "encoder": "hashed",
        "fingerprint": FEATURES_HASH,
        "sizes": old.manifest.sizes,
        "calibration": old.manifest.calibration,
        "min_score": 0.2,
        "metrics": old.manifest.metrics,
        "probe": old.probe,
        "created_at": "2026-01-05T09:00:00Z",
    }
    save(folder, weights=weights, **(given | changes))  # type: ignore[arg-type]


def test_what_was_saved_is_loaded(artifact: Artifact, fitted: Fitted) -> None:
    """Weights to the last bit, calibration, metrics and 256 probe rows come back."""
    for name, array in fitted.network.arrays().items():
        np.testing.assert_array_equal(artifact.weights[name], array)
    assert artifact.manifest.calibration == fitted.calibration
    assert artifact.manifest.metrics == fitted.metrics
    assert artifact.probe.rows.shape == (256, COLUMNS)
    assert 0 < artifact.probe.tolerance <= 0.05


@pytest.mark.parametrize("value", [0.5, 1 / 3, 1e6])
def test_recorded_rows_come_back_to_the_bit(folder: Path, fitted: Fitted, value: float) -> None:
    """In half the bytes where float16 holds them, as those of a training; any others as they are."""
    size = (folder / PROBE).stat().st_size
    assert 2 * 256 * COLUMNS < size < 2.1 * 256 * COLUMNS
    probe = replace(opened(folder).probe, rows=np.full((4, COLUMNS), value, np.float32), logits=np.zeros(4, np.float32))
    resave(folder, fitted.network.arrays(), probe=probe)
    rows = opened(folder).probe.rows
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows, probe.rows)


def test_the_version_is_the_content(tmp_path: Path, fitted: Fitted, rows: FloatArray) -> None:
    """The same training saved on another day has the same version; another threshold has another."""

    def version(number: int, min_score: float) -> str:
        return publish_fitted(tmp_path / str(number), fitted, rows, min_score, f"2026-01-0{number}").version

    assert version(1, 0.2) == version(2, 0.2) != version(3, 0.3)


def test_a_manifest_of_an_earlier_release_is_read(artifact: Artifact) -> None:
    """It has no field for what was learned from, and its version was sealed without."""
    raw = encode(artifact.manifest)
    assert b"test_from_ms" not in raw
    assert decode(raw, "manifest.json") == artifact.manifest
    told = msgspec.structs.replace(artifact.manifest, log="mind", test_from_ms=5).sealed()
    assert told.version != artifact.manifest.version
    assert decode(encode(told), "manifest.json") == told


@pytest.mark.parametrize("name", ["manifest.json", "ranker.safetensors", "probe.safetensors"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    """Which file, and where to look."""
    (folder / name).unlink()
    with pytest.raises(ArtifactError, match=rf"{name}: cannot be read.*STREAMREC_MODEL_DIR"):
        opened(folder)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """A wrong path reads like one."""
    with pytest.raises(ArtifactError, match=r"nowhere/manifest.json: cannot be read \(No such file"):
        opened(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["ranker.safetensors", "probe.safetensors"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[: len(raw) // 2],
        lambda raw: raw[:0],
        lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]),
        lambda raw: raw + b"\0",
    ],
    ids=["truncated", "empty", "one bit", "one byte more"],
)
def test_a_changed_file_is_refused(folder: Path, name: str, damage: Callable[[bytes], bytes]) -> None:
    """One bit is enough; the message gives both hashes and the cure."""
    path = folder / name
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ArtifactError, match=rf"{name}: sha256 is [0-9a-f]{{12}}, expected [0-9a-f]{{12}}.*copy the"):
        opened(folder)


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff\xfe", b'{"format": 2}', b"null", b'{"x":' + b"[" * 5000])
def test_a_broken_manifest_is_refused(folder: Path, raw: bytes) -> None:
    """Whatever stands in the file, the answer is one readable error."""
    (folder / "manifest.json").write_bytes(raw)
    with pytest.raises(ArtifactError, match=r"manifest.json: not a manifest"):
        opened(folder)


@pytest.mark.parametrize("found", ["1", "3", '"2"', "null"])
def test_another_format_is_refused_first(folder: Path, found: str) -> None:
    """A manifest of an earlier or later release need not be readable otherwise."""
    (folder / "manifest.json").write_text(f'{{"format": {found}, "layers": "by then different"}}')
    with pytest.raises(ArtifactError, match=r"format is .* expected 2; train the model again"):
        opened(folder)


@pytest.mark.parametrize("field", ["min_score", "int8_tolerance", "name", "space_id", "encoder", "recipe"])
def test_an_edited_manifest_is_refused(folder: Path, field: str) -> None:
    """The version seals every field a decision depends on."""
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    content[field] = "x" if isinstance(content[field], str) else 0.9
    path.write_text(json.dumps(content))
    with pytest.raises(ArtifactError, match="edited after it was saved"):
        opened(folder)


def test_another_space_is_refused(folder: Path) -> None:
    """Vectors of two encoders never meet."""
    with pytest.raises(ArtifactError, match=r"space_id is 'hashed64-test', expected 'other-space'"):
        load(folder, expected_space_id="other-space", expected_fingerprint=FEATURES_HASH)


def test_other_features_are_refused(folder: Path) -> None:
    """A model trained on other features would read the wrong columns."""
    with pytest.raises(ArtifactError, match=r"feature_fingerprint is 'feedc0ffee00', expected '0123'"):
        load(folder, expected_space_id=SPACE, expected_fingerprint="0123")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_not_saved(folder: Path, fitted: Fitted, bad: float) -> None:
    """A diverged training stops at the save, and the old folder stays."""
    before = opened(folder).manifest
    weights = fitted.network.arrays()
    weights["stages.0.weight"][3, 3] = bad
    with pytest.raises(ArtifactError, match=r"'stages.0.weight' holds NaN or infinity"):
        resave(folder, weights)
    assert opened(folder).manifest == before


def test_weights_that_are_no_numbers_are_not_loaded(folder: Path) -> None:
    """Even under a valid seal."""
    weights = load_file(folder / "ranker.safetensors")
    weights["stages.2.bias"][0] = np.nan
    _seal(folder, {"ranker.safetensors": bytes_of(weights)})
    with pytest.raises(ArtifactError, match=r"'stages.2.bias' holds NaN"):
        opened(folder)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("columns", 5, f"columns are .* expected ascending, 0 to {COLUMNS - 1}"),
        ("columns", 200, "expected ascending"),
        ("low", 0.5, "expected low <= 0 < high"),
        ("high", 0, "expected low <= 0 < high"),
        ("std", 0, "'std' holds 0, expected more than 0"),
    ],
)
def test_ranges_nothing_can_be_computed_in_are_refused(
    folder: Path, fitted: Fitted, name: str, value: float, message: str
) -> None:
    """A column read twice, a stage without a range or a division by zero never reaches an engine."""
    weights = fitted.network.arrays()
    weights[name][-1] = value
    with pytest.raises(ArtifactError, match=message):
        resave(folder, weights)


def test_layers_of_another_size_are_not_loaded(folder: Path) -> None:
    """Sizes and tensors must agree before torch sees them."""
    weights = load_file(folder / "ranker.safetensors")
    weights["stages.2.bias"] = np.zeros(2, np.float32)
    _seal(folder, {"ranker.safetensors": bytes_of(weights)})
    with pytest.raises(ArtifactError, match=r"'stages.2.bias' is \(2,\), expected \(1,\)"):
        opened(folder)


def test_a_sealed_file_of_another_kind_is_refused(folder: Path) -> None:
    """Never unpickled: a file that is no safetensors is an error."""
    _seal(folder, {"ranker.safetensors": b"\x80\x04pickle"})
    with pytest.raises(ArtifactError, match="not a safetensors file"):
        opened(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"calibration": Calibration(-1.0, 0.0)}, "expected a > 0"),
        ({"calibration": Calibration(float("nan"), 0.0)}, "not a manifest"),
        ({"min_score": 1.5}, "min_score is 1.5"),
        ({"metrics": {"auc": Interval(float("nan"), 0, 1)}}, "not a manifest"),
    ],
)
def test_what_could_not_be_loaded_is_not_saved(
    folder: Path, fitted: Fitted, change: dict[str, object], message: str
) -> None:
    """Impossible numbers stop at the save."""
    with pytest.raises(ArtifactError, match=message):
        resave(folder, fitted.network.arrays(), **change)
    assert opened(folder).manifest.min_score == 0.2


def test_saving_replaces_a_model_and_nothing_else(folder: Path, fitted: Fitted, tmp_path: Path) -> None:
    """A folder that is no model is not overwritten, and no scratch folder is left behind."""
    resave(folder, fitted.network.arrays(), min_score=0.3)
    assert opened(folder).manifest.min_score == 0.3
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    other = tmp_path / "photos"
    other.mkdir()
    (other / "cat.jpg").touch()
    probe = Probe(np.zeros((1, COLUMNS), np.float32), np.zeros(1, np.float32), 0.01)
    with pytest.raises(ArtifactError, match=r"photos: exists and is no model folder"):
        save(
            other,
            name="n",
            space_id=SPACE,
            encoder="hashed",
            fingerprint="f",
            sizes=fitted.network.sizes,
            weights=fitted.network.arrays(),
            calibration=Calibration(),
            min_score=0.1,
            metrics={},
            probe=probe,
            created_at="",
        )
    assert (other / "cat.jpg").exists()


def test_loading_needs_no_torch() -> None:
    """Commands that only read a manifest start fast."""
    code = "import sys, streamrec.models.artifact, streamrec.models.prior; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _seal(folder: Path, files: dict[str, bytes]) -> None:
    """Write files and a manifest that vouches for them, as a careless tool could."""
    import hashlib

    import msgspec

    path = folder / "manifest.json"
    manifest = decode(path.read_bytes(), str(path))
    for name, raw in files.items():
        (folder / name).write_bytes(raw)
        hashes = {**manifest.files, name: hashlib.sha256(raw).hexdigest()}
        manifest = msgspec.structs.replace(manifest, files=hashes).sealed()
    path.write_bytes(encode(manifest))
