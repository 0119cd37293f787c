"""A broker with every kind of listener, authorities and users, and settings that reach it in each way."""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest
from certificates import DAY, Authority
from token_endpoint import Endpoint, token_endpoint

from streamrec.kafka.permissions import CODES, ROLES, Need, Operation
from streamrec.kafka.reaching import opened
from streamrec.settings import Settings, load
from streamrec.tools.local_kafka.local_kafka import local_kafka
from streamrec.tools.local_kafka.process import LocalKafka
from streamrec.tools.local_kafka.secured import Listener, Secured

USER, PASSWORD, CLIENT, SECRET = "robot", "correct horse: battery", "oauth-robot", "s3cret&of=client"
NOBODY_LISTENS = "http://127.0.0.1:9/token"  # port 9: discard
KEY_PASSWORD = "a key's password"  # noqa: S105 - of a key made in the test
DENY, ALLOW = 2, 3
RESOURCES: Mapping[Literal["topic", "group", "transactional-id"], int] = {"topic": 2, "group": 3, "transactional-id": 5}
SECRETS = (PASSWORD, SECRET, KEY_PASSWORD)


class Consulted(NamedTuple):
    """A line of the authorizer's log."""

    principal: str
    answer: str
    operation: str
    resource: str
    name: str


CONSULTED = re.compile(
    r"Principal = (\S+) is (Allowed|Denied) operation = (\S+) .* resource = (\w+):LITERAL:(\S+) for "
)


def acls_in(printed: str) -> Iterator[tuple[str, Need]]:
    """The ACLs of `kafka-acls` commands, and whose they are."""
    for words in (shlex.split(line) for line in printed.splitlines() if not line.startswith("#")):
        given = dict(pairwise(words))
        (kind,) = (kind for kind in RESOURCES if f"--{kind}" in given)
        is_prefix = given.get("--resource-pattern-type") == "prefixed"
        for operation in (after for word, after in pairwise(words) if word == "--operation"):
            yield given["--allow-principal"], Need(cast(Operation, operation), kind, given[f"--{kind}"], is_prefix)


class SecuredKafka(NamedTuple):
    """What a test needs to reach the broker, rightly and wrongly."""

    broker: LocalKafka
    ours: Authority
    foreign: Authority
    folder: Path
    tokens: Endpoint

    def settings(self, way: str, **more: Any) -> Settings:
        """Settings of one way to reach it: `SSL`, `MUTUAL`, or a protocol with a mechanism as `SASL_SSL PLAIN`."""
        listener, _, mechanism = way.partition(" ")
        given: dict[str, Any] = {
            "brokers": f"127.0.0.1:{self.broker.ports.get(listener, self.broker.port)}",
            "security_protocol": listener if listener in PROTOCOLS else "SSL",
            "broker_wait_s": 5.0,
            "partitions": 2,
            "session_timeout_s": 2.0,
            "session_gap_s": 0.0,
            "quiet_from": "00:00",
            "quiet_to": "00:00",
            "web_port": 0,
        }
        if "SSL" in given["security_protocol"]:
            given["ssl_ca_file"] = self.ours.file
        if listener == "MUTUAL":
            given |= {"ssl_certificate_file": self.folder / "ours" / f"{USER}.pem"}
            given |= {"ssl_key_password_file": self.file(KEY_PASSWORD)}
        if mechanism == "OAUTHBEARER":
            given |= {
                "sasl_oauthbearer_token_endpoint_url": self.tokens.url,
                "sasl_oauthbearer_client_id": CLIENT,
                "sasl_oauthbearer_client_secret_file": self.file(SECRET),
            }
        elif mechanism:
            given |= {"sasl_username": USER, "sasl_password_file": self.file(PASSWORD)}
        if mechanism:
            given["sasl_mechanism"] = mechanism
        return load({}, **{**given, **more})

    def settings_of(self, role: str, **more: Any) -> Settings:
        """Settings of a user of this name, who may do what ACLs allow."""
        return self.settings("SASL_SSL SCRAM-SHA-256", sasl_username=role, **more)

    async def allow(self, printed: str, permission: int = ALLOW) -> None:
        """Add ACLs given as `kafka-acls` commands; DENY: such as take away what others give."""
        async with opened(self.settings("PLAINTEXT"), ("127.0.0.1", self.broker.port)) as broker:
            for principal, need in acls_in(printed):
                pattern = 4 if need.is_prefix else 3
                what = RESOURCES[need.resource], need.name, pattern, principal, "*", CODES[need.operation], permission
                created = await broker.send(CreateAclsRequest(*what))
                assert not created.creation_responses[0][0]

    async def take(self, principal: str, needs: Iterable[Need]) -> None:
        """Remove ACLs."""
        async with opened(self.settings("PLAINTEXT"), ("127.0.0.1", self.broker.port)) as broker:
            for need in needs:
                pattern = 4 if need.is_prefix else 3
                what = RESOURCES[need.resource], need.name, pattern, principal, "*", CODES[need.operation], ALLOW
                removed = await broker.send(DeleteAclsRequest(*what))
                ((code, _, found),) = removed.filter_responses
                assert not code
                assert len(found) == 1

    def consulted(self, skip: int = 0) -> list[Consulted]:
        """What the broker's authorizer was asked because of a request, and what it said; without the first so many."""
        log = self.broker.folder / "authorizer.log"
        found = map(CONSULTED.match, log.read_text().splitlines())
        return [Consulted(*one.groups()) for one in found if one][skip:]

    def file(self, secret: str) -> Path:
        """A file that holds this secret, as an editor or `kubectl create secret` leaves it."""
        path = self.folder / f"secret-{hash(secret)}"
        path.write_text(f"{secret}\n")
        return path


PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")


@contextmanager
def secured_kafka(folder: Path, cache: Path | None = None, **more: str | int) -> Iterator[SecuredKafka]:
    """A broker with these listeners: SSL, MUTUAL, SASL_PLAINTEXT, SASL_SSL, and two whose certificates are no good.

    SASL_PLAINTEXT ends connections with the token that opened them.
    """
    ours, foreign = Authority.made(folder, "ours"), Authority.made(folder, "foreign")
    good = ours.issue("broker")
    ours.issue(USER, password=KEY_PASSWORD)
    secured = Secured(
        {
            "SSL": Listener("SSL", good),
            "MUTUAL": Listener("SSL", good, asks_for_certificates=True),
            "SASL_PLAINTEXT": Listener("SASL_PLAINTEXT"),
            "SASL_SSL": Listener("SASL_SSL", good),
            "EXPIRED": Listener("SSL", ours.issue("expired", ends=-DAY)),
            "ELSEWHERE": Listener("SSL", ours.issue("elsewhere", host="kafka.elsewhere.example")),
        },
        ours.file,
        dict.fromkeys([USER, *ROLES], PASSWORD),
        (f"User:{USER}", f"User:{CLIENT}", f"User:CN={USER}"),
        {"listener.name.sasl_plaintext.oauthbearer.connections.max.reauth.ms": 3_600_000, **more},
    )
    with (
        local_kafka(cache, secured=secured) as broker,
        token_endpoint(CLIENT, SECRET) as tokens,
    ):
        yield SecuredKafka(broker, ours, foreign, folder, tokens)
