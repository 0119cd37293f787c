"""All topics, in one list: partitions, settings and the reason for each. `create` makes them, `check` refuses drift.

What partitions read stands in contracts/inputs.py.

| topic        | partitions | written by      | read by                 |
| articles     | 1          | CMS             | content agent           |
| events       | P          | site, app       | partitions              |
| preferences  | P          | app             | partitions              |
| catalog      | P          | content agent   | partitions              |
| rerouted     | P          | partitions      | partitions: strays      |
| push         | P          | partitions      | gateways                |
| *.dlq        | 1 or P     | worker          | people                  |
| changelog    | P          | partitions      | their next owners       |
"""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    NoError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.errors import KafkaError as ClientError

from ..clock import monotonic_s
from ..contracts.inputs import APPEND_TIME, DAY_MS, INPUTS, TWO_WEEKS, WEEK
from ..errors import KafkaError
from ..settings import Settings
from .clients import consumer
from .reaching import reached
from .topic_drift import Drift, altered, in_sync, missing, partitions, too_few_replicas

GROUPS, TRANSACTIONS = 0, 1  # kinds of coordinators, as the protocol counts them

SHOWN = 3  # topics that a sentence names
ACL_CURE = "`streamrec topics acl` prints the commands that add what is needed"
SURVIVES_A_BROKER = {"min.insync.replicas": "2"}  # of three replicas: what is acknowledged is on two


def named(what: Sequence[object], most: int) -> str:
    """So many of them by name, and how many more there are."""
    more = f" and {len(what) - most} more" if len(what) > most else ""
    return ", ".join(map(str, what[:most])) + more


class TopicSpec(NamedTuple):
    """What a topic has to look like: full name, number of partitions, and settings as Kafka writes them."""

    name: str
    partitions: int
    config: dict[str, str]


def changelog_topic(settings: Settings) -> str:
    """Full name of the profiles changelog."""
    return settings.topic(f"{settings.app_id}-profiles-changelog")


def specs(settings: Settings) -> list[TopicSpec]:
    """Every topic these settings need."""
    many = settings.partitions
    found = [
        TopicSpec(settings.topic("articles"), 1, {"retention.ms": WEEK} | APPEND_TIME),
        *(TopicSpec(settings.topic(name), many, each.config(settings)) for name, each in INPUTS.items()),
        TopicSpec(settings.topic("push"), many, {"retention.ms": str(DAY_MS)}),
        TopicSpec(settings.topic("articles.dlq"), 1, {"retention.ms": TWO_WEEKS}),
        *(TopicSpec(settings.topic(f"{topic}.dlq"), many, {"retention.ms": TWO_WEEKS}) for topic in INPUTS),
        # small segments and an eager cleaner: what a new owner has to read stays near the size of the state
        TopicSpec(
            changelog_topic(settings),
            many,
            {
                "cleanup.policy": "compact",
                "segment.bytes": str(64 * 1024 * 1024),
                "min.cleanable.dirty.ratio": "0.1",
                "max.compaction.lag.ms": "600000",
                "compression.type": "lz4",
            },
        ),
    ]
    safe = SURVIVES_A_BROKER if settings.replication >= 3 else {}
    return [spec._replace(config=spec.config | safe) for spec in found]


async def create(settings: Settings) -> list[str]:
    """Make the topics that are missing; answers with their names. Existing ones are left as they are."""
    async with reached(settings) as admin:
        found = await _described(admin, [spec.name for spec in specs(settings)], settings)
        missing = [spec for spec in specs(settings) if found[spec.name]["error_code"]]
        if missing:
            await _create(admin, missing, settings)
        return [spec.name for spec in missing]


async def delete(settings: Settings) -> None:
    """All of them, and what is in them: for runs on topics of their own. KafkaError if the cluster keeps any."""
    try:
        async with reached(settings) as admin:
            answer = await admin.delete_topics([spec.name for spec in specs(settings)])
    except ClientError as error:
        raise KafkaError(f"topics could not be deleted: {type(error).__name__} {error}") from error
    for topic, code in answer.topic_error_codes:
        why = for_code(code)
        if code and why is not UnknownTopicOrPartitionError:
            raise KafkaError(f"topic {topic} could not be deleted: {why.__name__}")


async def _create(admin: AIOKafkaAdminClient, missing: list[TopicSpec], settings: Settings) -> None:
    wanted = [NewTopic(spec.name, spec.partitions, settings.replication, topic_configs=spec.config) for spec in missing]
    answer = await admin.create_topics(wanted, timeout_ms=30_000)
    errors = {topic: (for_code(code), " ".join(map(str, said))) for topic, code, *said in answer.topic_errors}
    refused = [topic for topic, (error, _) in errors.items() if error is TopicAuthorizationFailedError]
    if refused:
        raise KafkaError(
            f"{settings.principal} may not make topic {named(refused, SHOWN)}: the ACL Create is missing; {ACL_CURE}"
        )
    for topic, (error, said) in errors.items():
        if error not in {NoError, TopicAlreadyExistsError}:
            raise KafkaError(f"topic {topic} could not be made: {error.__name__} {said}")
    await _usable(admin, {spec.name for spec in missing}, settings)
    await _coordinated(admin, settings)


