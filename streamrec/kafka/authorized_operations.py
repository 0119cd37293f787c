"""What this client may do with topics and groups, as brokers tell whoever asks for it (KIP-430).

aiokafka's own requests end before the version that can ask, or read its answer as another's, so both are declared here.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka.errors import GroupCoordinatorNotAvailableError, IncompatibleBrokerVersion, NoError, for_code
from aiokafka.protocol.admin import DescribeGroupsResponse_v3
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.coordination import FindCoordinatorRequest
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String

from ..clock import monotonic_s
from ..settings import Settings
from .reaching import Address, first_answer, opened

METADATA, VERSION = 3, 8
GROUPS = 0  # kind of coordinator
COORDINATOR_S = 10.0
TOO_OLD = NotImplementedError, IncompatibleBrokerVersion  # brokers that know no such version of a request
NOT_TOLD = -(2**31)
_TEXT = String("utf-8")


class _Answer(Response):  # type: ignore[misc]
    API_KEY, API_VERSION = METADATA, VERSION
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", Array(("node_id", Int32), ("host", _TEXT), ("port", Int32), ("rack", _TEXT))),
        ("cluster_id", _TEXT),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", _TEXT),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline_replicas", Array(Int32)),
                    ),
                ),
                ("authorized_operations", Int32),
            ),
        ),
        ("cluster_authorized_operations", Int32),
    )


class _Asked(RequestStruct):  # type: ignore[misc]
    API_KEY, API_VERSION, RESPONSE_TYPE = METADATA, VERSION, _Answer
    SCHEMA = Schema(
        ("topics", Array(_TEXT)),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class _Metadata(Request[_Asked]):  # type: ignore[misc]
    API_KEY = METADATA

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = list(topics)

    def build(self, request_struct_class: Any) -> Any:
        return request_struct_class(self._topics, False, False, True)


class _DescribeGroups(RequestStruct):  # type: ignore[misc]
    API_KEY, API_VERSION, RESPONSE_TYPE = DescribeGroupsResponse_v3.API_KEY, 3, DescribeGroupsResponse_v3
    SCHEMA = Schema(("groups", Array(_TEXT)), ("include_authorized_operations", Boolean))


class _Groups(Request[_DescribeGroups]):  # type: ignore[misc]
    API_KEY = _DescribeGroups.API_KEY

    def __init__(self, group: str) -> None:
        self._group = group

    def build(self, request_struct_class: Any) -> Any:
        return request_struct_class([self._group], True)


Told = tuple[type[Exception], int | None]  # the error that stands for it; operations as bits, None: not told


async def of_topics(settings: Settings, names: Sequence[str]) -> dict[str, Told]:
    """What may be done with each topic."""
    (address, *_) = await first_answer(settings)
    async with opened(settings, address) as broker:
        try:
            answer = await broker.send(_Metadata(names))
        except TOO_OLD:
            return dict.fromkeys(names, (NoError, None))
    return {name: (for_code(code), _bits(operations)) for code, name, _, _, operations in answer.topics}


async def of_group(settings: Settings, group: str) -> Told:
    """What may be done with a consumer group, whether or not there is one of this name yet."""
    error, address = await coordinator(settings, group, GROUPS)
    if error is not NoError:
        return error, None
    async with opened(settings, address) as broker:
        try:
            answer = await broker.send(_Groups(group))
        except TOO_OLD:
            return NoError, None
    ((code, *_, operations),) = answer.groups
    return for_code(code), _bits(operations)


async def coordinator(settings: Settings, name: str, kind: int) -> tuple[type[Exception], Address]:
    """Of a group or a transactional id, or the error that stands for it; to be told takes the ACL Describe."""
    deadline = monotonic_s() + COORDINATOR_S
    (address, *_) = await first_answer(settings)
    async with opened(settings, address) as broker:
        while True:
            answer = await broker.send(FindCoordinatorRequest(name, kind))
            error = for_code(answer.error_code)
            if error is not GroupCoordinatorNotAvailableError or monotonic_s() > deadline:
                return error, (answer.host, answer.port)
            await asyncio.sleep(0.1)  # a new cluster makes coordinators when it is first asked


def _bits(operations: int) -> int | None:
    return None if operations == NOT_TOLD else operations
