"""`streamrec kafka`: a real broker on this machine."""

from pathlib import Path

import click

from ..terminal.printable import printable
from .options import kafka_options

LOOK_S = 1.0  # how soon an end of Java is noticed


@click.command()
@click.option("--port", default=9092, show_default=True, type=click.IntRange(0, 65_535), help="To listen on; 0: any.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Keep topics and records there for the next start (default: they go when it stops).",
)
@kafka_options
def kafka(port: int, data: Path | None, nodes: int, kafka_version: str) -> None:
    """Run a real Apache Kafka on this machine until it is stopped: to try things out, without Docker or Java.

    One broker, for this machine only, on the port every other command looks for by itself; with --nodes 3 two more, on
    the ports that follow (make topics with STREAMREC_REPLICATION=3). It needs the extra `demo` (pip install
    "streamrec[demo]"); the first start fetches Kafka's jars (43 MB). Stop it with Ctrl-C or SIGTERM.
    """
    import os
    import signal
    import threading

    from ..settings import load
    from ..tools.local_kafka.local_kafka import local_cluster

    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background process ignores SIGINT unless it is set
        signal.signal(number, lambda *_: stopped.set())
    with local_cluster(nodes, load().kafka_cache, port, data=data, version=kafka_version) as cluster:
        kept = printable(f"its data stay in {data}", None) if data else "its data go with it"
        runs = f"Apache Kafka {kafka_version} runs at {cluster.bootstrap}"
        click.echo(f"{runs}; Ctrl-C or kill {os.getpid()} stops it, {kept}")
        while not stopped.wait(LOOK_S):
            cluster.check()
