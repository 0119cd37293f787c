"""Who needs which ACLs: one table, for `streamrec topics acl` and for the check before anything that needs them starts.

Brokers say what a client may do with a topic or a group where they are asked to (KIP-430). Without asking, a missing
ACL looks like a missing topic, or like a group that nothing ever comes from. Brokers that do not tell, as some that are
not Apache's, are taken to allow it: their first refusal then ends what was begun (refusals.py).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from aiokafka.errors import (
    GroupAuthorizationFailedError,
    NoError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
from aiokafka.errors import KafkaError as ClientError

from ..contracts.inputs import INPUTS, written_by
from ..errors import KafkaError
from ..settings import Settings
from .authorized_operations import Told, coordinator, of_group, of_topics
from .reaching import reached
from .topics import TRANSACTIONS, changelog_topic, named, specs

Operation = Literal["Read", "Write", "Create", "Describe", "DescribeConfigs"]
CODES: Mapping[Operation, int] = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10}
SHOWN = 5  # ACLs that a sentence names
FORBIDDEN = {TopicAuthorizationFailedError, GroupAuthorizationFailedError, TransactionalIdAuthorizationFailed}


class Need(NamedTuple):
    """One ACL: an operation on a resource, or on all whose names begin so."""

    operation: Operation
    resource: Literal["topic", "group", "transactional-id"]
    name: str
    is_prefix: bool = False

    def __str__(self) -> str:
        return f"{self.operation} on {self.resource} {self.name}{'*' if self.is_prefix else ''}"


def _topics(settings: Settings, operation: Operation, *names: str) -> Iterator[Need]:
    for name in names:
        yield Need(operation, "topic", settings.topic(name))


def _look(settings: Settings) -> Iterator[Need]:
    """What `topics check` and every start of a worker need."""
    for spec in specs(settings):
        yield Need("Describe", "topic", spec.name)
        yield Need("DescribeConfigs", "topic", spec.name)


def _admin(settings: Settings) -> Iterator[Need]:
    yield from (Need("Create", "topic", spec.name) for spec in specs(settings))
    yield from _look(settings)


def _worker(settings: Settings) -> Iterator[Need]:
    letters = [f"{name}.dlq" for name in ("articles", *INPUTS)]
    yield from _topics(settings, "Read", "articles", *INPUTS, *letters)
    yield from _topics(settings, "Write", *written_by("worker"), "push", *letters)
    yield Need("Read", "topic", changelog_topic(settings))
    yield Need("Write", "topic", changelog_topic(settings))
    yield Need("Read", "group", settings.group_id)
    yield Need("Write", "transactional-id", f"{settings.group_id}-", is_prefix=True)
    yield from (need for need in _look(settings) if need.operation == "DescribeConfigs")


def _producer(settings: Settings) -> Iterator[Need]:
    yield from _topics(settings, "Write", "articles", *written_by("producer"))


def _importer(settings: Settings) -> Iterator[Need]:
    """`produce --history` waits until the workers have taken the articles in."""
    yield from _topics(settings, "Write", "articles", "events")
    yield from _topics(settings, "Read", "articles", "catalog")
    yield Need("Describe", "group", settings.group_id)


def _operator(settings: Settings) -> Iterator[Need]:
    """`dlq` reads dead letters, and writes them back in a transaction; `control` reads and writes commands,
    and reads which version of an article is approved.

    `erase` writes to inputs that `dlq` writes back, too, and reads its receipt in the changelog.
    """
    yield Need("Read", "topic", changelog_topic(settings))
    yield Need("Describe", "group", settings.group_id)
    letters = [f"{name}.dlq" for name in ("articles", *INPUTS)]
    yield from _topics(settings, "Read", *letters, "articles")
    back = ("articles", *(name for name, each in INPUTS.items() if each.redriven))
    yield from _topics(settings, "Write", *back, *(f"{name}.dlq" for name in back))
    yield from _topics(settings, "Read", "catalog", "control")
    yield from _topics(settings, "Write", "control")
    for name in ("redrive", "control"):
        yield Need("Write", "transactional-id", f"{settings.group_id}-{name}", is_prefix=True)


def _trainer(settings: Settings) -> Iterator[Need]:
    """`train topics`."""
    yield from _topics(settings, "Read", "articles", "events", "push")


def _gateway(settings: Settings) -> Iterator[Need]:
    yield from _topics(settings, "Read", "push")


def _auditor(settings: Settings) -> Iterator[Need]:
    inputs = ("catalog", "control", "erasure", "events", "preferences")
    letters = ("erasure.dlq", "events.dlq", "rerouted.dlq", "preferences.dlq")
    yield from _topics(settings, "Read", "push", *inputs, *letters)
    yield Need("Read", "topic", changelog_topic(settings))
    yield from _topics(settings, "Describe", *(name for name in INPUTS if name not in inputs))


def _follower(settings: Settings) -> Iterator[Need]:
    """`explain` and `preview` have a copy of the partitions; of their other inputs they ask how far they go."""
    yield from _topics(settings, "Read", "catalog", "catalog.dlq", "push")
    yield Need("Read", "topic", changelog_topic(settings))
    yield from _topics(settings, "Describe", *(topic for topic in INPUTS if topic != "catalog"))


def _desk(settings: Settings) -> Iterator[Need]:
    """The desk follows, and writes what its forms say."""
    yield from _follower(settings)
    yield from _topics(settings, "Read", "control")
    yield from _topics(settings, "Write", "articles", "control", "preferences", "erasure")
    yield Need("Write", "transactional-id", f"{settings.group_id}-desk-", is_prefix=True)


ROLES: Mapping[str, Callable[[Settings], Iterator[Need]]] = {
    "worker": _worker,
    "producer": _producer,
    "importer": _importer,
    "gateway": _gateway,
    "auditor": _auditor,
    "follower": _follower,
    "desk": _desk,
    "operator": _operator,
    "trainer": _trainer,
    "admin": _admin,
}


def needs(settings: Settings, role: str) -> list[Need]:
    """The ACLs of a role, each once; Describe is left out where Read or Write brings it."""
    found = dict.fromkeys(ROLES[role](settings))
    brought = {need.name for need in found if need.operation in {"Read", "Write"}}
    return [need for need in found if need.operation != "Describe" or need.name not in brought]


async def permitted(settings: Settings, role: str, wanted: Sequence[Need] | None = None) -> None:
    """KafkaError with all the ACLs of a role, or those wanted of it, that are missing; topics may be missing, too."""
    wanted = needs(settings, role) if wanted is None else wanted
    if settings.security_protocol == "PLAINTEXT":
        return  # nobody has a name there that an ACL could be for
    async with reached(settings):
        lacking = await _lacking(settings, wanted)
    if lacking:
        raise _lack(settings, role, lacking)


async def still_permitted(settings: Settings, role: str) -> None:
    """KafkaError if a broker answers and lets us in no more, or lets the role do less; nothing where none answers."""
    if settings.security_protocol == "PLAINTEXT":
        return
    try:
        lacking = await _lacking(settings, needs(settings, role))
    except (OSError, ClientError):
        return
    if lacking:
        raise _lack(settings, role, lacking)


def _lack(settings: Settings, role: str, lacking: Sequence[Need]) -> KafkaError:
    return KafkaError(
        f"{settings.principal} lacks {len(lacking)} ACL{'s' * (len(lacking) > 1)}: {named(lacking, SHOWN)};"
        f" `streamrec topics acl {role}` prints the commands that add them"
    )


async def _lacking(settings: Settings, wanted: Sequence[Need]) -> list[Need]:
    topics = await of_topics(settings, sorted({need.name for need in wanted if need.resource == "topic"}))
    lacking = []
    for need in wanted:
        error, operations = topics[need.name] if need.resource == "topic" else await _told(settings, need)
        if error in FORBIDDEN or (error is NoError and not _allows(operations, need)):
            lacking.append(need)
    return lacking


async def _told(settings: Settings, need: Need) -> Told:
    """Of transactional ids brokers tell nothing but whether they may be asked for, which every ACL on them brings."""
    if need.resource == "group":
        return await of_group(settings, need.name)
    error, _ = await coordinator(settings, f"{need.name}0-0", TRANSACTIONS)
    return error, None


def _allows(operations: int | None, need: Need) -> bool:
    return operations is None or bool(operations & 1 << CODES[need.operation])


def under_prefix(wanted: Sequence[Need], prefix: str) -> list[Need]:
    """The same with one ACL an operation for all topics whose names begin so: fewer, and more than is needed."""
    return list(
        dict.fromkeys(
            need._replace(name=prefix, is_prefix=True) if need.resource == "topic" else need for need in wanted
        )
    )


def commands(wanted: Sequence[Need], principal: str, connect: str) -> list[str]:
    """`kafka-acls` commands that give a principal these ACLs, one a resource."""
    by_resource: dict[tuple[str, str, bool], list[str]] = {}
    for need in wanted:
        by_resource.setdefault((need.resource, need.name, need.is_prefix), []).append(need.operation)
    return [
        " ".join(
            [
                f"kafka-acls {connect} --add --allow-principal '{principal}'",
                *(f"--operation {operation}" for operation in operations),
                f"--{resource} '{name}'",
                *(["--resource-pattern-type prefixed"] if is_prefix else []),
            ]
        )
        for (resource, name, is_prefix), operations in by_resource.items()
    ]
