"""A worker's models: what a poll of the store changes, and what it never does."""

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client import CollectorRegistry
from trained import publish_small, publish_three

from streamrec.arrays import FloatArray
from streamrec.content.encoder import HashedEncoder
from streamrec.engine.policy.suppression_reasons import SUPPRESSION_REASONS
from streamrec.engine.predictor import COLUMNS
from streamrec.errors import ArtifactError
from streamrec.models import rollout as moves
from streamrec.models.artifact import WEIGHTS
from streamrec.models.ranker import Ranker
from streamrec.models.store import LOCK, VERSIONS, ModelStore
from streamrec.observability.metrics import Metrics
from streamrec.settings import Settings, load
from streamrec.worker.model_loader import ModelLoader

SPACE = HashedEncoder().space_id


def let_the_canary_score(models: ModelLoader) -> None:
    """As many rows as a judgement needs."""
    canary = models.serving.lineup.canary
    assert canary is not None
    for seed in range(6):
        canary.probability(rows(seed))


async def try_out(models: ModelLoader, store: ModelStore, canary: str, percent: int) -> None:
    """Promote it for some users; the worker takes it over and scores enough for a judgement."""
    promote(store, canary, percent)
    await models.look(store.folder)
    let_the_canary_score(models)


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Models to promote: two good ones, one that would push to everybody, one of another space."""
    home = tmp_path_factory.mktemp("artifacts")
    publish_small(home / "eager", 1, middle=1.0)
    return publish_three(home) | {"eager": home / "eager"}


@pytest.fixture
def store(tmp_path: Path, artifacts: dict[str, Path]) -> ModelStore:
    """All of them in one store, `one` stable."""
    made = ModelStore(tmp_path / "store")
    for folder in artifacts.values():
        made.add(folder)
    promote(made, version(artifacts, "one"))
    return made


def version(artifacts: dict[str, Path], name: str) -> str:
    """Of an artifact."""
    from streamrec.models.artifact import manifest_of

    return manifest_of(artifacts[name]).version


def promote(store: ModelStore, wanted: str, percent: int = 0) -> None:
    """By hand, whatever it is."""
    at = f"t{np.random.default_rng().integers(1 << 40)}"
    if percent:
        store.change(lambda rollout: moves.try_out(rollout, wanted, percent, at, ""))
    else:
        store.change(lambda rollout: moves.promote(rollout, wanted, at, ""))


def settings(store: Path, **more: object) -> Settings:
    """Engine fp32 unless asked otherwise: nothing here is about speed."""
    return load({}, **({"model_dir": store, "engine": "fp32"} | more))


def models_of(store: ModelStore, **more: object) -> ModelLoader:
    """A worker's."""
    return ModelLoader(settings(store.folder, **more), SPACE, Metrics(CollectorRegistry(), SUPPRESSION_REASONS))


def served(models: ModelLoader) -> tuple[str, str | None, int]:
    """Versions of stable and canary, and the canary's share."""
    lineup = models.serving.lineup
    return lineup.stable.stamp.version, lineup.canary.stamp.version if lineup.canary else None, lineup.percent


def reloads(models: ModelLoader, outcome: str) -> float:
    """How often."""
    return models._metrics.registry.get_sample_value("streamrec_model_reloads_total", {"outcome": outcome}) or 0


def rows(seed: int, count: int = 500) -> FloatArray:
    """Live pairs."""
    return np.random.default_rng(seed).normal(size=(count, COLUMNS)).astype(np.float32)


async def test_a_promoted_version_takes_over_and_goes_back(store: ModelStore, artifacts: dict[str, Path]) -> None:
    """One look after the change; a look without a change does nothing; a rollback is a change like any other."""
    models, (one, two) = models_of(store), (version(artifacts, name) for name in ("one", "two"))
    await models.look(store.folder)
    assert (served(models), reloads(models, "taken_over")) == ((one, None, 0), 0)
    promote(store, two)
    await models.look(store.folder)
    assert (served(models), reloads(models, "taken_over")) == ((two, None, 0), 1)
    store.change(lambda rollout: moves.roll_back(rollout, "t", ""))
    await models.look(store.folder)
    assert served(models) == (one, None, 0)


