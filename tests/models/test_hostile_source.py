"""A source that means harm, over a real HTTP server: what it can make a worker read, wait for, or believe."""

import gzip
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from shutil import copytree
from tempfile import mkdtemp

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_server import Quiet, Server, serving
from signing_keys import keys
from trained import publish_small

from streamrec.content.encoder import HashedEncoder
from streamrec.errors import ArtifactError
from streamrec.models import remote_files
from streamrec.models import rollout as moves
from streamrec.models.artifact import MANIFEST, PROBE, WEIGHTS
from streamrec.models.manifest import decode, encode
from streamrec.models.mirror import Mirror
from streamrec.models.rollout import LARGEST, Rollout
from streamrec.models.signature import sign
from streamrec.models.signed_rollout import signed
from streamrec.models.store import ROLLOUT, ModelStore, wanted

SPACE = HashedEncoder().space_id
MIB = 1 << 20


@pytest.fixture
def source(tmp_path: Path) -> ModelStore:
    """A store with one version, stable; not signed."""
    store = ModelStore(tmp_path / "source")
    publish_small(tmp_path / "one", 1)
    one = store.add(tmp_path / "one").version
    store.change(lambda now: moves.promote(now, one, "2026-01-05T09:00:00+00:00", ""))
    return store


@pytest.fixture
def server(source: ModelStore) -> Iterator[Server]:
    """It, over HTTP."""
    with serving(source.folder) as found:
        yield found


def refusal(mirror: Mirror) -> str:
    """Why the source was not followed."""
    with pytest.raises(ArtifactError) as refused:
        mirror.pull()
    return str(refused.value)


class Sent:
    """Counts what a server could send before it was cut off."""

    def __init__(self, chunk: bytes, most: int, headers: dict[str, str], pause_s: float = 0) -> None:
        self.chunk, self.most, self.headers, self.pause_s, self.count = chunk, most, headers, pause_s, 0

    def __call__(self, request: Quiet) -> None:
        """200, whatever range was asked for, and the chunk over and over."""
        request.send_response(200)
        for header in self.headers.items():
            request.send_header(*header)
        request.end_headers()
        with suppress(OSError):
            while self.count < self.most:
                request.wfile.write(self.chunk)
                self.count += len(self.chunk)
                time.sleep(self.pause_s)


@pytest.mark.parametrize("name", [ROLLOUT, MANIFEST, WEIGHTS, PROBE])
def test_a_file_that_does_not_end_is_cut_off(server: Server, tmp_path: Path, name: str) -> None:
    """By what may be in it, not by what the source sends: a range that is asked for binds nobody."""
    endless = server.answers[name] = Sent(b"{" * MIB, 400 * MIB, {})
    assert "more than" in refusal(Mirror(server.uri, tmp_path / "here", SPACE))
    assert endless.count < 16 * MIB


def test_a_file_that_grows_as_it_is_unpacked_is_not_unpacked(server: Server, tmp_path: Path) -> None:
    """A megabyte of gzip can hold a gigabyte; nothing of ours is worth packing."""
    bomb = gzip.compress(bytes(32 * MIB), 1)
    server.answers[ROLLOUT] = Sent(bomb, len(bomb), {"Content-Encoding": "gzip", "Content-Length": str(len(bomb))})
    assert "gzip" in refusal(Mirror(server.uri, tmp_path / "here", SPACE))


