"""`streamrec compress search`: find the smallest and fastest ranker within a loss."""

import re
from pathlib import Path
from typing import Any

import click

from ..terminal.printable import printable
from ..terminal.times import Duration
from .ladder import rungs_for_scripts, show_ladder
from .options import (
    encoder_option,
    log_option,
    paths_argument,
    rejected_option,
    seed_option,
    threshold_options,
    topics_options,
)

UNSIGNED = 0.1


class Share(click.ParamType):
    """A share like 0.5% or 0.005. Above 10 % only with the sign: 0.5 would be half of everything."""

    name = "share"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d{0,3}\.?\d{1,9})\s*(%?)", str(value))
        share = float(found[1]) / (100 if found[2] else 1) if found else 1.0
        if not 0 < share < 1:
            self.fail(f"'{value}' is not a share; expected one between 0 and 100 %, like 0.5% or 0.005", param, ctx)
        if found and not found[2] and share > UNSIGNED:
            self.fail(f"'{value}' is {share:.3g} of everything; expected a sign: {share:.3%} or {value}%", param, ctx)
        return share


def _some(ctx: click.Context, param: click.Parameter, value: int) -> int:
    """Refuse a --budget of no time, in which nothing could be searched."""
    if value <= 0:
        raise click.BadParameter("no time is not enough; expected more, like 10m", ctx, param)
    return value


@click.command()
@log_option
@paths_argument
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of this search.")
@click.option("--budget", type=Duration(), callback=_some, default="10m", show_default=True, help="Time, like 10m.")
@click.option("--max-loss", type=Share(), default="0.5%", show_default=True, help="Of AUC, relative to the teacher's.")
@click.option("--teacher", type=click.Path(exists=True, path_type=Path), help="Of `streamrec train --teacher`.")
@click.option("--test-from", metavar="DAY", help="The verdict is on what is later (default: the last quarter).")
@seed_option
@click.option("--resume", is_flag=True, help="Go on with what --out holds; what was tried costs nothing.")
@encoder_option
@threshold_options
@click.option("--users", type=click.IntRange(100), default=2000, show_default=True, help="simulated: readers.")
@click.option("--recipe", "recipes", multiple=True, help="Try these instead of the built-in ones; repeatable.")
@rejected_option
@topics_options
def search(
    log: str,
    paths: tuple[Path, ...],
    out: Path,
    budget: int,
    seed: int,
    encoder: str | None,
    users: int,
    allow_rejected: float | None,
    since: str | None,
    until: str | None,
    brokers: str | None,
    min_score: float | None,
    pushes_per_reader_day: float,
    **options: Any,
) -> None:
    r"""Find the smallest and fastest ranker that loses less than a budget, and prove it where the data can.

    \b
    streamrec compress search --log simulated --budget 10m --max-loss 0.5% --out found
    streamrec compress search --log mind DIR --teacher teacher --out found
    streamrec compress search --log topics --until 2026-02-01 --teacher teacher --out found
    streamrec compress report found --out report.html

    The log is cut by time: models learn from the first part, the search looks at the next, the verdict is given on
    the last, which nothing has looked at. Recipes are tried by successive halving (1, 2, 4 epochs on a quarter, half
    and all rows), layers are probed first, engines are measured last. Press Ctrl-C at any time: --resume goes on
    (of topics with the same --until).

    Without --teacher one is trained first and kept in the folder, in half of the budget: for six epochs if there is
    time, for one at least. A try is begun if it should end in time; the first always is. Reading the log comes before
    the budget; the finalists' timing and verdicts, a minute or two, may come after it. The best model is written to
    `best` in that folder, as a worker loads it. Prints a table and, as the last line, JSON. Exit code 0: a model that a
    worker can serve met the budget (where every --recipe is of the teacher's shape: a model did); 1: none was shown to,
    the closest is named. All models judged on the last part share the 5 % of error, those of earlier searches in the
    folder too.
    """
    from ..compression.search.run import Options, run
    from ..compression.search.summary import LETTERS, last_line, left_out, refused, sentence, table
    from ..compression.search.trial import REQUEST
    from ..settings import load
    from ..terminal.tables import PlainConsole, show, show_json
    from ..training.log_source import Played
    from ..training.threshold import Wanted

    played = Played(log, paths, seed, users, since=since, until=until, allowed=allow_rejected)
    asked = Options(played, out, budget / 1000, seed=seed, wanted=Wanted(min_score, pushes_per_reader_day), **options)
    console = PlainConsole(stderr=True)
    try:
        outcome = run(asked, load(encoder=encoder, brokers=brokers), console)
    except KeyboardInterrupt:
        begun = (out / REQUEST).exists()
        kept = f"everything tried is kept in {out}: the same command with --resume goes on"
        console.print(
            "interrupted;", kept if begun else "nothing was tried yet: give the same command again", soft_wrap=True
        )
        raise SystemExit(130) from None
    show_ladder(outcome.ladder)
    show(table(outcome))
    for letter, point in zip(LETTERS, outcome.points, strict=False):
        print(f"{letter:>9}  {printable(point.recipe, None)}")
    not_measured = (f"engine {line}" for line in refused(outcome))
    threshold = outcome.threshold.says() if outcome.threshold else ""
    for said in filter(None, (*not_measured, sentence(outcome), threshold, left_out(outcome))):
        print(printable(said, None))
    show_json(last_line(outcome) | {"ladder": rungs_for_scripts(outcome.ladder)})
    if not outcome.met:
        raise SystemExit(1)
