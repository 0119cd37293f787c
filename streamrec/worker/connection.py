"""faust_connection(settings): where the cluster is, as settings of a Faust app. Its driver tells each client."""

from typing import Any

from ..settings import Settings


def faust_connection(settings: Settings) -> dict[str, Any]:
    """Settings of an app that say where the cluster is."""
    return {"broker": [f"kafka://{server}" for server in settings.brokers.split(",")]}