async def test_a_plain_artifact_folder_is_watched_too(tmp_path: Path) -> None:
    """Training into the same folder again is enough."""
    folder = tmp_path / "model"
    first = publish_small(folder, 1).version
    models = models_of(ModelStore(folder))
    assert served(models)[0] == first
    second = publish_small(folder, 2).version
    await models.look(folder)
    assert served(models)[0] == second


async def test_a_copy_that_was_under_way_is_taken_when_it_is_done(tmp_path: Path) -> None:
    """The manifest may arrive before the weights it names."""
    folder, other = tmp_path / "model", tmp_path / "other"
    publish_small(folder, 1)
    second = publish_small(other, 2).version
    models = models_of(ModelStore(folder))
    for name in ("manifest.json", WEIGHTS, "probe.safetensors"):
        assert served(models)[0] != second
        (folder / name).write_bytes((other / name).read_bytes())
        await models.look(folder)
    assert served(models)[0] == second


@pytest.mark.parametrize("how", ["damaged", "another space", "missing", "another version's folder"])
async def test_a_bad_version_is_refused_and_the_old_one_goes_on(
    store: ModelStore, artifacts: dict[str, Path], how: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Counted once, told once, and a later good version is taken."""
    models, (one, two) = models_of(store), (version(artifacts, name) for name in ("one", "two"))
    folder = store.folder / VERSIONS / two
    if how == "damaged":
        (folder / WEIGHTS).write_bytes(b"not weights")
    elif how == "missing":
        folder.rename(store.folder / "away")
    elif how == "another version's folder":
        folder.rename(store.folder / "away")
        (store.folder / VERSIONS / one).rename(folder)
    promote(store, version(artifacts, "elsewhere") if how == "another space" else two)
    for _ in range(3):
        await models.look(store.folder)
    assert (served(models), reloads(models, "refused"), reloads(models, "taken_over")) == ((one, None, 0), 1, 0)
    (said,) = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
    assert ("streamrec migrate" in said) == (how == "another space")
    promote(store, version(artifacts, "eager"))
    await models.look(store.folder)
    assert served(models)[0] == version(artifacts, "eager")


async def test_a_broken_rollout_changes_nothing(store: ModelStore, artifacts: dict[str, Path]) -> None:
    """Half a file, or one somebody edited badly."""
    models = models_of(store)
    (store.folder / "rollout.json").write_bytes(b'{"stable": ')
    await models.look(store.folder)
    assert (served(models)[0], reloads(models, "refused")) == (version(artifacts, "one"), 1)


@pytest.mark.parametrize("is_store", [True, False])
async def test_a_volume_that_is_away_for_a_moment_changes_nothing(
    store: ModelStore, artifacts: dict[str, Path], monkeypatch: pytest.MonkeyPatch, is_store: bool
) -> None:
    """A stale file handle is no reason to end workers; when it is back, what was promoted meanwhile is taken."""
    folder = store.folder if is_store else artifacts["one"]
    models = ModelLoader(settings(folder), SPACE, Metrics(CollectorRegistry(), SUPPRESSION_REASONS))
    ask = os.stat

    def stale(path: str | Path, *args: Any, **more: Any) -> os.stat_result:
        if str(path).startswith(str(folder)):
            raise OSError(errno.ESTALE, "Stale file handle", str(path))
        return ask(path, *args, **more)

    with monkeypatch.context() as away:
        away.setattr(os, "stat", stale)
        await models.look(folder)
    assert served(models)[0] == version(artifacts, "one")
    assert models._metrics.model_behind._value.get() == 1
    if is_store:
        promote(store, version(artifacts, "two"))
    await models.look(folder)
    assert served(models)[0] == version(artifacts, "two" if is_store else "one")
    assert models._metrics.model_behind._value.get() == 0


async def test_a_rollout_that_is_broken_again_is_told_again(
    store: ModelStore, caplog: pytest.LogCaptureFixture
) -> None:
    """Once each time it cannot be read, however often it is looked at meanwhile."""
    models, file = models_of(store), store.folder / "rollout.json"
    good = file.read_bytes()
    for number, bad in enumerate((b"{", b'{"stable": "../../x"}'), 1):
        file.write_bytes(bad)
        for _ in range(2):
            await models.look(store.folder)
        assert (reloads(models, "refused"), caplog.text.count("model refused")) == (number, number)
        file.write_bytes(good)
        await models.look(store.folder)


async def test_a_version_that_is_put_right_is_taken_without_another_promotion(
    store: ModelStore, artifacts: dict[str, Path]
) -> None:
    """Added again, it is worth another look; until then it is refused once."""
    two = version(artifacts, "two")
    (store.folder / VERSIONS / two / WEIGHTS).write_bytes(b"not weights")
    promote(store, two)
    models = models_of(store)
    await models.look(store.folder)
    assert (served(models)[0], reloads(models, "refused")) == (version(artifacts, "one"), 1)
    store.add(artifacts["two"])
    await models.look(store.folder)
    assert served(models)[0] == two


async def test_a_worker_that_never_looks_again_serves_no_canary(
    store: ModelStore, artifacts: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody would judge it; one line says so, and the other workers keep theirs."""
    two = version(artifacts, "two")
    promote(store, two, percent=50)
    models = models_of(store, model_poll_s=0)
    await models.watch()
    assert served(models) == (version(artifacts, "one"), None, 0)
    assert caplog.text.count("STREAMREC_MODEL_POLL_S is 0, nobody would judge it") == 1
    assert store.rollout().canary == two


async def test_a_canary_like_stable_stays_and_can_be_promoted(store: ModelStore, artifacts: dict[str, Path]) -> None:
    """Its comparison goes on while its share grows; promoted, it is served as it is, not loaded again."""
    models, (one, two) = models_of(store), (version(artifacts, name) for name in ("one", "two"))
    promote(store, two, percent=5)
    await models.look(store.folder)
    canary = models.serving.lineup.canary
    assert canary is not None
    assert served(models) == (one, two, 5)
    canary.probability(rows(1))
    promote(store, two, percent=50)
    await models.look(store.folder)
    assert served(models) == (one, two, 50)
    assert models.serving.lineup.canary is canary
    loaded = models._canary
    promote(store, two)
    await models.look(store.folder)
    assert served(models) == (two, None, 0)
    assert models._stable is loaded


async def test_a_canary_that_would_push_to_everybody_is_rolled_back(
    store: ModelStore, artifacts: dict[str, Path]
) -> None:
    """The store is told, with the reason; promoted again, it is tried again and judged afresh."""
    models, eager = models_of(store), version(artifacts, "eager")
    await try_out(models, store, eager, percent=20)
    await models.look(store.folder)
    assert served(models) == (version(artifacts, "one"), None, 0)
    written = store.rollout()
    assert (written.canary, written.stable) == ("", version(artifacts, "one"))
    assert "send_rate" in written.reason
    sample = models._metrics.registry.get_sample_value
    assert sample("streamrec_canary_rollbacks_total", {"reason": "send_rate"}) == 1
    promote(store, eager, percent=20)
    await models.look(store.folder)
    assert served(models)[1:] == (eager, 20)
    await models.look(store.folder)
    assert (served(models)[1:], store.rollout().canary) == ((eager, 20), eager)  # nothing is known of it yet
    let_the_canary_score(models)
    await models.look(store.folder)
    assert (served(models)[1], store.rollout().canary) == (None, "")


async def test_what_was_seen_before_a_promotion_is_no_evidence(store: ModelStore, artifacts: dict[str, Path]) -> None:
    """Taken back by hand and tried again between two looks, a canary is loaded and compared afresh."""
    models, eager = models_of(store, engine="int8", shadow_share=1.0), version(artifacts, "eager")
    await try_out(models, store, eager, percent=20)
    shadowed = models._canary
    store.change(lambda rollout: moves.roll_back(rollout, "t", "by hand"))
    promote(store, eager, percent=10)
    await models.look(store.folder)
    assert (served(models)[1:], store.rollout().canary) == ((eager, 10), eager)
    assert models._canary is not shadowed, "its shadow would bring what it saw before"
    let_the_canary_score(models)
    await models.look(store.folder)
    assert (served(models)[1], store.rollout().canary) == (None, "")


async def test_a_larger_share_is_judged_by_what_was_seen_at_the_smaller(
    store: ModelStore, artifacts: dict[str, Path]
) -> None:
    """It is the same promotion: a bad canary does not get away by growing."""
    models, eager = models_of(store), version(artifacts, "eager")
    await try_out(models, store, eager, percent=5)
    promote(store, eager, percent=50)
    await models.look(store.folder)
    assert (served(models)[1], store.rollout().canary) == (None, "")


async def test_where_the_store_cannot_be_changed_a_bad_canary_is_left_alone(
    store: ModelStore, artifacts: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    """It is not served while that rollout stands, and said once; a new rollout is another chance."""
    models, eager = models_of(store), version(artifacts, "eager")
    await try_out(models, store, eager, percent=20)
    (store.folder / LOCK).unlink()
    (store.folder / LOCK).mkdir()
    for _ in range(3):
        await models.look(store.folder)
        assert served(models)[1] is None
    assert store.rollout().canary == eager
    assert caplog.text.count("is not served here until it is promoted again") == 1
    (store.folder / LOCK).rmdir()
    promote(store, eager, percent=20)
    await models.look(store.folder)
    assert served(models)[1] == eager


def out_of_memory(ranker: Ranker) -> None:
    """As the machine may be at any load."""
    raise MemoryError


async def test_trouble_of_one_worker_takes_the_canary_from_nobody_else(
    store: ModelStore, artifacts: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No memory left at a load is no fault of the artifact: this worker goes on with stable, the store is as it was."""
    models, (one, two) = models_of(store), (version(artifacts, name) for name in ("one", "two"))
    promote(store, two, percent=5)
    with monkeypatch.context() as here:
        here.setattr(Ranker, "warm_up", out_of_memory)  # of what is loaded from now on
        for _ in range(2):
            await models.look(store.folder)
    assert (served(models), reloads(models, "refused")) == ((one, None, 0), 1)
    assert store.rollout().canary == two
    promote(store, two, percent=5)
    await models.look(store.folder)
    assert served(models) == (one, two, 5)


async def test_a_canary_that_cannot_be_loaded_is_rolled_back(store: ModelStore, artifacts: dict[str, Path]) -> None:
    """Nobody has to take it back by hand."""
    models, two = models_of(store), version(artifacts, "two")
    (store.folder / VERSIONS / two / WEIGHTS).unlink()
    promote(store, two, percent=5)
    await models.look(store.folder)
    assert served(models) == (version(artifacts, "one"), None, 0)
    assert store.rollout().canary == ""


async def test_a_rollback_never_takes_back_another_canary(store: ModelStore, artifacts: dict[str, Path]) -> None:
    """Between the verdict and the write somebody may have promoted something else."""
    models, (two, eager) = models_of(store), (version(artifacts, name) for name in ("two", "eager"))
    await try_out(models, store, eager, percent=20)
    promote(store, two, percent=10)
    await models.look(store.folder)
    assert store.rollout().canary == two
    assert served(models)[1:] == (two, 10)


def test_a_worker_that_starts_on_a_bad_promotion_serves_the_version_before(
    store: ModelStore, artifacts: dict[str, Path]
) -> None:
    """A restart must not turn a refused reload into an outage; without an earlier version it is one."""
    two = version(artifacts, "two")
    (store.folder / VERSIONS / two / WEIGHTS).unlink()
    promote(store, two)
    models = models_of(store)
    assert (served(models)[0], reloads(models, "refused")) == (version(artifacts, "one"), 1)
    store.change(lambda _: moves.Rollout(stable=two))
    with pytest.raises(ArtifactError, match=WEIGHTS):
        models_of(store)


def test_int8_is_shadowed_and_says_so(store: ModelStore) -> None:
    """The gauges come from live rows; the model that serves is the one that is watched."""
    models = models_of(store, engine="int8", shadow_share=1.0)
    models.serving.probability(rows(1))
    models.observe()
    sample = models._metrics.registry.get_sample_value
    assert sample("streamrec_shadow_rows") == 500
    assert (sample("streamrec_shadow_agreement_ratio") or 0) > 0.9
    assert 0 < (sample("streamrec_shadow_max_delta_ratio") or 0) < 0.1
