"""The model store: what is in it can be served, and rollout.json is never half written."""

import json
import threading
from pathlib import Path
from shutil import copytree, rmtree

import pytest
from signing_keys import keys
from trained import publish_small

from streamrec.errors import ArtifactError
from streamrec.models import rollout as moves
from streamrec.models.artifact import MANIFEST, PROBE, WEIGHTS, load
from streamrec.models.rollout import Rollout
from streamrec.models.signature import SIGNATURE, sign
from streamrec.models.store import ROLLOUT, VERSIONS, ModelStore, is_store, wanted


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two artifact folders."""
    home = tmp_path_factory.mktemp("models")
    for seed in (1, 2):
        publish_small(home / str(seed), seed)
    return home / "1", home / "2"


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    """A store that is not made yet."""
    return ModelStore(tmp_path / "store")


def test_a_folder_is_an_artifact_or_a_store(models: tuple[Path, Path], store: ModelStore) -> None:
    """STREAMREC_MODEL_DIR may be either; what serves is said the same way."""
    assert not is_store(models[0])
    plain = wanted(models[0])
    assert plain.path(plain.stable) == models[0]
    version = store.add(models[0]).version
    with pytest.raises(ArtifactError, match="streamrec model promote"):
        wanted(store.folder)
    store.change(lambda rollout: moves.promote(rollout, version, "t", ""))
    now = wanted(store.folder)
    assert (now.stable, now.path(now.stable)) == (version, store.folder / VERSIONS / version)


def test_add_copies_what_is_whole_and_refuses_the_rest(models: tuple[Path, Path], store: ModelStore) -> None:
    """A refused artifact leaves nothing behind; adding one again changes nothing."""
    version = store.add(models[0]).version
    assert store.add(models[0]).version == version
    for name in (WEIGHTS, PROBE, MANIFEST):
        broken = store.folder.parent / name
        broken.mkdir()
        for file in models[1].iterdir():
            raw = file.read_bytes()
            (broken / file.name).write_bytes(raw[: len(raw) // 2] if file.name == name else raw)
        with pytest.raises(ArtifactError, match=name):
            store.add(broken)
        (broken / name).unlink()
        with pytest.raises(ArtifactError, match=name):
            store.add(broken)
    assert [path.name for path in (store.folder / VERSIONS).iterdir()] == [version]
    assert list(store.versions()) == [version]


def test_a_version_signed_after_it_was_added_is_signed_when_it_is_added_again(
    models: tuple[Path, Path], store: ModelStore
) -> None:
    """The cure that a refused promotion names works."""
    (private, public), (other, _) = (keys(store.folder.parent, name) for name in ("ours", "theirs"))
    mine = copytree(models[0], store.folder.parent / "mine")
    version = store.add(mine).version
    with pytest.raises(ArtifactError, match=SIGNATURE):
        store.check_fit(version, public)
    sign(mine, private)
    store.add(mine, public)
    store.check_fit(version, public)
    sign(mine, other)
    store.add(mine, public)
    store.add(models[0], public)
    store.check_fit(version, public)  # neither another's signature nor an unsigned copy takes its place


@pytest.mark.parametrize("name", [MANIFEST, WEIGHTS, PROBE])
def test_a_damaged_version_is_mended_by_adding_it_again(
    models: tuple[Path, Path], store: ModelStore, name: str
) -> None:
    """Cut short or gone; a copy that is no better changes nothing, and a signature that was there is good after it."""
    private, public = keys(store.folder.parent, "ours")
    mine = copytree(models[0], store.folder.parent / "mine")
    sign(mine, private)
    version = store.add(mine).version
    file = store.path(version) / name
    for damage in (lambda: file.write_bytes(b"{"), file.unlink):
        damage()
        store.add(models[0])
        store.check_fit(version, public)
    (mine / WEIGHTS).unlink()
    file.write_bytes(b"{")
    with pytest.raises(ArtifactError, match=WEIGHTS):
        store.add(mine)
    assert file.read_bytes() == b"{"


def test_a_worker_reads_a_whole_version_while_it_is_mended(models: tuple[Path, Path], store: ModelStore) -> None:
    """Its folder never disappears and no file is half there, whatever is put right beside the reader."""
    signers = [keys(store.folder.parent, name)[0] for name in ("ours", "theirs")]
    mine = copytree(models[0], store.folder.parent / "mine")
    version = store.add(mine).version

    def mend() -> None:
        for turn in range(40):
            sign(mine, signers[turn % 2])
            store.add(mine)

    writer = threading.Thread(target=mend)
    writer.start()
    reads = 0
    while writer.is_alive():
        load(store.path(version))
        reads += 1
    assert reads


@pytest.mark.parametrize("how", ["damaged", "gone"])
def test_a_stable_version_that_is_lost_can_be_replaced(models: tuple[Path, Path], store: ModelStore, how: str) -> None:
    """A good one is held against itself where nothing is left to hold it against."""
    first, second = (store.add(folder).version for folder in models)
    store.change(lambda rollout: moves.promote(rollout, first, "t", ""))
    if how == "gone":
        rmtree(store.path(first))
    else:
        (store.path(first) / MANIFEST).write_bytes(b"{")
    store.check_fit(second)


@pytest.mark.parametrize("how", ["damaged", "gone"])
def test_a_rollback_to_what_cannot_serve_is_refused(models: tuple[Path, Path], store: ModelStore, how: str) -> None:
    """Workers would go on with what was rolled back from; a canary leaves whatever the version before is."""
    first, second = (store.add(folder).version for folder in models)
    store.change(lambda _: Rollout(stable=second, previous=first))
    if how == "gone":
        rmtree(store.path(first))
    else:
        (store.path(first) / WEIGHTS).write_bytes(b"{")
    with pytest.raises(ArtifactError, match=f"{first}, cannot serve, and nothing was rolled back"):
        store.roll_back("t", "")
    assert store.rollout().stable == second
    store.change(lambda rollout: moves.try_out(rollout, first, 5, "t", ""))
    assert store.roll_back("t", "").canary == ""
    store.add(models[0])
    assert store.roll_back("t", "").stable == first


def test_a_version_that_is_not_there_is_said(store: ModelStore) -> None:
    """And no version is a way out of the store."""
    for version in ("0123456789ab", "../../etc", ""):
        with pytest.raises(ArtifactError, match="streamrec model list"):
            store.path(version)


def test_a_move_that_is_refused_changes_nothing(store: ModelStore) -> None:
    """Nor does one that leaves all as it is: the file's time stays."""
    store.change(lambda rollout: moves.promote(rollout, "a" * 12, "t", "first"))
    before = (store.folder / ROLLOUT).stat().st_mtime_ns
    with pytest.raises(ArtifactError):
        store.change(lambda rollout: moves.roll_back(rollout, "t", ""))
    store.change(lambda rollout: rollout)
    assert (store.folder / ROLLOUT).stat().st_mtime_ns == before
    assert json.loads((store.folder / ROLLOUT).read_bytes())["reason"] == "first"


