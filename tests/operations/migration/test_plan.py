"""From where to where, and what is no migration."""

from pathlib import Path

import pytest
from trained import publish_small

from streamrec.content.encoders import encoder_of
from streamrec.errors import SettingsError
from streamrec.operations.migration.plan import plan
from streamrec.settings import load

SENTENCE = encoder_of("sentence").space_id


def test_the_new_deployment_is_named_after_its_space(tmp_path: Path) -> None:
    """Inputs and `push` are shared, catalog, group and changelog are not; the variables say how to start it."""
    publish_small(tmp_path / "m", 1, space_id=SENTENCE, encoder="sentence")
    planned = plan(load({}, topic_prefix="t."), tmp_path / "m")
    new, tag = planned.target.settings, SENTENCE[-12:][:8]
    assert (new.app_id, new.topic("catalog")) == (f"streamrec-{tag}", f"t.catalog-{tag}")
    assert new.topic("catalog.dlq") == f"t.catalog-{tag}.dlq"
    for name in ("events", "articles", "rerouted", "push", "events.dlq"):
        assert new.topic(name) == planned.source.settings.topic(name)
    assert planned.environ() == {
        "STREAMREC_APP_ID": f"streamrec-{tag}",
        "STREAMREC_CATALOG_TOPIC": f"catalog-{tag}",
        "STREAMREC_ENCODER": "sentence",
        "STREAMREC_MODEL_DIR": str(tmp_path / "m"),
    }
    assert load(planned.environ(), topic_prefix="t.") == new


def test_the_way_back_has_the_old_names(tmp_path: Path) -> None:
    """Given the new deployment's settings; the same names on both sides are refused."""
    publish_small(tmp_path / "m", 1)
    new = load({}, app_id="streamrec-x", catalog_topic="catalog-x", encoder="sentence")
    back = plan(new, tmp_path / "m", app_id="streamrec", catalog_topic="catalog").target.settings
    assert (back.app_id, back.topic("catalog"), back.encoder) == ("streamrec", "catalog", "hashed")
    with pytest.raises(SettingsError, match="app_id"):
        plan(new, tmp_path / "m", app_id="streamrec-x")


def test_a_model_and_an_encoder_of_two_spaces_are_refused(tmp_path: Path) -> None:
    """Nothing is built that no worker could start on."""
    publish_small(tmp_path / "m", 1, space_id=SENTENCE, encoder="sentence")
    with pytest.raises(SettingsError, match="--encoder"):
        plan(load({}), tmp_path / "m", encoder="sentence-fp32")
