"""/metrics, /live and /ready on the worker's web port. Faust's own table and router views are off.

/live   503 when a partition, or the content agent, has work and nothing was handed over or committed for
        max_commit_age_s: restart it
/ready  503 until the partitions are recovered, and during a rebalance: send no traffic, wait with the next pod
"""

from typing import TYPE_CHECKING, Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from ..settings import Settings

if TYPE_CHECKING:
    from .app import WorkerApp


def add_pages(app: "WorkerApp", settings: Settings) -> None:
    """Register the three pages."""

    @app.page("/metrics")
    async def metrics(self: Any, request: Any) -> Any:
        app.positions.observe()
        app.content.observe()
        # as a header: aiohttp refuses a charset in content_type
        return self.bytes(generate_latest(app.metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    @app.page("/live")
    async def live(self: Any, request: Any) -> Any:
        limit_s = settings.max_commit_age_s
        stuck: dict[int | str, float] = {number: round(s, 1) for number, s in app.positions.stuck_s(limit_s).items()}
        if (articles_s := app.content.stuck_s()) > limit_s:
            stuck["articles"] = round(articles_s, 1)
        return self.json({"live": not stuck, "stalled_s": stuck}, status=503 if stuck else 200)

    @app.page("/ready")
    async def ready(self: Any, request: Any) -> Any:
        owned = sorted(app.positions.writers)
        is_ready = bool(owned) and not app.rebalancing
        return self.json({"ready": is_ready, "partitions": owned}, status=200 if is_ready else 503)
