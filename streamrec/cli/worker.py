"""`streamrec worker`: one worker process."""

import click


@click.command()
@click.option("--brokers", metavar="HOST:PORT,...", help="Kafka bootstrap servers (default: STREAMREC_BROKERS).")
@click.option("--model", "model_dir", type=click.Path(), help="Artifact folder or model store (STREAMREC_MODEL_DIR).")
@click.option("--web-port", type=int, help="Port of /metrics, /live and /ready; 0: none (STREAMREC_WEB_PORT).")
def worker(brokers: str | None, model_dir: str | None, web_port: int | None) -> None:
    """Run a worker: the process that turns events into pushes.

    It joins the consumer group, takes its share of the partitions, recovers their state from Kafka and goes on where
    the last owner committed. Start one a core; stop with SIGTERM. It needs its topics (`streamrec topics create`).
    It ends with a non-zero code when something it depends on fails; let a supervisor start it again.
    """
    from ..worker.process.stop_signals import StopSignals

    signals = StopSignals()  # what follows takes seconds, or as long as Kafka is waited for
    from ..observability.logs import configure
    from ..settings import load

    settings = load(brokers=brokers, model_dir=model_dir, web_port=web_port)
    configure(settings.log_format, settings.log_level)
    from ..worker.run import run_worker

    run_worker(settings, signals=signals)
