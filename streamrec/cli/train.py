"""`streamrec train`: a ranker, or a teacher, from a log."""

from pathlib import Path
from typing import Any

import click
from msgspec.structs import asdict

from ..datasets import LEARNED_FROM
from .ladder import rungs_for_scripts, show_ladder
from .options import encoder_option, paths_argument, rejected_option, seed_option, threshold_options, topics_options


@click.command()
@click.argument("log", type=click.Choice(LEARNED_FROM))
@paths_argument
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the model to be written.")
@click.option("--teacher", is_flag=True, help="Train a teacher, to be compressed; the ladder stands beside it.")
@click.option("--test-from", metavar="DAY", help="Learn from what is earlier; compare on what is later.")
@click.option(
    "--epochs",
    default=6,
    show_default=True,
    type=click.IntRange(1),
    help="At most, of the wide ranker and the teacher; they stop by themselves.",
)
@seed_option
@click.option("--device", default="cpu", show_default=True, type=click.Choice(["cpu", "cuda"]))
@click.option("--resume", is_flag=True, help="Go on from the last finished epoch of the same command.")
@encoder_option
@threshold_options
@click.option("--limit", type=click.IntRange(1), metavar="N", help="globo: only the first N clicks.")
@rejected_option
@topics_options
def train(
    log: str,
    paths: tuple[Path, ...],
    seed: int,
    encoder: str | None,
    limit: int | None,
    allow_rejected: float | None,
    since: str | None,
    until: str | None,
    brokers: str | None,
    min_score: float | None,
    pushes_per_reader_day: float,
    **options: Any,
) -> None:
    r"""Train a ranker, or its teacher, on what was shown and clicked, and compare it with what it has to beat.

    \b
    streamrec train simulated --out model
    streamrec train mind DIR --test-from 2019-11-13 --out model
    streamrec train mind DIR --test-from 2019-11-13 --teacher --out teacher
    streamrec train mind TRAIN DEV --test-from 2019-11-15 --out model
    streamrec train files DIR --out model                      # articles.jsonl, events.jsonl: streamrec schema log
    streamrec train topics --since 2026-01-05 --out model      # from a running system

    The log is played through the same columns and feature function as in serving, so nothing from the future gets in.
    Without --test-from the last fifth of the candidates is kept for the comparison. For mind and ebnerd PATH is the
    folder of one split, which holds behaviors.tsv or behaviors.parquet; for ebnerd also the folder of all: then train/.
    Several paths, such as a training and a validation split, are one log: what stands in two of them counts once.
    Globo has clicks alone: each gets four articles that others read in the hours before, and probabilities learned
    from that are good for order only.

    The table begins with the ladder: chance, popularity, the best single feature, logistic regression, gradient
    boosting (extra `train`), a wide and a small network. The ranker that is written is the one of these that a worker
    can serve and that orders the held-out tenth of what it may learn from best; a sentence says whether it beats them.

    A checkpoint is written beside the folder after each epoch, and removed at the end. Days and times are UTC. Prints
    a table and, as the last line, JSON.
    """
    from ..settings import load
    from ..terminal.tables import show_json
    from ..training.log_source import Played
    from ..training.run import Options, run
    from ..training.threshold import Wanted

    played = Played(log, paths, seed, limit=limit, since=since, until=until, allowed=allow_rejected)
    wanted = Wanted(min_score, pushes_per_reader_day)
    done = run(Options(played, seed=seed, wanted=wanted, **options), load(brokers=brokers, encoder=encoder))
    show_ladder(done.learned.rungs, done.learned.model)
    threshold = done.learned.threshold
    if threshold:
        print(threshold.says())
    show_json(
        {
            "log": log,
            "model": "teacher" if options["teacher"] else "ranker",
            "rung": done.learned.model,
            "encoder": done.encoder,
            "seed": seed,
            "trained_on": done.trained_on,
            "tested_on": done.tested_on,
            "version": done.learned.version,
            "ladder": rungs_for_scripts(done.learned.rungs),
            "threshold": threshold and asdict(threshold),
        }
    )
