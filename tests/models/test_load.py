"""A model serves readers whose profiles forget as fast as those it has learned from, or is refused."""

from pathlib import Path

import msgspec
import pytest
from trained import publish_small

from streamrec.content.encoder import HashedEncoder
from streamrec.errors import ArtifactError
from streamrec.models.load import as_served, load_model, ranker_of
from streamrec.models.manifest import encode
from streamrec.settings import load

SPACE = HashedEncoder().space_id


def test_another_half_life_is_refused(tmp_path: Path) -> None:
    """By the sentence that says both, and the cure; a change of the setting must not change what features mean."""
    manifest = publish_small(tmp_path, 1, half_life_h=24)
    fitting = load({}, model_dir=tmp_path, interest_half_life_h=24)
    assert load_model(fitting, SPACE, tmp_path, manifest.version).bare.stamp.version == manifest.version
    other = load({}, model_dir=tmp_path, interest_half_life_h=168)
    said = r"manifest\.json: half_life_h is 24, expected 168: .*set STREAMREC_INTEREST_HALF_LIFE_H=24, or train"
    with pytest.raises(ArtifactError, match=said):
        load_model(other, SPACE, tmp_path, manifest.version)
    with pytest.raises(ArtifactError, match=said):
        ranker_of(other, SPACE)


def test_a_model_that_does_not_say_is_taken(tmp_path: Path) -> None:
    """It is of an earlier release."""
    publish_small(tmp_path, 1)
    for half_life_h in (24, 168):
        ranker_of(load({}, model_dir=tmp_path, interest_half_life_h=half_life_h), SPACE)


def test_a_model_brings_its_threshold(tmp_path: Path) -> None:
    """The one in its manifest counts unless a setting names one, be it the default; an unreadable folder has none."""
    manifest = publish_small(tmp_path / "model", 1)
    path = tmp_path / "model" / "manifest.json"
    raised = msgspec.structs.replace(manifest, min_score=0.0625).sealed()
    path.write_bytes(encode(raised))
    assert as_served(load({}, model_dir=tmp_path / "model")).min_score == 0.0625
    assert as_served(load({}, model_dir=tmp_path / "model", min_score=0.2)).min_score == 0.2
    assert as_served(load({"STREAMREC_MIN_SCORE": "0.3"}, model_dir=tmp_path / "model")).min_score == 0.3
    assert as_served(load({})).min_score == 0.2
    assert as_served(load({}, model_dir=tmp_path / "nothing")).min_score == 0.2
