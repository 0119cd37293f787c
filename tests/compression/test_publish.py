"""A compressed model leaves as a folder a worker can serve, in the bytes its size says."""

from pathlib import Path
from typing import cast

import msgspec
import numpy as np
import pytest
from benches import HELD_OUT, bench, trained_network, trained_teacher
from torch import nn

from streamrec.compression.methods.layers import copied
from streamrec.compression.publish import publish_compressed
from streamrec.compression.recipe import Recipe, parse, run
from streamrec.compression.source import Source
from streamrec.compression.store import FILE
from streamrec.errors import RecipeError
from streamrec.models.artifact import MANIFEST, PROBE, WEIGHTS, load
from streamrec.models.engines import available, engine_of
from streamrec.models.engines.contract import EngineName
from streamrec.models.manifest import ChosenEngine, Manifest, decode, encode
from streamrec.models.network import network_of
from streamrec.training.model import logits_of
from streamrec.training.threshold import Wanted


def published(folder: Path, model: nn.Module, text: str) -> Manifest | None:
    """Do a recipe and write what came of it."""
    recipe, work = parse(text), bench(model, 1)
    source = Source(model, "version", "hashed", "space", None, "simulated", 24)
    made = run(recipe, model, work)
    return publish_compressed(
        folder, made, recipe, source, work, fingerprint="feedc0ffee00", wanted=Wanted(0.2), created_at="2026-01-05"
    )


@pytest.mark.parametrize("text", ["lowrank(.5) > int8", "columns(gradient,.5) > neurons(magnitude,.5) > qat"])
def test_what_is_served_is_the_small_file(text: str, tmp_path: Path) -> None:
    """The measured model to the bit, in the bytes counted; the manifest has the recipe, int8 engines can serve it."""
    network = trained_network()
    made = run(parse(text), network, bench(network, 1))
    published(tmp_path / "small", network, text)
    artifact = load(tmp_path / "small", expected_space_id="space", expected_fingerprint="feedc0ffee00")
    served = network_of(artifact.manifest.sizes, artifact.weights)
    np.testing.assert_array_equal(logits_of(served, HELD_OUT), made.logits(HELD_OUT))
    assert msgspec.json.decode(artifact.manifest.recipe, type=Recipe) == parse(text)
    assert sorted(path.name for path in (tmp_path / "small").iterdir()) == [MANIFEST, PROBE, WEIGHTS]
    assert made.size().file_bytes == (tmp_path / "small" / WEIGHTS).stat().st_size
    int8 = engine_of("torch_int8", served).logits(HELD_OUT.x)
    assert np.corrcoef(int8, logits_of(served, HELD_OUT))[0, 1] > 0.99


def test_the_manifest_says_what_was_learned_from(tmp_path: Path) -> None:
    """A compressed ranker may be compressed again: then it must not be judged on what it knows."""
    manifest = published(tmp_path / "small", trained_network(), "fp16")
    assert manifest is not None
    last_ms = max(int(part.at_ms.max()) for part in (bench(trained_network()).rows, HELD_OUT))
    assert (manifest.log, manifest.test_from_ms, manifest.half_life_h) == ("simulated", last_ms + 1, 24)


def test_the_manifest_says_which_engine_won(tmp_path: Path) -> None:
    """Of those that can run here, and where; a speed is of the moment, so the version knows nothing of it."""
    manifest = published(tmp_path / "small", trained_network(), "int8")
    assert manifest is not None
    assert manifest.engine is not None
    assert available()[cast(EngineName, manifest.engine.name)] == "ok"
    assert manifest.engine.ratio >= 1
    slower = msgspec.structs.replace(manifest, engine=ChosenEngine("torch_fp32", 1.0, "another"))
    assert slower.content_version() == manifest.version
    assert decode(encode(slower), "as of another machine") == slower


def test_what_only_was_measured_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """users(...) changes nothing a worker does."""
    published(tmp_path / "small", trained_network(), "fp16")
    assert not caplog.records
    published(tmp_path / "small", trained_network(), "fp16 > users(sq8)")
    assert "users(sq8) was measured, but no worker does it" in caplog.text


def test_a_teacher_that_stays_one_is_only_a_file(tmp_path: Path) -> None:
    """It reads histories, so no worker can serve it."""
    assert published(tmp_path / "small", trained_teacher(), "int8") is None
    assert [path.name for path in (tmp_path / "small").iterdir()] == [FILE]


def test_a_model_that_knows_nothing_is_not_written(tmp_path: Path) -> None:
    """An order that does not hold on the held-out impressions has no calibration."""
    upside_down = copied(trained_network())
    upside_down.get_parameter("stages.2.weight").neg_()
    with pytest.raises(RecipeError, match="nothing was written"):
        published(tmp_path / "small", upside_down, "fp16")
    assert not (tmp_path / "small").exists()
