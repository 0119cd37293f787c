"""What is compressed is a folder that passes its own checks, whichever of the two kinds it is."""

from pathlib import Path

import pytest
from benches import trained_teacher
from trained import publish_small

from streamrec.compression.source import load_source
from streamrec.content.encoder import HashedEncoder
from streamrec.errors import ArtifactError
from streamrec.ranking.features import fingerprint
from streamrec.ranking.network import Network
from streamrec.training.teacher import Teacher
from streamrec.training.teacher_folder import save


def save_teacher(folder: Path, test_from_ms: int = 7, space_id: str = "") -> None:
    """The small trained teacher, as `streamrec train --teacher` writes one."""
    save(
        folder,
        trained_teacher(),
        log="simulated",
        test_from_ms=test_from_ms,
        seed=1,
        encoder="hashed",
        space_id=space_id or HashedEncoder().space_id,
        fingerprint=fingerprint(),
        metrics={},
        created_at="2026-01-05T09:00:00Z",
    )


def test_a_teacher_knows_where_its_judgement_starts(tmp_path: Path) -> None:
    """Its folder says before which time its training impressions lie."""
    save_teacher(tmp_path / "teacher")
    source = load_source(tmp_path / "teacher")
    assert isinstance(source.model, Teacher)
    assert (source.encoder, source.test_from_ms) == ("hashed", 7)


def test_a_ranker_can_be_compressed_too(tmp_path: Path) -> None:
    """The served kind of folder; it does not say what it was trained on."""
    manifest = publish_small(tmp_path / "model", 1)
    source = load_source(tmp_path / "model")
    assert isinstance(source.model, Network)
    assert source.model.sizes == manifest.sizes
    assert (source.version, source.test_from_ms) == (manifest.version, None)


def test_folders_that_cannot_be_trusted_are_refused(tmp_path: Path) -> None:
    """Nothing there, or vectors of another space."""
    with pytest.raises(ArtifactError, match="cannot be read"):
        load_source(tmp_path / "nothing")
    save_teacher(tmp_path / "teacher", space_id="other")
    with pytest.raises(ArtifactError, match="space_id"):
        load_source(tmp_path / "teacher")
    publish_small(tmp_path / "model", 1, fingerprint="feedc0ffee00")
    with pytest.raises(ArtifactError, match="fingerprint"):
        load_source(tmp_path / "model")
