"""One token for all clients, fetched by client credentials, and another before it ends."""

import asyncio
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from certificates import Authority
from token_endpoint import Endpoint as Served
from token_endpoint import token_endpoint

from streamrec.errors import KafkaError
from streamrec.kafka.connection import tokens
from streamrec.kafka.tokens import Endpoint, NoTokenError, Tokens
from streamrec.settings import load

SECRET = "a secret&of=ours"  # noqa: S105 - of a server made in the test


@pytest.fixture
def served() -> Iterator[Served]:
    """An endpoint that knows one client, with tokens of 100 s."""
    with token_endpoint("robot", SECRET, life_s=100.0) as endpoint:
        yield endpoint


class Clock:
    """A time that stands still until it is set."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def at(url: str, secret: str = SECRET, scope: str = "kafka read") -> Endpoint:
    """The endpoint as settings would describe it."""
    return Endpoint(url, "robot", secret, scope, (("pool", "p1"),), ssl.create_default_context())


def test_a_token_is_kept_until_four_fifths_of_its_life_are_over(served: Served) -> None:
    """However many clients ask for it, and whatever thread they run in."""
    clock = Clock()
    kept = Tokens(at(served.url), clock)
    with ThreadPoolExecutor(8) as pool:
        first = set(pool.map(lambda _: kept.current(), range(20)))
    assert (len(first), served.given) == (1, 1)
    assert served.forms == [{"grant_type": ["client_credentials"], "scope": ["kafka read"]}]
    clock.now_s += 79.0
    assert {kept.current()} == first
    clock.now_s += 2.0
    assert asyncio.run(kept.token()) not in first
    assert served.given == 2
    assert kept.extensions() == {"pool": "p1"}


def test_a_token_is_used_to_its_end_while_the_endpoint_is_away(served: Served) -> None:
    """Then there is none, and the sentence says why."""
    clock = Clock()
    kept = Tokens(at(served.url), clock)
    token = kept.current()
    served.expected = "nobody"
    clock.now_s += 99.0
    assert kept.current() == token
    clock.now_s += 2.0
    with pytest.raises(KafkaError, match=r"gives client 'robot' no token: it answers 401 invalid_client$"):
        kept.current()


def test_a_wrong_secret_is_no_part_of_what_is_said(served: Served) -> None:
    """Nor of how the endpoint is shown; the server's own words are left out."""
    endpoint = at(served.url, "another secret")
    with pytest.raises(NoTokenError) as refused:
        endpoint.fetch()
    assert (
        str(refused.value)
        == f"the token endpoint {served.url} gives client 'robot' no token: it answers 401 invalid_client"
    )
    assert "secret" not in repr(endpoint)


def test_the_endpoint_must_have_a_certificate_of_the_authorities(tmp_path: Path) -> None:
    """Those that the setting names; the cluster's are others."""
    ours, foreign = Authority.made(tmp_path, "ours"), Authority.made(tmp_path, "foreign")
    (tmp_path / "secret").write_text(SECRET)
    with token_endpoint("robot", SECRET, certificate=ours.issue("endpoint")) as endpoint:
        settings = load(
            {},
            security_protocol="SASL_SSL",
            sasl_mechanism="OAUTHBEARER",
            sasl_oauthbearer_client_id="robot",
            sasl_oauthbearer_client_secret_file=tmp_path / "secret",
            sasl_oauthbearer_token_endpoint_url=endpoint.url,
            sasl_oauthbearer_ca_file=ours.file,
        )
        assert tokens(settings).current()
        with pytest.raises(KafkaError, match=r"no token: its certificate is not trusted \(.*\); STREAMREC_SASL_OA"):
            tokens(settings.changed(sasl_oauthbearer_ca_file=foreign.file)).current()


def test_aiokafka_takes_a_missing_token_for_a_broker_that_is_away() -> None:
    """It catches OSError where it opens connections; anything else would end its tasks."""
    assert issubclass(NoTokenError, OSError)
    with pytest.raises(OSError, match=r"^the token endpoint http://127\.0\.0\.1:9/ gives client 'robot' no token: "):
        at("http://127.0.0.1:9/").fetch()