def test_a_byte_a_moment_is_given_up(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes in time, the file never does."""
    monkeypatch.setattr(remote_files, "PATIENCE_S", 0.5, raising=False)
    server.answers[ROLLOUT] = Sent(b" ", 100, {"Content-Length": "100"}, pause_s=0.1)
    began = time.monotonic()
    assert "longer than" in refusal(Mirror(server.uri, tmp_path / "here", SPACE))
    assert time.monotonic() - began < 5


def test_only_what_a_signed_manifest_names_is_fetched(source: ModelStore, server: Server, tmp_path: Path) -> None:
    """The signature comes first: what somebody else's manifest names is never asked for."""
    (_, public), (theirs, _) = (keys(tmp_path, name) for name in ("ours", "theirs"))
    folder = source.path(source.rollout().stable)
    sign(folder, theirs)
    assert refusal(Mirror(server.uri, tmp_path / "here", SPACE, public))
    assert not {WEIGHTS, PROBE} & set(server.asked)


def test_a_manifest_with_more_files_than_a_model_has_is_refused(
    source: ModelStore, server: Server, tmp_path: Path
) -> None:
    """None of them is asked for, so that nobody fills a disk by naming."""
    folder = source.path(source.rollout().stable)
    said = name_more(folder, {f"extra{number}.bin": "0" * 64 for number in range(40)})
    version = folder.with_name(said)
    folder.rename(version)
    source.change(lambda now: moves.promote(now, said, "2026-01-06T09:00:00+00:00", ""))
    assert "extra" in refusal(Mirror(server.uri, tmp_path / "here", SPACE))
    assert [name for name in server.asked if name not in {ROLLOUT, MANIFEST}] == []


def name_more(folder: Path, more: dict[str, str]) -> str:
    """Name more files in a manifest, sealed again; its version."""
    manifest = decode((folder / MANIFEST).read_bytes(), "")
    sealed = msgspec.structs.replace(manifest, files=manifest.files | more).sealed()
    (folder / MANIFEST).write_bytes(encode(sealed))
    return sealed.version


def redirecting(to: str) -> Callable[[Quiet], None]:
    """An answer that sends elsewhere."""

    def answer(request: Quiet) -> None:
        request.send_response(302)
        request.send_header("Location", to)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


def test_nobody_is_sent_to_another_origin(source: ModelStore, server: Server, tmp_path: Path) -> None:
    """A host inside the network is not for the source to name; within the origin a redirect is followed."""
    with serving(source.folder) as inside:
        server.answers[ROLLOUT] = redirecting(f"{inside.uri}/{ROLLOUT}")
        assert "redirect" in refusal(Mirror(server.uri, tmp_path / "here", SPACE))
        assert inside.asked == []
    (source.folder / "moved.json").write_bytes((source.folder / ROLLOUT).read_bytes())
    server.answers[ROLLOUT] = redirecting("/moved.json")
    assert Mirror(server.uri, tmp_path / "here", SPACE).pull()
    server.answers[ROLLOUT] = redirecting(f"/{ROLLOUT}")
    assert "redirect" in refusal(Mirror(server.uri, tmp_path / "here", SPACE))


def test_headers_that_do_not_end_are_cut_off(server: Server, tmp_path: Path) -> None:
    """What stands before a file counts, too."""
    sent = 0

    def answer(request: Quiet) -> None:
        nonlocal sent
        line = b"X: " + b"x" * 4000 + b"\r\n"
        with suppress(OSError):
            request.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while sent < 64 * MIB:
                request.wfile.write(line)
                sent += len(line)

    server.answers[ROLLOUT] = answer
    assert refusal(Mirror(server.uri, tmp_path / "here", SPACE))
    assert sent < 16 * MIB


class Signed:
    """A source of two versions that are signed, and a folder that checks signatures."""

    def __init__(self, home: Path) -> None:
        self.private, self.public = keys(home, "ours")
        self.store, self.here = ModelStore(home / "source"), home / "here"
        self.versions = []
        for seed in (1, 2):
            publish_small(home / str(seed), seed)
            sign(home / str(seed), self.private)
            self.versions.append(self.store.add(home / str(seed)).version)

    def say(self, stable: int, serial: int, *, is_signed: bool = True, at: str = "") -> None:
        """Have the source say this."""
        said = Rollout(self.versions[stable], changed_at=at, serial=serial)
        self.store.replace(ROLLOUT, msgspec.json.encode(signed(said, self.private) if is_signed else said))

    def mirror(self, *, is_checking: bool = True) -> Mirror:
        """As a worker makes it when it starts."""
        return Mirror(self.store.folder.as_uri(), self.here, SPACE, self.public if is_checking else None)

    def served(self) -> int:
        """Which of both."""
        return self.versions.index(wanted(self.here).stable)


@pytest.fixture(scope="module")
def signed_source(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    """For all tests here: each begins with a folder of its own."""
    return Signed(tmp_path_factory.mktemp("signed"))


@pytest.fixture
def both(signed_source: Signed, tmp_path: Path) -> Signed:
    """With an empty folder."""
    signed_source.here = tmp_path / "here"
    return signed_source


def test_a_forged_rollout_takes_nobody_back(both: Signed) -> None:
    """An older version is validly signed for ever: who serves is signed, too, and what a year says decides nothing."""
    both.say(1, 5, at="2026-01-05T09:00:00+00:00")
    assert both.mirror().pull()
    both.say(0, 6, is_signed=False, at="9999-01-05T09:00:00+00:00")
    assert "is not signed" in refusal(both.mirror())
    both.say(0, 4)
    assert "number of its rollout is 4, expected more than 5" in refusal(both.mirror())
    both.say(0, 5)
    assert "a replay?" in refusal(both.mirror())
    assert both.served() == 1
    both.say(0, 6, at="1970-01-05T09:00:00+00:00")
    assert both.mirror().pull()
    assert both.served() == 0


def test_what_nobody_signed_shuts_nobody_out(both: Signed) -> None:
    """A number that was forged before keys came into use does not count against the first that is signed."""
    both.say(0, LARGEST, is_signed=False)
    assert both.mirror(is_checking=False).pull()
    both.say(1, 5)
    assert both.mirror().pull()
    both.say(0, LARGEST, is_signed=False)
    assert "is not signed" in refusal(both.mirror())
    both.say(0, 4)
    assert "expected more than 5" in refusal(both.mirror())
    assert both.served() == 1


def test_one_artifact_never_follows_a_signed_store(both: Signed, tmp_path: Path) -> None:
    """Whoever hides the rollout would choose among all that was ever signed."""
    both.say(1, 5)
    source = copytree(both.store.folder, tmp_path / "source")
    assert Mirror(source.as_uri(), both.here, SPACE, both.public).pull()
    (source / ROLLOUT).unlink()
    copytree(both.store.path(both.versions[0]), source, dirs_exist_ok=True)
    assert "expected the store that was here" in refusal(Mirror(source.as_uri(), both.here, SPACE, both.public))


def test_one_artifact_that_is_signed_is_followed_by_later_ones(both: Signed, tmp_path: Path) -> None:
    """Its time is signed with it, and is its number; one that was made before is a replay."""
    for version in (0, 1):
        copytree(both.store.path(both.versions[version]), tmp_path / "one", dirs_exist_ok=True)
        assert Mirror((tmp_path / "one").as_uri(), both.here, SPACE, both.public).pull()
        assert both.served() == version
    copytree(both.store.path(both.versions[0]), tmp_path / "one", dirs_exist_ok=True)
    assert "a replay?" in refusal(Mirror((tmp_path / "one").as_uri(), both.here, SPACE, both.public))


def test_a_number_counts_from_before_it_is_followed(both: Signed, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that ends in between takes the same again, and nothing from before it."""
    both.say(0, 5)
    assert both.mirror().pull()
    both.say(1, 7)
    ended = both.mirror()
    monkeypatch.setattr(ended._store, "change", lambda _: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        ended.pull()
    both.say(0, 6)
    assert "expected more than 7" in refusal(both.mirror())
    both.say(1, 7)
    assert both.mirror().pull()
    assert both.served() == 1
    (both.here / ROLLOUT).unlink()
    assert both.mirror().pull()
    assert not both.mirror().pull()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(1, 6), st.booleans(), st.booleans()), max_size=6))
def test_the_number_never_goes_back(both: Signed, seen: list[tuple[int, int, bool, bool]]) -> None:
    """Whatever order rollouts are seen in, forged ones among them, and however often the worker starts again."""
    both.here = Path(mkdtemp(dir=both.here.parent))
    mirror, last, serves = both.mirror(), 0, None
    for stable, serial, is_signed, is_restarted in seen:
        both.say(stable, serial, is_signed=is_signed)
        mirror = both.mirror() if is_restarted else mirror
        with suppress(ArtifactError):
            mirror.pull()
        if is_signed and serial > last:
            last, serves = serial, stable
        if serves is not None:
            assert both.served() == serves
            assert mirror._taken().signed_serial == last