def test_writers_do_not_overwrite_one_another_and_readers_see_whole_files(store: ModelStore) -> None:
    """Eight writers count in one field, each 25 times, while a reader reads: the sum is right, each read decodes."""
    store.change(lambda _: Rollout(stable="a" * 12, reason="0"))

    def write() -> None:
        for _ in range(25):
            store.change(lambda rollout: Rollout(stable="a" * 12, reason=str(int(rollout.reason) + 1)))

    writers = [threading.Thread(target=write) for _ in range(8)]
    for writer in writers:
        writer.start()
    seen = []
    while any(writer.is_alive() for writer in writers):
        seen.append(int(store.rollout().reason))
    assert seen == sorted(seen)
    assert store.rollout().reason == "200"


def test_a_version_of_other_vectors_or_features_cannot_follow(store: ModelStore, tmp_path: Path) -> None:
    """Promotion names the migration; the first version of a store only has to fit this release's features."""
    publish_small(tmp_path / "one", 1)
    publish_small(tmp_path / "space", 1, space_id="other")
    publish_small(tmp_path / "features", 1, fingerprint="0" * 12)
    first, space, features = (store.add(tmp_path / name).version for name in ("one", "space", "features"))
    store.check_fit(space)
    store.change(lambda rollout: moves.promote(rollout, first, "t", ""))
    for version in (space, features):
        with pytest.raises(ArtifactError, match="streamrec migrate"):
            store.check_fit(version)


def test_a_compressed_teacher_is_no_model_for_a_store(store: ModelStore, tmp_path: Path) -> None:
    """A folder with weights alone is told for what it is, with what would serve; one with nothing is not."""
    folder = tmp_path / "found"
    folder.mkdir()
    with pytest.raises(ArtifactError, match="expected a model folder"):
        store.add(folder)
    (folder / "compressed.safetensors").touch()
    with pytest.raises(ArtifactError, match="which no worker serves; expected one of a recipe that begins"):
        store.add(folder)
