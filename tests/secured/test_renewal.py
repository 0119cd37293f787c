"""A worker outlives its tokens, and ends when it gets no more of them."""

import asyncio
from pathlib import Path

import pytest
from on_kafka import article, event, events_applied, read, send, until
from secured_commands import told
from secured_kafka import CLIENT, SECRET, SecuredKafka
from token_endpoint import token_endpoint

from streamrec.kafka.topics import create
from streamrec.tools.worker_process import worker_process

pytestmark = pytest.mark.kafka
LIFE_S = 6.0


async def test_a_worker_outlives_its_tokens(secured: SecuredKafka, names: dict[str, str], log: Path) -> None:
    """Brokers hang up when a token ends. No record is lost by that; without a new token the worker says so and ends."""
    admin = secured.settings("SSL", **names)
    await create(admin)
    with token_endpoint(CLIENT, SECRET, LIFE_S) as endpoint:
        settings = secured.settings(
            "SASL_PLAINTEXT OAUTHBEARER",
            **names,
            sasl_oauthbearer_token_endpoint_url=endpoint.url,
            min_score=0.0,
            min_affinity=0.0,
        )
        with worker_process(settings, log) as worker:
            await asyncio.to_thread(worker.wait_ready)
            await send(admin, [article("a1"), event("u0", "a1"), article("a2")])
            first = endpoint.given
            for number in range(1, 3):
                await asyncio.sleep(LIFE_S)
                await send(admin, [event(f"u{number}", "a1")])

                async def is_applied(count: int = number + 1) -> bool:
                    return await events_applied(admin) == count

                await until(is_applied, 60)
            assert endpoint.given >= first + 2
            assert worker.exit_code() is None
            assert await read(admin, admin.topic("push"))
            endpoint.expected = "nobody"
            await until(lambda: worker.exit_code() is not None, 90)
            last = told(await asyncio.to_thread(worker.last_line))
            assert worker.exit_code() == 1
    assert "CRITICAL" in last
    assert "gives client 'oauth-robot' no token: it answers 401 invalid_client" in last
