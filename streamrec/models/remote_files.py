"""Files below a URI, read through fsspec: file://, http(s)://, s3://, gs://, and whatever else it has a package for.

Credentials come from where each package looks for them (environment, ~/.aws, ~/.netrc), never from the URI, which
stands in logs. Nothing is listed and nothing is written: a worker needs the right to read single files only.

    SettingsError         the URI names no protocol fsspec knows here
    UnreachableError      the source gives no answer now, or breaks off; asking again may help
    FileNotFoundError     it answers that there is no such file
"""

from typing import Any

from ..errors import ArtifactError, SettingsError

TIMEOUT_S = 10.0  # without a byte, over HTTP
LIMIT = 256 << 20  # bytes of one file; the default ranker has one megabyte
EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs"}  # what pip has to be asked for


class UnreachableError(ArtifactError):
    """Raised where the source does not answer, or breaks off."""


class Remote:
    """Reads files below one URI through fsspec; its errors say which file and why."""

    def __init__(self, uri: str) -> None:
        import fsspec  # noqa: PLC0415 - only where a URI is given

        self.uri = uri.rstrip("/")
        protocol = uri.partition("://")[0]
        try:
            self._files, self._path = fsspec.core.url_to_fs(self.uri, **_options(protocol))
        except ImportError as error:
            cure = f"pip install 'streamrec[{EXTRAS[protocol]}]'" if protocol in EXTRAS else f"install {error.name}"
            raise SettingsError(f"{self.uri}: the package that reads {protocol}:// is missing; {cure}") from None
        except ValueError as error:
            raise SettingsError(f"{self.uri}: {error}; expected file://, http(s)://, s3:// or gs://") from None

    def read(self, name: str) -> bytes:
        """Content of a file below the URI, at most LIMIT bytes; FileNotFoundError, or UnreachableError for all else."""
        at = f"{self.uri}/{name}"
        try:
            found: bytes = self._files.cat_file(f"{self._path.rstrip('/')}/{name}", start=0, end=LIMIT + 1)
        except FileNotFoundError:
            raise
        except Exception as error:  # noqa: BLE001 - each package has its own
            raise UnreachableError(f"{at}: cannot be read ({type(error).__name__}: {error})") from None
        if len(found) > LIMIT:
            raise ArtifactError(f"{at}: more than {LIMIT:,} bytes, expected less; is it a model of ours?")
        return found


def _options(protocol: str) -> dict[str, Any]:
    """What fsspec's defaults leave open: over HTTP a silent server would be waited for five minutes."""
    if not protocol.startswith("http"):
        return {}
    import aiohttp  # noqa: PLC0415 - as above

    timeout = aiohttp.ClientTimeout(total=None, sock_connect=TIMEOUT_S, sock_read=TIMEOUT_S)
    return {"client_kwargs": {"timeout": timeout, "trust_env": True}}
