"""/metrics, /live and /ready on the worker's web port. Faust's own table and router views are off.

/live   503 when a partition, or the content agent, has work and nothing was handed over or committed for
        max_commit_age_s: restart it (after twice that time it ends by itself)
/ready  503 until the group has settled and the partitions it gave this worker are recovered, and during a rebalance:
        wait with the next pod. A worker that gets none, because there are more workers than partitions, is ready, too
"""

from typing import Any

from faust.web.drivers.aiohttp import Web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from ...settings import Settings
from ..process.port_check import bind_error, web_port_error
from .worker_app import WorkerApp


class Pages(Web):  # type: ignore[misc]
    """Faust's server. Whether it could listen was asked before all else (port_check.py), by every worker that started
    in the same moment: for all of them but one the answer is not true any more.
    """

    settings: Settings

    async def start_server(self) -> None:
        """Listen, or end the process and say why in one sentence."""
        try:
            await super().start_server()
        except OSError as error:
            settings = self.settings
            reason = bind_error(settings.web_host, settings.web_port) or error.strerror or type(error).__name__
            self.app.fail(web_port_error(settings, reason))


def add_pages(app: WorkerApp, settings: Settings) -> None:
    """Register /metrics, /live and /ready at the app."""
    app.web = pages = Pages(app)
    pages.settings = settings

    @app.page("/metrics")
    async def metrics(self: Any, request: Any) -> Any:
        app.ownership.observe()
        app.content.observe()
        # as a header: aiohttp refuses a charset in content_type
        return self.bytes(generate_latest(app.metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    @app.page("/live")
    async def live(self: Any, request: Any) -> Any:
        stuck = {what: round(seconds, 1) for what, seconds in app.stuck_s(settings.max_commit_age_s).items()}
        return self.json({"live": not stuck, "stalled_s": stuck}, status=503 if stuck else 200)

    @app.page("/ready")
    async def ready(self: Any, request: Any) -> Any:
        owned, is_ready = sorted(app.ownership.writers), app.ownership.ready
        return self.json({"ready": is_ready, "partitions": owned}, status=200 if is_ready else 503)
