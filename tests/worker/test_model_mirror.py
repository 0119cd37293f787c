"""A worker whose models come from a URI: it follows, and nothing the source does can harm it."""

import socket
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from model_server import Quiet, serving
from prometheus_client import CollectorRegistry
from signing_keys import keys
from trained import publish_small

from streamrec.content.encoder import HashedEncoder
from streamrec.engine.policy.suppression_reasons import SUPPRESSION_REASONS
from streamrec.errors import ArtifactError, SettingsError
from streamrec.models import http_files
from streamrec.models import rollout as moves
from streamrec.models.artifact import WEIGHTS
from streamrec.models.mirror import SMALL, Mirror
from streamrec.models.remote_files import LIMIT, deadline_s
from streamrec.models.store import ModelStore
from streamrec.observability.metrics import Metrics
from streamrec.settings import Settings, load
from streamrec.worker.model_loader import ModelLoader
from streamrec.worker.model_mirror import ModelMirror, start

SPACE = HashedEncoder().space_id
ROOT = Path(__file__).parents[2]


@pytest.fixture
def source(tmp_path: Path) -> ModelStore:
    """Two versions, the first one stable."""
    store = ModelStore(tmp_path / "source")
    for seed in (1, 2):
        publish_small(tmp_path / str(seed), seed)
        store.add(tmp_path / str(seed))
    store.change(lambda now: moves.promote(now, versions(store)[0], "2026-01-05T09:00:00Z", ""))
    return store


def versions(store: ModelStore) -> list[str]:
    """The first, the second."""
    return list(store.versions())


def metrics() -> Metrics:
    """Of a worker."""
    return Metrics(CollectorRegistry(), SUPPRESSION_REASONS)


def settings(uri: str, folder: Path, poll_s: float = 0) -> Settings:
    """Looks once only, unless asked otherwise."""
    return load({}, model_uri=uri, model_dir=folder, model_poll_s=poll_s, engine="fp32")


def fetches(of: Metrics) -> dict[str, float]:
    """By outcome, those that were."""
    found = {name: counter._value.get() for name, counter in of.model_fetches.items()}
    return {name: count for name, count in found.items() if count}


