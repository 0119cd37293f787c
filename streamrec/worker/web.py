"""/metrics, /live and /ready on the worker's web port. Faust's own table and router views are off.

/live   503 when a partition has work and nothing was committed for max_commit_age_s: restart the process
/ready  503 until the partitions are recovered, and during a rebalance: send no traffic, wait with the next pod
"""

from typing import TYPE_CHECKING, Any

from prometheus_client import generate_latest

from ..settings import Settings

if TYPE_CHECKING:
    from .app import WorkerApp


def add_pages(app: "WorkerApp", settings: Settings) -> None:
    """Register the three pages."""

    @app.page("/metrics")
    async def metrics(self: Any, request: Any) -> Any:
        app.positions.observe()
        return self.bytes(generate_latest(app.metrics.registry), content_type="text/plain")

    @app.page("/live")
    async def live(self: Any, request: Any) -> Any:
        stuck = {
            number: round(writer.stalled_s(), 1)
            for number, writer in app.positions.writers.items()
            if writer.stalled_s() > settings.max_commit_age_s
        }
        return self.json({"live": not stuck, "stalled_s": stuck}, status=503 if stuck else 200)

    @app.page("/ready")
    async def ready(self: Any, request: Any) -> Any:
        owned = sorted(app.positions.writers)
        is_ready = bool(owned) and not app.rebalancing
        return self.json({"ready": is_ready, "partitions": owned}, status=200 if is_ready else 503)
