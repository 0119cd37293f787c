"""Files below a URI, read through fsspec: file://, http(s)://, s3://, gs://, and whatever else it has a package for.

Credentials come from where each package looks for them (environment, ~/.aws, ~/.netrc), never from the URI, which
stands in logs. Nothing is listed and nothing is written: a worker needs the right to read single files only.

The source is not trusted. A file is read up to a limit, in bytes as they arrive: one byte more, and it is refused. It
has until a deadline that follows from the limit, however little comes at a time. http_files.py has the rest for HTTP.

    SettingsError         the URI names no protocol fsspec knows here
    UnreachableError      the source gives no answer now, breaks off, or is too slow; asking again may help
    FileNotFoundError     it answers that there is no such file
    ArtifactError         it answers with what no model is
"""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from ..errors import ArtifactError, SettingsError
from .allowance import CHUNK, Allowance, UnreachableError
from .http_files import options as http_options
from .http_files import read as read_over_http

PATIENCE_S = 30.0  # for any file
SLOWEST = 1 << 20  # bytes a second, beyond that
GRACE_S = 1.0  # for a loop that is busy
LIMIT = 256 << 20  # bytes of a file whose size nobody states; the default ranker has one megabyte
EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs"}  # what pip has to be asked for
GOOGLE = frozenset({"gs", "gcs"})
AS_STORED = {"session_kwargs": {"auto_decompress": False}}  # gcsfs unpacks by itself otherwise
AT_ONCE: dict[str, Any] = {
    "headers": {}
}  # with headers of one's own, gcsfs asks for the file alone, and not for its bucket before


class Remote:
    """Reads files below one URI through fsspec; its errors say which file and why."""

    def __init__(self, uri: str) -> None:
        import fsspec  # noqa: PLC0415 - only where a URI is given

        self.uri = uri.rstrip("/")
        self._protocol = urlsplit(self.uri).scheme
        self._is_http = self._protocol in {"http", "https"}
        options = http_options() if self._is_http else AS_STORED if self._protocol in GOOGLE else {}
        try:
            self._files, self._path = fsspec.core.url_to_fs(self.uri, **options)
        except ImportError as error:
            extra = EXTRAS.get(self._protocol)
            cure = f"pip install 'streamrec[{extra}]'" if extra else f"install {error.name}"
            raise SettingsError(f"{self.uri}: the package that reads {self._protocol}:// is missing; {cure}") from None
        except ValueError as error:
            raise SettingsError(f"{self.uri}: {error}; expected file://, http(s)://, s3:// or gs://") from None

    def read(self, name: str, limit: int = LIMIT) -> bytes:
        """Content of a file below the URI, at most `limit` bytes; FileNotFoundError if it is not there."""
        at, path = f"{self.uri}/{name}", f"{self._path.rstrip('/')}/{name}"
        allowance = Allowance(at, limit, deadline_s(limit))
        try:
            if self._is_http:
                return self._awaited(self._over_http(at, allowance), allowance)
            if self._files.async_impl:
                return self._copied(path, allowance)
            return self._streamed(path, allowance)
        except (FileNotFoundError, ArtifactError):
            raise
        except Exception as error:  # noqa: BLE001 - each package has its own
            raise UnreachableError(f"{at}: cannot be read ({type(error).__name__}: {error})") from None

    def _awaited(self, work: Coroutine[Any, Any, bytes], allowance: Allowance) -> bytes:
        """A package that blocks the loop, as for a token, is given up as well."""
        coming = asyncio.run_coroutine_threadsafe(allowance.in_time(work), self._files.loop)
        try:
            return coming.result(allowance.deadline_s + GRACE_S)
        except TimeoutError:
            coming.cancel()
            raise

    async def _over_http(self, url: str, allowance: Allowance) -> bytes:
        return await read_over_http(await self._files.set_session(), url, allowance)

    def _copied(self, path: str, allowance: Allowance) -> bytes:
        """Through a file, because that is what fsspec's asynchronous file systems can all write to as they read."""
        with _scratch() as folder:
            to = Path(folder) / "coming"

            async def copy() -> bytes:
                more = AT_ONCE if self._protocol in GOOGLE else {}
                await self._files._get_file(path, str(to), callback=allowance.as_callback(), **more)  # noqa: SLF001
                return to.read_bytes()

            return self._awaited(copy(), allowance)

    def _streamed(self, path: str, allowance: Allowance) -> bytes:
        with self._files.open(path, "rb") as file:
            return allowance.gathered(iter(lambda: file.read(CHUNK), b""))


def deadline_s(limit: int) -> float:
    """How long a file of at most so many bytes may take."""
    return PATIENCE_S + limit / SLOWEST


def _scratch() -> "TemporaryDirectory[str]":
    try:
        return TemporaryDirectory(prefix="streamrec-")
    except OSError as error:  # FileNotFoundError among them, which would be read as an answer of the source
        raise ArtifactError(f"no folder for what is being fetched ({error}); set TMPDIR to one") from None