async def test_a_worker_follows_its_source_through_an_outage(
    source: ModelStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It takes over, stays when the source is gone, cut or broken, says so once each, and follows when it is back."""
    caplog.set_level("INFO")
    here, counted, (one, two) = tmp_path / "here", metrics(), versions(source)
    with serving(source.folder) as server:
        mirroring = ModelMirror(Mirror(server.uri, here, SPACE), counted, 0)
        mirroring.look()
        models = ModelLoader(settings(server.uri, here), SPACE, counted)
        source.change(lambda now: moves.promote(now, two, "2026-01-05T10:00:00Z", ""))
        for fault in ("broken", "cut"):
            server.broken, server.cut = fault == "broken", {WEIGHTS}
            for _ in range(3):
                mirroring.look()
                await models.look(here)
                assert models.serving.stamp.version == one
        server.broken, server.cut = False, set()
        mirroring.look()
        await models.look(here)
        assert models.serving.stamp.version == two
    mirroring.look()
    assert fetches(counted) == {"changed": 2, "unreachable": 7}
    said = [record.getMessage() for record in caplog.records if record.name.endswith("model_mirror")]
    assert [" ".join(message.split()[:6]) for message in said] == [
        f"models stay as they are: {server.uri}/rollout.json:",
        f"models stay as they are: {server.uri}/versions/{two}/{WEIGHTS}:",
        "the source of models answers again",
        f"models stay as they are: {server.uri}/rollout.json:",
    ]


def test_a_worker_starts_again_on_what_it_has(source: ModelStore, tmp_path: Path) -> None:
    """An outage of the source must not become one of the worker; with nothing at all there is nothing to serve."""
    here = tmp_path / "here"
    with serving(source.folder) as server:
        uri = server.uri
        start(settings(uri, here), SPACE, metrics())
    start(settings(uri, here), SPACE, counted := metrics())
    assert fetches(counted) == {"unreachable": 1}
    assert ModelLoader(settings(uri, here), SPACE, counted).serving.stamp.version == versions(source)[0]
    with pytest.raises(ArtifactError, match="no model could be fetched"):
        start(settings(uri, tmp_path / "elsewhere"), SPACE, metrics())


def test_a_uri_needs_a_folder(source: ModelStore) -> None:
    """Where its models are kept is the operator's choice."""
    with pytest.raises(SettingsError, match="STREAMREC_MODEL_DIR"):
        start(load({}, model_uri=source.folder.as_uri()), SPACE, metrics())
    with pytest.raises(SettingsError, match="STREAMREC_MODEL_URI"):
        load({"STREAMREC_MODEL_URI": "/a/folder"})


def test_it_looks_by_itself(source: ModelStore, tmp_path: Path) -> None:
    """Every `model_poll_s`, in a thread that no exit waits for."""
    counted = metrics()
    start(settings(source.folder.as_uri(), tmp_path / "here", poll_s=0.01), SPACE, counted)
    deadline = time.monotonic() + 10
    while fetches(counted).get("unchanged", 0) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert fetches(counted)["unchanged"] >= 3


def test_a_silent_source_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It accepts and never answers."""
    monkeypatch.setattr(http_files, "TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri, counted = f"http://127.0.0.1:{silent.getsockname()[1]}/models", metrics()
        assert ModelMirror(Mirror(uri, tmp_path / "here", SPACE), counted, 0).look() == "unreachable"


def test_unsigned_models_over_plain_http_need_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever is on the way could replace them; https is warned of, a key or loopback is enough."""
    monkeypatch.setattr(http_files, "TIMEOUT_S", 0.1)
    for uri in ("http://192.0.2.1:9/models", "http://models.invalid/"):  # a network for documentation, no host
        with pytest.raises(SettingsError, match=r"STREAMREC_MODEL_UNSIGNED_HTTP=true"):
            start(settings(uri, tmp_path / "here"), SPACE, metrics())
    _, public = keys(tmp_path, "ours")
    warned = []
    more: Mapping[str, object]
    for uri, more in (
        ("http://192.0.2.1:9/models", {"model_unsigned_http": True}),
        ("https://192.0.2.1:9/models", {}),
        ("http://192.0.2.1:9/models", {"model_public_key": public}),
        ("http://127.0.0.1:9/models", {}),
    ):
        caplog.clear()
        with pytest.raises(ArtifactError, match="no model could be fetched"):
            start(settings(uri, tmp_path / "here").changed(**more), SPACE, metrics())
        warned.append("are not signed" in caplog.text)
    assert warned == [True, True, False, False]


def test_a_look_that_goes_on_can_be_seen_and_ends_before_the_alert(source: ModelStore, tmp_path: Path) -> None:
    """ModelSourceHangs says that a look does not end, so none may take as long that does."""
    counted, seen = metrics(), list[float]()

    def answer(request: Quiet) -> None:
        seen.append(counted.model_fetching._value.get())
        request.send_error(503)

    with serving(source.folder) as server:
        server.answers["rollout.json"] = answer
        ModelMirror(Mirror(server.uri, tmp_path / "here", SPACE), counted, 0).look()
    assert (seen, counted.model_fetching._value.get()) == ([1], 0)
    small, large = deadline_s(SMALL), deadline_s(LIMIT)
    longest_s = small + 3 * (2 * small + 2 * large)  # stable, canary, previous: manifest, signature, two files
    (rule,) = (
        rule
        for group in yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"]
        for rule in group["rules"]
        if rule["alert"] == "ModelSourceHangs"
    )
    assert rule["for"] == "1h"
    assert longest_s < 33 * 60 < 3600


def test_what_nobody_thought_of_is_counted_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread must not end with it."""
    mirror = Mirror(tmp_path.as_uri(), tmp_path / "here", SPACE)
    monkeypatch.setattr(mirror, "pull", lambda: 1 // 0)
    assert ModelMirror(mirror, metrics(), 0).look() == "refused"
