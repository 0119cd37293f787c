"""`streamrec train`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .logs import NAMES, open_log

if TYPE_CHECKING:
    from ..training.comparison import Table


@click.command()
@click.argument("log", type=click.Choice(NAMES))
@click.argument("path", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the artifact to be written.")
@click.option("--test-from", metavar="YYYY-MM-DD", help="Learn from what is earlier; compare on what is later.")
@click.option("--epochs", default=6, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--min-score", default=0.2, show_default=True, help="Threshold recorded in the artifact.")
def train(
    log: str, path: Path | None, out: Path, test_from: str | None, epochs: int, seed: int, min_score: float
) -> None:
    r"""Train a small ranker on a log's impressions, and compare it with what it has to beat.

    \b
    streamrec train simulated --out model
    streamrec train mind DIR --test-from 2019-11-13 --out model

    The log is played through the same columns and feature function as in serving, so nothing from the future gets in.
    Prints a table and, as the last line, JSON.
    """
    import numpy as np
    import orjson
    from rich.console import Console
    from rich.progress import Progress

    from ..clock import now_ms
    from ..content.encoder import HashedEncoder
    from ..ranking.artifact import load as load_artifact
    from ..ranking.features import fingerprint
    from ..settings import load
    from ..training.comparison import compare
    from ..training.fit import fit
    from ..training.publish import publish
    from ..training.rows import rows_of

    opened, encoder, console = open_log(log, path, seed), HashedEncoder(), Console(stderr=True)
    with Progress(console=console, transient=True) as progress:
        playing = progress.add_task("features", total=opened.summary.steps)
        settings = load(max_articles=max(load().max_articles, opened.summary.articles))
        rows = rows_of(opened, settings, encoder, lambda done: progress.update(playing, completed=done))
        cut_ms = _millis(test_from) if test_from else int(np.quantile(rows.at_ms, 0.8))
        earlier = rows.take(rows.at_ms < cut_ms)
        learning = progress.add_task("epochs", total=epochs)
        fitted = fit(earlier.x, earlier.clicked, earlier.impression, seed, epochs, lambda _: progress.advance(learning))
    publish(
        out,
        fitted,
        earlier.x,
        name=f"{log}-ranker",
        space_id=encoder.space_id,
        fingerprint=fingerprint(),
        min_score=min_score,
        created_at=datetime.fromtimestamp(now_ms() / 1000, UTC).isoformat(),
    )
    artifact = load_artifact(out, expected_space_id=encoder.space_id, expected_fingerprint=fingerprint())
    later = rows.take(rows.at_ms >= cut_ms)
    table = compare(later, artifact, seed)
    _show(table)
    print(
        orjson.dumps(
            {
                "log": log,
                "trained_on": len(np.unique(earlier.impression)),
                "tested_on": len(np.unique(later.impression)),
                "version": artifact.manifest.version,
                "quality": {
                    name: {metric: [round(v, 4) for v in (at.value, at.low, at.high)] for metric, at in row.items()}
                    for name, row in table.items()
                },
            }
        ).decode()
    )


def _millis(day: str) -> int:
    from ..errors import DataError

    try:
        return round(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000)
    except ValueError:
        raise DataError(f"--test-from is '{day}'; expected a day like 2019-11-13") from None


def _show(table: "Table") -> None:
    from rich.console import Console
    from rich.table import Table as Grid

    shown = Grid("ranking", "AUC", "MRR", "nDCG@5", "nDCG@10", box=None, pad_edge=False)
    for name, row in table.items():
        cells = [f"{at.value:.4f} ({at.low:.4f} to {at.high:.4f})" for at in row.values()]
        shown.add_row(name, *cells)
    Console(soft_wrap=True).print(shown)
