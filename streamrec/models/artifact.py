"""The model artifact: a folder that can be trusted or refused before anything of it runs. Free of torch and of pickle.

    ranker.safetensors   weights, float32, and `columns`, int64; compressed ones packed (packed_tensors.py)
    probe.safetensors    rows (K, COLUMNS), in float16 where that holds them, and the fp32 logits (K,) recorded for them
    manifest.json        manifest.py

`save` writes a new folder beside the target and renames it; a reader never sees half of one. `load` checks existence,
hashes, format, version, vector space, features and numbers, and raises ArtifactError with the file, what was expected
and what came, and the cure.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as tensors_of
from safetensors.numpy import save as bytes_of

from ..arrays import FloatArray
from ..engine.predictor import COLUMNS, Arrays
from ..errors import ArtifactError
from .calibration import Calibration
from .manifest import COPY_AGAIN, FORMAT, RETRAIN, ChosenEngine, Interval, Manifest, decode, encode
from .packed_tensors import is_packed, unpacked
from .signature import check as check_signature

MANIFEST, WEIGHTS, PROBE = "manifest.json", "ranker.safetensors", "probe.safetensors"


@dataclass(frozen=True)
class Probe:
    """Rows recorded at training, what fp32 said of them, and how far int8 may be from that."""

    rows: FloatArray  # (K, COLUMNS)
    logits: FloatArray  # (K,)
    tolerance: float  # probability


@dataclass(frozen=True)
class Artifact:
    """The content of an artifact folder that passed every check: manifest, weights and recorded rows."""

    manifest: Manifest
    weights: Arrays
    probe: Probe


def save(
    folder: Path,
    *,
    name: str,
    space_id: str,
    encoder: str,
    fingerprint: str,
    sizes: tuple[int, ...],
    weights: Arrays,
    calibration: Calibration,
    min_score: float,
    metrics: Mapping[str, Interval],
    probe: Probe,
    created_at: str,
    recipe: str = "",
    log: str = "",
    test_from_ms: int | None = None,
    half_life_h: float | None = None,
    packed: bytes | None = None,
    choose: Callable[[Artifact], ChosenEngine | None] = lambda _: None,
) -> Manifest:
    """Write the folder, replacing one of that name; ArtifactError for numbers that must never be served.

    `packed` is written instead of `weights`, and must hold the same. `choose` says which engine is recorded.
    """
    path, raw = str(folder / WEIGHTS), bytes_of(dict(weights)) if packed is None else packed
    _check_weights(weights if packed is None else unpacked(packed, path)[1], sizes, path)
    with np.errstate(over="ignore"):
        small = probe.rows.astype(np.float16)
    rows = small if np.array_equal(small, probe.rows) else probe.rows
    files = {WEIGHTS: raw, PROBE: bytes_of({"rows": rows, "logits": probe.logits})}
    manifest = Manifest(
        format=FORMAT,
        name=name,
        version="",
        space_id=space_id,
        encoder=encoder,
        feature_fingerprint=fingerprint,
        sizes=sizes,
        recipe=recipe,
        calibration=calibration,
        min_score=min_score,
        metrics=dict(metrics),
        int8_tolerance=probe.tolerance,
        files={name: hashlib.sha256(raw).hexdigest() for name, raw in files.items()},
        created_at=created_at,
        log=log,
        test_from_ms=test_from_ms,
        half_life_h=None if half_life_h is None else float(half_life_h),  # as it is read back
        file_bytes={name: len(raw) for name, raw in files.items()},
    ).sealed()
    manifest = msgspec.structs.replace(manifest, engine=choose(Artifact(manifest, weights, probe)))
    files[MANIFEST] = encode(manifest)
    decode(files[MANIFEST], str(folder / MANIFEST))  # what cannot be loaded is not saved
    replace_folder(folder, files)
    return manifest


def manifest_of(folder: Path) -> Manifest:
    """What an artifact folder says of itself; the other files are not read."""
    return decode(_read(folder / MANIFEST), str(folder / MANIFEST))


def load(
    folder: Path,
    *,
    expected_space_id: str | None = None,
    expected_fingerprint: str | None = None,
    public_keys: Path | None = None,
) -> Artifact:
    """Read and check the folder; ArtifactError names the first thing that is wrong with it.

    Space and features are those it says, unless others are expected. With `public_keys` an unsigned or wrongly signed
    folder is refused before anything else of it is believed.
    """
    raw = _read(folder / MANIFEST)
    if public_keys is not None:
        check_signature(folder, raw, public_keys)
    manifest = decode(raw, str(folder / MANIFEST))
    if expected_space_id not in {None, manifest.space_id}:
        raise ArtifactError(
            f"{folder / MANIFEST}: space_id is {manifest.space_id!r}, expected {expected_space_id!r};"
            " the model was trained on another encoder's vectors: train it on this one's, or move the readers to its"
            " space with `streamrec migrate`"
        )
    if expected_fingerprint not in {None, manifest.feature_fingerprint}:
        raise ArtifactError(
            f"{folder / MANIFEST}: feature_fingerprint is {manifest.feature_fingerprint!r}, expected"
            f" {expected_fingerprint!r}; the features have changed since: {RETRAIN} (where the release's vectors have"
            " changed as well, `streamrec migrate` takes the readers along)"
        )
    weights = tensors_in(_read(folder / WEIGHTS), folder / WEIGHTS, manifest.files, RETRAIN)
    _check_weights(weights, manifest.sizes, str(folder / WEIGHTS))
    recorded = dict(tensors_in(_read(folder / PROBE), folder / PROBE, manifest.files, RETRAIN))
    if "rows" in recorded and recorded["rows"].dtype == np.float16:
        recorded["rows"] = recorded["rows"].astype(np.float32)
    rows, logits = recorded.get("rows"), recorded.get("logits")
    if rows is None or logits is None or rows.shape != (len(logits), COLUMNS) or not len(logits):
        raise ArtifactError(f"{folder / PROBE}: expected rows (K, {COLUMNS}) and logits (K,), K > 0; {RETRAIN}")
    check_finite(recorded, str(folder / PROBE))
    return Artifact(manifest, weights, Probe(rows, logits, manifest.int8_tolerance))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        if path.name == MANIFEST and [each.name for each in path.parent.glob("*")] == ["compressed.safetensors"]:
            raise ArtifactError(
                f"{path.parent} holds the weights of a compressed model only: it has the teacher's shape, which no"
                " worker serves; expected one of a recipe that begins with a student, like"
                ' "student(64) > distil > int8"'
            ) from None
        raise ArtifactError(
            f"{path}: cannot be read ({error.strerror}); expected a model folder holding {MANIFEST}, {WEIGHTS} and"
            f" {PROBE}: check STREAMREC_MODEL_DIR, or {COPY_AGAIN}"
        ) from None


def tensors_in(raw: bytes, path: Path, files: Mapping[str, str], cure: str) -> Arrays:
    """What a file of a model folder holds, checked against its SHA-256 in the manifest; else ArtifactError."""
    expected, got = files.get(path.name, "none"), hashlib.sha256(raw).hexdigest()
    if got != expected:
        raise ArtifactError(
            f"{path}: sha256 is {got[:12]}, expected {expected[:12]}; truncated or altered: {COPY_AGAIN}"
        )
    try:
        tensors: Arrays = tensors_of(raw)
    except SafetensorError as error:
        raise ArtifactError(f"{path}: not a safetensors file ({error}); {cure}") from None
    return unpacked(raw, str(path))[1] if is_packed(raw) else tensors


def _check_weights(weights: Arrays, sizes: tuple[int, ...], path: str) -> None:
    _check_shapes(weights, sizes, path)
    check_finite(weights, path)
    _check_ranges(weights, path)


def _check_shapes(weights: Arrays, sizes: tuple[int, ...], path: str) -> None:
    last = len(sizes) - 2
    expected: dict[str, tuple[int, ...]] = {"columns": sizes[:1], "mean": sizes[:1], "std": sizes[:1]}
    expected |= {"low": (last,), "high": (last,)}
    for number in range(last + 1):
        shape = (sizes[number + 1], sizes[number])
        expected |= {f"stages.{number}.weight": shape, f"stages.{number}.bias": shape[:1]}
    check_shapes(weights, expected, path, RETRAIN)


def check_shapes(weights: Arrays, expected: Mapping[str, tuple[int, ...]], path: str, cure: str) -> None:
    """Exactly these tensors in these shapes; else ArtifactError."""
    for name in sorted(expected.keys() | weights.keys()):
        got = weights[name].shape if name in weights else "missing"
        if got != expected.get(name):
            raise ArtifactError(f"{path}: tensor {name!r} is {got}, expected {expected.get(name, 'none')}; {cure}")


def _check_ranges(weights: Arrays, path: str) -> None:
    """What no shape can say: which columns are read, and that every stage has a range with zero in it."""
    columns, low, high = weights["columns"], weights["low"], weights["high"]
    if (np.diff(columns) < 1).any() or columns[0] < 0 or columns[-1] >= COLUMNS:
        raise ArtifactError(
            f"{path}: columns are {columns.tolist()}, expected ascending, 0 to {COLUMNS - 1}; {RETRAIN}"
        )
    if not ((low <= 0) & (high > 0)).all():
        raise ArtifactError(
            f"{path}: bounds are {low.tolist()} to {high.tolist()}, expected low <= 0 < high; {RETRAIN}"
        )
    if not (weights["std"] > 0).all():
        raise ArtifactError(f"{path}: tensor 'std' holds {weights['std'].min():g}, expected more than 0; {RETRAIN}")


def check_finite(tensors: Arrays, path: str) -> None:
    """Of the type that its name asks for, without NaN and infinity; else ArtifactError."""
    for name, array in tensors.items():
        dtype = np.int64 if name == "columns" else np.float32
        if array.dtype != dtype:
            raise ArtifactError(f"{path}: tensor {name!r} is {array.dtype}, expected {np.dtype(dtype)}; {RETRAIN}")
        if not np.isfinite(array).all():
            raise ArtifactError(
                f"{path}: tensor {name!r} holds NaN or infinity, expected finite numbers; training diverged: {RETRAIN}"
            )


def check_replaceable(folder: Path) -> None:
    """ArtifactError if something is there that is no model folder: a manifest, or nothing but weights."""
    if not folder.exists() or (folder / MANIFEST).exists():
        return
    if not folder.is_dir() or any(path.suffix != ".safetensors" for path in folder.iterdir()):
        raise ArtifactError(f"{folder}: exists and is no model folder; expected a free name: choose another one")


def replace_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a model folder as a whole, in place of one of that name; ArtifactError if something else is there."""
    check_replaceable(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, raw in files.items():
            (scratch / name).write_bytes(raw)
        scratch.chmod(0o755)  # mkdtemp makes it private, but the worker may run as another user
        old = scratch.with_name(f"{scratch.name}-old")
        if folder.exists():
            folder.rename(old)  # a full folder cannot be renamed over; a reader in between finds none and says so
        try:
            scratch.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
