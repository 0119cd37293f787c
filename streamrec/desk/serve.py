"""Run the desk until it is told to stop: the follower restored, the publisher connected, then the web server."""

import asyncio
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from ..errors import SettingsError
from ..follower.follower import Follower
from ..kafka.permissions import permitted
from ..observability.logs import configure
from ..settings import Settings
from .access.logins import login_of
from .app import build_desk
from .commanding import Commander
from .publishing import Publisher
from .sources import Sources
from .trail import FollowedTrail
from .worker_lag import WorkerLag

log = logging.getLogger(__name__)


class _Server(uvicorn.Server):
    """Ends by a signal as all our processes do, with code 0: uvicorn would send itself the signal once more."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """While it serves, SIGTERM and SIGINT ask it to end."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def run_desk(settings: Settings) -> None:
    """Returns after SIGTERM or SIGINT; raises what is wrong before it listens."""
    configure(settings.log_format, settings.log_level)
    logging.getLogger("aiokafka").setLevel(logging.WARNING)
    login_of(settings)  # what is wrong with the login is said before Kafka is asked for anything
    if settings.policy_time == "event":
        raise SettingsError("STREAMREC_POLICY_TIME is 'event'; a desk follows workers that live by the clock")
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    await permitted(settings, "desk")
    follower, publisher = Follower(settings), Publisher(settings)
    commander, trail, lag = Commander(settings), FollowedTrail(settings), WorkerLag(settings, follower)
    try:
        await publisher.start()
        await commander.start()
        await trail.start()
        await lag.start()
        await follower.start()
        forms = (publisher.publish, commander.say, trail, publisher.prefer, publisher.erase)
        app = build_desk(settings, Sources(follower, *forms, lag.waiting))
        config = uvicorn.Config(
            app, settings.desk_host, settings.desk_port, log_config=None, access_log=False, server_header=False,
            proxy_headers=False, lifespan="off", timeout_keep_alive=10, limit_concurrency=500,
            timeout_graceful_shutdown=3,
        )  # fmt: skip
        log.info("the desk is at http://%s:%d", settings.desk_host, settings.desk_port)
        await _Server(config).serve()
    finally:
        await follower.stop()
        await lag.stop()
        await trail.stop()
        await commander.stop()
        await publisher.stop()
