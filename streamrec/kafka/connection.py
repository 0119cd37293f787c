"""connection(settings): where the cluster is, as arguments of any of aiokafka's clients."""

from typing import Any

from ..settings import Settings


def connection(settings: Settings) -> dict[str, Any]:
    """Arguments that say where the cluster is."""
    return {"bootstrap_servers": settings.brokers}
