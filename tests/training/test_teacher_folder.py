"""A teacher comes back from disk as it was, or is refused with the reason."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from making_rows import TRAINING, small
from safetensors.numpy import load_file, save_file

from streamrec.engine.features.fingerprint import fingerprint
from streamrec.errors import ArtifactError
from streamrec.models.artifact import load as load_ranker
from streamrec.settings import Settings
from streamrec.training.model import logits_of
from streamrec.training.teacher import Teacher
from streamrec.training.teacher_folder import TeacherManifest, load, read_manifest, save

SPACE = "hashed64-test"


def saved(folder: Path, teacher: Teacher | None = None) -> TeacherManifest:
    """A small teacher's folder."""
    made = teacher or small(teacher=True)
    assert isinstance(made, Teacher)
    return save(
        folder,
        made,
        log="simulated",
        test_from_ms=1_767_225_600_000,
        seed=1,
        settings=Settings(),
        space_id=SPACE,
        metrics={},
    )


def loaded(folder: Path, space_id: str = SPACE, features: str = fingerprint()) -> Teacher:
    """The teacher of a folder."""
    return load(folder, expected_space_id=space_id, expected_fingerprint=features).teacher


def test_a_teacher_comes_back(tmp_path: Path) -> None:
    """Same logits to the bit, in evaluation mode; the manifest names what it was made of."""
    manifest = saved(tmp_path / "teacher")
    teacher = loaded(tmp_path / "teacher")
    np.testing.assert_array_equal(logits_of(teacher, TRAINING), logits_of(small(teacher=True), TRAINING))
    assert not teacher.training
    assert read_manifest(tmp_path / "teacher") == manifest
    assert (manifest.width, manifest.heads, manifest.encoder) == (16, 2, "hashed")


def test_a_second_teacher_replaces_the_first(tmp_path: Path) -> None:
    """Nothing of the old one stays, and no scratch folder beside it."""
    first, other = saved(tmp_path / "teacher"), small(2, teacher=True)
    assert isinstance(other, Teacher)
    second = saved(tmp_path / "teacher", other)
    assert first.version != second.version == read_manifest(tmp_path / "teacher").version
    assert [path.name for path in tmp_path.iterdir()] == ["teacher"]


def edit(folder: Path, **changed: object) -> None:
    """Change fields of the manifest and seal it again."""
    manifest = msgspec.structs.replace(read_manifest(folder), **changed)
    resealed = msgspec.structs.replace(manifest, version=manifest.content_version())
    (folder / "manifest.json").write_bytes(msgspec.json.encode(resealed))


def reweigh(folder: Path, change: Callable[[dict[str, np.ndarray]], object]) -> None:
    """Change weights, with the right hash."""
    weights = load_file(folder / "teacher.safetensors")
    change(weights)
    save_file(weights, folder / "teacher.safetensors")
    digest = hashlib.sha256((folder / "teacher.safetensors").read_bytes()).hexdigest()
    edit(folder, files={"teacher.safetensors": digest})


def truncate(path: Path) -> None:
    """Lose the second half of a file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: truncate(f / "teacher.safetensors"), r"sha256 is .* copy the folder again"),
        (lambda f: truncate(f / "manifest.json"), "not a manifest"),
        (lambda f: (f / "manifest.json").unlink(), r"cannot be read .* streamrec train \.\.\. --teacher"),
        (lambda f: (f / "teacher.safetensors").unlink(), "cannot be read"),
        (lambda f: (f / "manifest.json").write_text(json.dumps({"format": 2})), "format is 2, expected 'teacher-1'"),
        (lambda f: edit(f, width=18), "tensor .* expected"),
        (lambda f: edit(f, heads=5), "16 and 5 heads make no teacher"),
        (lambda f: edit(f, heads=0), "make no teacher"),
        (lambda f: reweigh(f, lambda w: w.pop("project.bias")), "'project.bias' is missing"),
        (lambda f: reweigh(f, lambda w: w["project.bias"].fill(np.nan)), "NaN or infinity"),
        (lambda f: reweigh(f, lambda w: w.update(std=w["std"].astype(np.float64))), "float64, expected float32"),
    ],
)
def test_a_damaged_folder_is_refused(tmp_path: Path, damage: Callable[[Path], object], message: str) -> None:
    """Each kind of damage has its own sentence, before anything is computed."""
    saved(tmp_path / "teacher")
    damage(tmp_path / "teacher")
    with pytest.raises(ArtifactError, match=message):
        loaded(tmp_path / "teacher")


def test_an_edited_manifest_gives_itself_away(tmp_path: Path) -> None:
    """A number changed by hand does not fit the version."""
    saved(tmp_path / "teacher")
    path = tmp_path / "teacher" / "manifest.json"
    path.write_text(path.read_text().replace("1767225600000", "1767225600001"))
    with pytest.raises(ArtifactError, match="edited after it was saved"):
        loaded(tmp_path / "teacher")


def test_another_space_or_other_features_are_refused(tmp_path: Path) -> None:
    """Vectors of two encoders never meet, nor do columns of two releases."""
    saved(tmp_path / "teacher")
    with pytest.raises(ArtifactError, match=r"space_id .* another encoder's vectors \(hashed\)"):
        loaded(tmp_path / "teacher", space_id="sentence64-x")
    with pytest.raises(ArtifactError, match=r"feature_fingerprint .* changed since"):
        loaded(tmp_path / "teacher", features="000000000000")


def test_a_teacher_that_diverged_is_not_saved(tmp_path: Path) -> None:
    """NaN never reaches the disk."""
    teacher = small(teacher=True)
    assert isinstance(teacher, Teacher)
    with torch.no_grad():
        teacher.scale.fill_(torch.nan)
    with pytest.raises(ArtifactError, match="NaN or infinity"):
        saved(tmp_path / "teacher", teacher)
    assert not (tmp_path / "teacher").exists()


def test_a_worker_refuses_a_teacher(tmp_path: Path) -> None:
    """It is not a ranker, and says so by its format."""
    saved(tmp_path / "teacher")
    with pytest.raises(ArtifactError, match=r'format is "teacher-1", expected 2'):
        load_ranker(tmp_path / "teacher", expected_space_id=SPACE, expected_fingerprint=fingerprint())
