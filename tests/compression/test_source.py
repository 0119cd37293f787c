"""What is compressed is a folder that passes its own checks, whichever of the two kinds it is."""

from pathlib import Path

import pytest
from benches import trained_teacher
from trained import publish_small

from streamrec.compression.source import Source, check_log, judged_from, load_source
from streamrec.content.encoder import HashedEncoder
from streamrec.errors import ArtifactError, DataError
from streamrec.models.network import Network
from streamrec.settings import Settings
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
        settings=Settings(interest_half_life_h=24),
        space_id=space_id or HashedEncoder().space_id,
        metrics={},
    )


def test_a_teacher_knows_where_its_judgement_starts(tmp_path: Path) -> None:
    """Its folder says before which time its training impressions lie, and how fast their profiles forgot."""
    save_teacher(tmp_path / "teacher")
    source = load_source(tmp_path / "teacher")
    assert isinstance(source.model, Teacher)
    assert (source.encoder, source.test_from_ms, source.half_life_h) == ("hashed", 7, 24)


def test_a_ranker_can_be_compressed_too(tmp_path: Path) -> None:
    """The served kind of folder; one of an earlier release does not say what it was trained on."""
    manifest = publish_small(tmp_path / "model", 1, half_life_h=48)
    source = load_source(tmp_path / "model")
    assert isinstance(source.model, Network)
    assert source.model.sizes == manifest.sizes
    assert (source.version, source.test_from_ms, source.log, source.half_life_h) == (manifest.version, None, "", 48)


def source_of(test_from_ms: int | None) -> Source:
    """All that is asked of it here is where it stopped learning."""
    return Source(trained_teacher(), "version", "hashed", "space", test_from_ms, "mind")


@pytest.mark.parametrize(
    ("first_ms", "asked_ms", "from_ms"),
    [(0, None, 7), (0, 9, 9), (0, 7, 7), (8, None, None), (7, None, None), (8, 10, 10)],
)
def test_judgement_starts_where_learning_stopped(first_ms: int, asked_ms: int | None, from_ms: int | None) -> None:
    """There or later; a log wholly later is cut wherever one likes."""
    assert judged_from(source_of(7), first_ms, asked_ms) == from_ms


def test_what_was_learned_from_is_no_test(caplog: pytest.LogCaptureFixture) -> None:
    """An earlier test window or another log is refused; where nothing is recorded, that is said."""
    with pytest.raises(DataError, match="before the teacher stopped learning"):
        judged_from(source_of(7), 0, 6)
    check_log("", "mind")
    with pytest.raises(DataError, match="--log is 'globo', but the model was trained on 'mind'"):
        check_log("mind", "globo")
    assert judged_from(source_of(None), 0, 6) == 6
    assert "does not say what it has learned from" in caplog.text


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
