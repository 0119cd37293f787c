"""A file over HTTP, read as it is: whole, not packed, and from the origin that was named.

A range is not asked for, since a server need not heed it. Nothing is unpacked: a megabyte of gzip can hold a gigabyte.
A redirect is followed within scheme, host and port; elsewhere would be for the source to choose, and could be a host
inside the network that only the worker reaches.
"""

from typing import TYPE_CHECKING, Any

from ..errors import ArtifactError
from .allowance import CHUNK, Allowance, UnreachableError

if TYPE_CHECKING:
    import aiohttp
    from yarl import URL

TIMEOUT_S = 10.0  # without a byte
REDIRECTS = frozenset({301, 302, 303, 307, 308})
HOPS = 3


def options() -> dict[str, Any]:
    """For fsspec's session."""
    import aiohttp  # noqa: PLC0415 - only where a URI is given

    timeout = aiohttp.ClientTimeout(total=None, sock_connect=TIMEOUT_S, sock_read=TIMEOUT_S)
    return {"client_kwargs": {"timeout": timeout, "trust_env": True, "auto_decompress": False}}


async def read(session: "aiohttp.ClientSession", url: str, allowance: Allowance) -> bytes:
    """The content; FileNotFoundError for 404, UnreachableError for another status, ArtifactError for the rest."""
    from yarl import URL  # noqa: PLC0415 - as above

    here = URL(url)
    for _ in range(HOPS + 1):
        async with session.get(here, allow_redirects=False, headers={"Accept-Encoding": "identity"}) as answer:
            if answer.status in REDIRECTS:
                here = _followed(here, answer.headers.get("Location", ""), url)
                continue
            if answer.status == 404:
                raise FileNotFoundError(url)
            if answer.status != 200:
                raise UnreachableError(f"{url}: cannot be read (the server answers {answer.status}, expected 200)")
            _check_is_plain(answer.headers.get("Content-Encoding", "identity"), url)
            return await allowance.gathered_async(answer.content.iter_chunked(CHUNK))
    raise ArtifactError(f"{url}: more than {HOPS} redirects, expected the file; is it a loop?")


def _followed(here: "URL", location: str, url: str) -> "URL":
    from yarl import URL  # noqa: PLC0415 - as above

    try:
        there = here.join(URL(location))
        is_same = there.origin() == here.origin()
    except ValueError:
        raise ArtifactError(f"{url}: a redirect to {location[:80]!r}, expected an address") from None
    if not is_same:
        raise ArtifactError(
            f"{url}: a redirect to another origin, {str(there.origin())[:80]!r}, is not followed; if it is yours, name"
            " it in STREAMREC_MODEL_URI"
        )
    return there


def _check_is_plain(encoding: str, url: str) -> None:
    if encoding.lower() != "identity":
        raise ArtifactError(
            f"{url}: comes packed ({encoding[:20]!r}), expected it as it is; switch compression off where it is served"
        )