async def _usable(admin: AIOKafkaAdminClient, names: set[str], settings: Settings) -> None:
    """Wait for brokers and leaders: the controller answers before the brokers have heard of a new topic."""
    deadline = monotonic_s() + max(5.0, settings.broker_wait_s)
    while True:
        described = await admin.describe_topics(sorted(names))
        ready = {
            topic["topic"]
            for topic in described
            if topic["partitions"] and not any(p["error_code"] for p in topic["partitions"])
        }
        if names <= ready:
            return await _served(described, settings)
        if monotonic_s() > deadline:
            late = ", ".join(sorted(names - ready))
            raise KafkaError(f"topics were made but have no leader yet: {late}; see whether all brokers run")
        await asyncio.sleep(0.02)


async def _served(described: list[dict[str, Any]], settings: Settings) -> None:
    """Wait until the leaders answer for their partitions: they hear of it after the metadata is out."""
    made = [TopicPartition(topic["topic"], p["partition"]) for topic in described for p in topic["partitions"]]
    async with consumer(settings) as asking:
        await asking.end_offsets(made)  # asks again while the answer is "not the leader"


async def _coordinated(admin: AIOKafkaAdminClient, settings: Settings) -> None:
    """Wait for the coordinators of groups and transactions: a new cluster makes them when first asked, and clients log
    an error each time they ask meanwhile. Whoever may not ask has nothing to wait for.
    """
    deadline = monotonic_s() + max(5.0, settings.broker_wait_s)
    for kind in (GROUPS, TRANSACTIONS):
        with suppress(GroupAuthorizationFailedError, TransactionalIdAuthorizationFailed):
            while not await _is_coordinated(admin, settings.app_id, kind):
                if monotonic_s() > deadline:
                    raise KafkaError("topics were made, but no coordinator answers; see whether all brokers run")
                await asyncio.sleep(0.02)


async def _is_coordinated(admin: AIOKafkaAdminClient, name: str, kind: int) -> bool:
    try:
        await admin.find_coordinator(name, kind)
    except GroupCoordinatorNotAvailableError:
        return False
    return True


async def check(settings: Settings) -> list[Drift]:
    """Everything that is not as `specs` says; empty if all is well."""
    wanted = specs(settings)
    async with reached(settings) as admin:
        found = await _described(admin, [spec.name for spec in wanted], settings)
        present = [spec for spec in wanted if not found.get(spec.name, {"error_code": 3})["error_code"]]
        drift = [missing(spec.name) for spec in wanted if spec not in present]
        for spec, values in zip(present, await _configs(admin, present, settings), strict=True):
            described = found[spec.name]["partitions"]
            replicas = min(len(partition["replicas"]) for partition in described)
            drift += partitions(spec.name, len(described), spec.partitions)
            drift += too_few_replicas(spec.name, replicas, settings.replication)
            drift += in_sync(spec.name, values, replicas)
            drift += altered(spec.name, values, spec.config)
    return drift


async def list_topics(settings: Settings, names: Collection[str] = ()) -> list[tuple[TopicSpec, int | None]]:
    """Topics of ours, those of these full names or all, and how many partitions each has; None if it is missing."""
    wanted = [spec for spec in specs(settings) if not names or spec.name in names]
    async with reached(settings) as admin:
        found = await _described(admin, [spec.name for spec in wanted], settings)
    return [(spec, None if found[spec.name]["error_code"] else len(found[spec.name]["partitions"])) for spec in wanted]


async def reachable(settings: Settings) -> None:
    """KafkaError, with the cure, if no broker answers."""
    async with reached(settings):
        pass


async def require(settings: Settings, name: str) -> None:
    """KafkaError, with the cure, if no broker answers or the topic is not there (clients would wait for it)."""
    topic = settings.topic(name)
    async with reached(settings) as admin:
        if (await _described(admin, [topic], settings))[topic]["error_code"]:
            raise KafkaError(f"there is no topic {topic} at {settings.brokers}; run `streamrec topics create`")


async def _described(admin: AIOKafkaAdminClient, names: list[str], settings: Settings) -> dict[str, Any]:
    """What the cluster says of these topics, by name. KafkaError where it may not say it: that is no missing topic."""
    found = {topic["topic"]: topic for topic in await admin.describe_topics(names)}
    hidden = [name for name in names if for_code(found[name]["error_code"]) is TopicAuthorizationFailedError]
    if hidden:
        raise KafkaError(
            f"{settings.principal} may not see whether there is a topic {named(hidden, SHOWN)}: the ACL Describe is"
            f" missing; {ACL_CURE}"
        )
    return found


async def _configs(admin: AIOKafkaAdminClient, wanted: list[TopicSpec], settings: Settings) -> list[dict[str, str]]:
    resources = [ConfigResource(ConfigResourceType.TOPIC, spec.name) for spec in wanted]
    if not resources:
        return []
    values: dict[str, dict[str, str]] = {}
    hidden: list[str] = []
    for answer in await admin.describe_configs(resources):
        for code, _, _, name, entries in answer.resources:
            hidden += [name] if for_code(code) is TopicAuthorizationFailedError else []
            values[name] = {entry[0]: entry[1] for entry in entries}
    if hidden:
        raise KafkaError(
            f"{settings.principal} may not see the settings of topic {named(hidden, SHOWN)}: the ACL DescribeConfigs is"
            f" missing; {ACL_CURE}"
        )
    return [values.get(spec.name, {}) for spec in wanted]
