"""A store at a URI, over a real HTTP server: what is not whole, new and to be believed never reaches the folder."""

import json
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest
from model_server import Server, serving
from signing_keys import keys
from trained import publish_small, publish_three

from streamrec.content.encoder import HashedEncoder
from streamrec.errors import ArtifactError
from streamrec.models import rollout as moves
from streamrec.models.allowance import UnreachableError
from streamrec.models.artifact import MANIFEST, PROBE, WEIGHTS
from streamrec.models.mirror import Mirror
from streamrec.models.signature import SIGNATURE, sign
from streamrec.models.store import ROLLOUT, VERSIONS, ModelStore, wanted

SPACE = HashedEncoder().space_id


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two, and one of another space."""
    return publish_three(tmp_path_factory.mktemp("artifacts"))


@pytest.fixture
def source(tmp_path: Path, artifacts: dict[str, Path]) -> ModelStore:
    """A store with all of them, `one` stable since nine."""
    store = ModelStore(tmp_path / "source")
    versions = {name: store.add(folder).version for name, folder in artifacts.items()}
    store.change(lambda now: moves.promote(now, versions["one"], at(9), ""))
    return store


@pytest.fixture
def server(source: ModelStore) -> Iterator[Server]:
    """It, over HTTP."""
    with serving(source.folder) as found:
        yield found


@pytest.fixture
def mirror(server: Server, tmp_path: Path) -> Mirror:
    """Of it."""
    return Mirror(server.uri, tmp_path / "here", SPACE)


def at(hour: int) -> str:
    """Of one day."""
    return f"2026-01-05T{hour:02}:00:00+00:00"


def version(store: ModelStore, name: str) -> str:
    """In the order they were made."""
    return list(store.versions())[["one", "two", "elsewhere"].index(name)]


def promote(store: ModelStore, name: str, hour: int) -> str:
    """At the source."""
    chosen = version(store, name)
    store.change(lambda now: moves.promote(now, chosen, at(hour), ""))
    return chosen


def test_what_the_source_serves_is_served_here(source: ModelStore, mirror: Mirror, tmp_path: Path) -> None:
    """The first look fills the folder, the next finds nothing new, a promotion is one, and so is a rollback."""
    assert mirror.pull()
    assert wanted(tmp_path / "here").stable == version(source, "one")
    assert not mirror.pull()
    two = promote(source, "two", 10)
    assert mirror.pull()
    assert wanted(tmp_path / "here")[1:5] == (two, "", 0, version(source, "one"))
    source.change(lambda now: moves.roll_back(now, at(11), ""))
    assert mirror.pull()
    assert wanted(tmp_path / "here").stable == version(source, "one")


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        ("down", UnreachableError, "cannot be read"),
        ("503", UnreachableError, "503"),
        ("404", ArtifactError, "holds neither rollout.json nor manifest.json"),
        ("truncated weights", ArtifactError, WEIGHTS),
        ("weights not there yet", ArtifactError, "is it still being copied?"),
        ("truncated rollout", ArtifactError, ROLLOUT),
        ("altered weights", ArtifactError, "sha256 is"),
        ("another space", ArtifactError, "space_id"),
    ],
)
def test_a_bad_source_changes_nothing_and_is_taken_when_it_is_well(
    source: ModelStore, server: Server, mirror: Mirror, tmp_path: Path, fault: str, error: type[Exception], words: str
) -> None:
    """The folder stays as it was, to the byte; the message names what was wrong."""
    mirror.pull()
    before = content(tmp_path / "here")
    two = promote(source, "elsewhere" if fault == "another space" else "two", 10)
    weights = source.folder / VERSIONS / two / WEIGHTS
    good = weights.read_bytes()
    server.broken = fault == "503"
    server.missing = {"404": {ROLLOUT, MANIFEST}, "weights not there yet": {PROBE}}.get(fault, set())
    server.cut = {"truncated weights": {WEIGHTS}, "truncated rollout": {ROLLOUT}}.get(fault, set())
    if fault == "altered weights":
        weights.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    if fault == "down":
        server.socket.close()
    for _ in range(2):
        with pytest.raises(error, match=words):
            mirror.pull()
    assert content(tmp_path / "here") == before
    if fault not in {"down", "another space"}:
        server.broken, server.missing, server.cut = False, set(), set()
        weights.write_bytes(good)
        assert mirror.pull()
        assert wanted(tmp_path / "here").stable == two


def content(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_older_rollout_is_not_followed(source: ModelStore, server: Server, mirror: Mirror, tmp_path: Path) -> None:
    """A cache that is behind, also after a restart."""
    old = (source.folder / ROLLOUT).read_bytes()
    two = promote(source, "two", 10)
    mirror.pull()
    (source.folder / ROLLOUT).write_bytes(old)
    for again in (mirror, Mirror(server.uri, tmp_path / "here", SPACE)):
        with pytest.raises(ArtifactError, match=r"number of its rollout is 1, expected more than 2.*a stale copy"):
            again.pull()
    assert wanted(tmp_path / "here").stable == two


def test_times_decide_nothing(source: ModelStore, mirror: Mirror, tmp_path: Path) -> None:
    """Of an unsigned store whoever wrote a time far ahead would shut all others out; one without numbers works on."""
    for stable, year in (("two", 9999), ("one", 2026), ("two", 1970)):
        said = {"stable": version(source, stable), "changed_at": f"{year}-01-05T09:00:00+00:00"}
        (source.folder / ROLLOUT).write_text(json.dumps(said))
        assert mirror.pull()
        assert wanted(tmp_path / "here").stable == version(source, stable)


def test_a_wrong_signature_never_reaches_the_folder(source: ModelStore, server: Server, tmp_path: Path) -> None:
    """Nor a missing one; signed by the right key it does."""
    (private, public), (other, _) = (keys(tmp_path, name) for name in ("ours", "theirs"))
    mirror = Mirror(server.uri, tmp_path / "here", SPACE, public)
    folder = source.folder / VERSIONS / version(source, "one")
    source.publish(moves.restated, 1, private)
    with pytest.raises(ArtifactError, match=SIGNATURE):
        mirror.pull()
    sign(folder, other)
    with pytest.raises(ArtifactError, match="no key in"):
        mirror.pull()
    assert not (tmp_path / "here" / ROLLOUT).exists()
    assert not list((tmp_path / "here" / VERSIONS).iterdir())
    sign(folder, private)
    assert mirror.pull()


def test_a_signature_made_later_is_fetched(source: ModelStore, server: Server, tmp_path: Path) -> None:
    """Signing is turned on: the source is signed, the workers get the key, and what they hold is made good."""
    (private, public), here = keys(tmp_path, "ours"), tmp_path / "here"
    Mirror(server.uri, here, SPACE).pull()
    signing = Mirror(server.uri, here, SPACE, public)
    with pytest.raises(ArtifactError, match=f"{ROLLOUT}: is not signed"):
        signing.pull()
    source.publish(moves.restated, 1, private)
    with pytest.raises(ArtifactError, match=SIGNATURE):
        signing.pull()
    one = version(source, "one")
    sign(source.path(one), private)
    assert signing.pull()
    ModelStore(here).check_fit(one, public)
    assert not signing.pull()


@pytest.mark.parametrize("name", [MANIFEST, WEIGHTS, PROBE])
@pytest.mark.parametrize("raw", [b"{", None])
def test_a_file_damaged_here_is_fetched_again(
    source: ModelStore, mirror: Mirror, tmp_path: Path, name: str, raw: bytes | None
) -> None:
    """Cut short or gone; the source is whole, so there is nothing to do by hand."""
    mirror.pull()
    one = version(source, "one")
    file = ModelStore(tmp_path / "here").path(one) / name
    file.unlink() if raw is None else file.write_bytes(raw)
    assert mirror.pull()
    assert file.read_bytes() == (source.path(one) / name).read_bytes()
    assert not mirror.pull()


def test_a_rollback_here_stands_until_the_source_changes(source: ModelStore, mirror: Mirror, tmp_path: Path) -> None:
    """A canary this worker has rolled back does not come back with the next look, nor after a restart."""
    two, here = version(source, "two"), ModelStore(tmp_path / "here")
    source.change(lambda now: moves.try_out(now, two, 5, at(10), ""))
    mirror.pull()
    assert here.rollout().canary == two
    here.change(lambda now: moves.roll_back(now, at(11), "by a worker"))
    assert not mirror.pull()
    assert here.rollout().canary == ""
    source.change(lambda now: moves.try_out(now, two, 10, at(12), ""))
    assert mirror.pull()
    assert here.rollout().canary_percent == 10


@pytest.mark.parametrize("scheme", ["http", "file", "memory"])
def test_one_artifact_at_a_uri_is_enough(scheme: str, artifacts: dict[str, Path], tmp_path: Path) -> None:
    """Whatever the protocol; training into the same place again is a new version."""
    import fsspec

    place = copytree(artifacts["one"], tmp_path / "place")
    with serving(place) as server:
        uri = {"http": server.uri, "file": place.as_uri(), "memory": "memory://place"}[scheme]
        mirror = Mirror(uri, tmp_path / "here", SPACE)
        for name in ("one", "two"):
            copytree(artifacts[name], place, dirs_exist_ok=True)
            if scheme == "memory":
                fsspec.filesystem("memory").put(f"{place}/", "/place/", recursive=True)
            assert mirror.pull()
        assert not mirror.pull()
    assert len(ModelStore(tmp_path / "here").versions()) == 2


def test_a_folder_of_another_origin_is_not_overwritten(source: ModelStore, server: Server, tmp_path: Path) -> None:
    """A store somebody keeps by hand, one artifact, or the copy of another source."""
    with pytest.raises(ArtifactError, match="a folder of its own"):
        Mirror(server.uri, source.folder, SPACE)
    publish_small(tmp_path / "model", 1)
    with pytest.raises(ArtifactError, match="a folder of its own"):
        Mirror(server.uri, tmp_path / "model", SPACE)
    Mirror(server.uri, tmp_path / "here", SPACE).pull()
    with pytest.raises(ArtifactError, match="a folder of its own"):
        Mirror(f"{server.uri}/elsewhere", tmp_path / "here", SPACE)
