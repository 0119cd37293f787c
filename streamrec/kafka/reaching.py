"""reached(settings): an admin client of a cluster that answers; or the sentence that says why there is none.

A broker that is away is waited for, `broker_wait_s`. One that answers and does not let us in is told at once: aiokafka
would try for ever, with the cause in the log at best. So each address is tried by itself first.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import AIOKafkaConnection, collect_hosts, create_conn
from aiokafka.errors import KafkaConnectionError, SaslAuthenticationFailed
from aiokafka.errors import KafkaError as ClientError
from aiokafka.protocol.metadata import MetadataRequest

from ..clock import monotonic_s
from ..errors import KafkaError
from ..settings import Settings
from .clients import admin_client
from .connection import connection
from .refusals import refusal

ANSWER_S = 10.0
Address = tuple[str, int]


@asynccontextmanager
async def reached(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    """A started client; KafkaError when the cluster does not let us in, or is unreachable for `broker_wait_s`."""
    deadline = monotonic_s() + settings.broker_wait_s
    while True:
        admin = admin_client(settings)
        try:
            others = await first_answer(settings)
            await admin.start()  # logs an error for each attempt of its own: hence the one before
            await admitted(settings, others)
            break
        except (KafkaConnectionError, ClientError, OSError) as error:
            await admin.close()
            if monotonic_s() >= deadline:
                raise KafkaError(_silence(settings, error)) from error
            await asyncio.sleep(0.5)
        except KafkaError:
            await admin.close()
            raise
    try:
        yield admin
    finally:
        await admin.close()


async def first_answer(settings: Settings) -> list[Address]:
    """The brokers' addresses, as the first of STREAMREC_BROKERS that answers tells them.

    KafkaError if none does and one does not let us in; OSError or ClientError if none answers.
    """
    failure: BaseException = OSError("no address")
    refused = None
    for host, port, _ in collect_hosts(settings.brokers, randomize=False):
        try:
            return await _asked(settings, (host, port))
        except (OSError, ClientError) as error:  # TimeoutError is one
            failure = error
            refused = refused or refusal(error, settings, f"{host}:{port}")
    if refused:
        raise KafkaError(refused) from None
    raise failure


async def admitted(settings: Settings, addresses: Iterable[Address]) -> None:
    """KafkaError if one of these brokers answers and does not let us in: under its own name it may be another."""
    if settings.security_protocol == "PLAINTEXT":
        return
    for answer, (host, port) in zip(
        await asyncio.gather(*(_asked(settings, address) for address in addresses), return_exceptions=True),
        addresses,
        strict=True,
    ):
        if isinstance(answer, BaseException) and (told := refusal(answer, settings, f"{host}:{port}")):
            raise KafkaError(told)


async def _asked(settings: Settings, address: Address) -> list[Address]:
    """Whom a broker knows.

    One that does not take a token tells aiokafka nothing of it, knows nobody then, and hangs up. One that is starting
    may know nobody either, and goes on answering.
    """
    async with opened(settings, address) as broker:
        answer = await broker.send(MetadataRequest([]))
        if not answer.brokers and settings.sasl_mechanism == "OAUTHBEARER":
            try:
                answer = await broker.send(MetadataRequest([]))
            except ClientError as error:
                raise SaslAuthenticationFailed from error
    return [(host, port) for _, host, port, *_ in answer.brokers]


@asynccontextmanager
async def opened(settings: Settings, address: Address) -> AsyncIterator[AIOKafkaConnection]:
    """A connection of its own to one broker. What it raises says why there is none."""
    arguments = connection(settings)
    del arguments["bootstrap_servers"]
    broker = await create_conn(*address, request_timeout_ms=round(ANSWER_S * 1000), **arguments)
    try:
        yield broker
    finally:
        broker.close()


def _silence(settings: Settings, error: BaseException) -> str:
    waited = f"(waited {settings.broker_wait_s:.0f} s)"
    if not _hung_up(error):
        cure = "start it, or set STREAMREC_BROKERS to one that runs"
        return f"no broker answers at {settings.brokers} {waited}; {cure}"
    return (
        f"what listens at {settings.brokers} hangs up {waited}; STREAMREC_SECURITY_PROTOCOL is"
        f" {settings.security_protocol}: set what this port speaks, or take another port"
    )


def _hung_up(error: BaseException) -> bool:
    return isinstance(error, ConnectionResetError) or isinstance(error.__cause__, asyncio.IncompleteReadError)
