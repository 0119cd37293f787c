"""The worker's app starts without waiting for nothing."""

from prometheus_client import CollectorRegistry
from slow_log import SlowLog

from streamrec.content.encoder import HashedEncoder
from streamrec.engine.policy.suppression_reasons import SUPPRESSION_REASONS
from streamrec.models.prior import Prior
from streamrec.observability.metrics import Metrics
from streamrec.settings import load
from streamrec.worker.faust_app.app import build_app
from streamrec.worker.faust_app.worker_app import PromptTables, WorkerApp


def app() -> WorkerApp:
    """Not started."""
    metrics = Metrics(CollectorRegistry(), SUPPRESSION_REASONS)
    return build_app(load({}), Prior(), HashedEncoder(), metrics, SlowLog())


def test_its_tables_are_ours() -> None:
    """Faust makes them of the class that does not sleep first."""
    assert isinstance(app().tables, PromptTables)
