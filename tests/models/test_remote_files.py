"""Files below a URI: the same limit and deadline, whatever fsspec reads with."""

import asyncio
import time
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.asyn import AsyncFileSystem

from streamrec.errors import ArtifactError, SettingsError
from streamrec.models import remote_files
from streamrec.models.allowance import UnreachableError
from streamrec.models.remote_files import Remote


class Bucket(AsyncFileSystem):  # type: ignore[misc]
    """Copies as s3fs and gcsfs do, piece by piece, and means harm: `endless`, `silent`, and one honest file."""

    protocol = "bucket"
    sent = 0

    async def _get_file(self, rpath: str, lpath: str, callback: Any = None, **_: Any) -> None:
        if rpath.endswith("silent"):
            await asyncio.sleep(60)
        if rpath.endswith("stuck"):
            time.sleep(1)  # noqa: ASYNC251 - as a package that fetches its token in the loop
        if rpath.endswith("gone"):
            raise FileNotFoundError(rpath)
        with Path(lpath).open("wb") as file:  # noqa: ASYNC230 - as they do
            while True:
                file.write(bytes(1000))
                Bucket.sent += 1000
                callback.relative_update(1000)
                if rpath.endswith("honest"):
                    return


@pytest.fixture
def bucket() -> Remote:
    """Of an asynchronous file system, as s3:// and gs:// are."""
    fsspec.register_implementation("bucket", Bucket, clobber=True)
    Bucket.sent = 0
    return Remote("bucket://models/")


def test_an_object_store_is_cut_off_too(bucket: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    """By bytes that arrive, and by time while none does; what is honest comes whole, and what is missing is said so."""
    assert bucket.read("honest", 1000) == bytes(1000)
    with pytest.raises(ArtifactError, match="more than 5,000 bytes"):
        bucket.read("endless", 5000)
    assert Bucket.sent == 7000
    with pytest.raises(FileNotFoundError):
        bucket.read("gone", 5000)
    monkeypatch.setattr(remote_files, "PATIENCE_S", 0.1)
    with pytest.raises(UnreachableError, match="takes longer than"):
        bucket.read("silent", 5000)
    monkeypatch.setattr(remote_files, "GRACE_S", 0.1)
    with pytest.raises(UnreachableError, match="stuck: cannot be read"):
        bucket.read("stuck", 5000)


def test_a_file_of_a_folder_is_cut_off_too(tmp_path: Path) -> None:
    """A file that is as large as may be is read, a byte more is not."""
    (tmp_path / "it").write_bytes(bytes(300_000))
    remote = Remote(tmp_path.as_uri())
    assert remote.read("it", 300_000) == bytes(300_000)
    with pytest.raises(ArtifactError, match="more than 299,999 bytes"):
        remote.read("it", 299_999)
    with pytest.raises(FileNotFoundError):
        remote.read("other", 10)


@pytest.mark.parametrize(("uri", "words"), [("nothing://x", "nothing"), ("s3://bucket/models", r"streamrec\[s3\]")])
def test_a_uri_nobody_can_read_says_what_is_missing(uri: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A protocol that does not exist, or a package that is not installed."""
    monkeypatch.setitem(__import__("sys").modules, "s3fs", None)
    with pytest.raises(SettingsError, match=words):
        Remote(uri)
