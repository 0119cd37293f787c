"""`streamrec compress run`: one recipe, what it saves and what it costs."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..datasets import LEARNED_FROM
from .compress_search import Share
from .ladder import rungs_for_scripts, show_ladder
from .options import paths_argument, rejected_option, seed_option, threshold_options, topics_options

if TYPE_CHECKING:
    from ..compression.own.rows import Names
    from ..compression.run import Done


@click.command()
@click.argument("recipe")
@paths_argument
@click.option("--teacher", type=click.Path(path_type=Path), help="Folder of what is compressed.")
@click.option("--log", type=click.Choice(LEARNED_FROM), help="What it learned from, and is judged on.")
@click.option("--model", "own", metavar="FILE.PY:FUNCTION", help="A torch module of your own, and PATH its rows.")
@click.option("--label", default="clicked", show_default=True, help="--model: column of 0 and 1.")
@click.option("--group", default="impression", show_default=True, help="--model: column of rows shown together.")
@click.option("--reader", help="--model: column of who read, by which a verdict counts.")
@click.option("--time", "own_time", help="--model: column by which rows are in order; else that of the file.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to be written.")
@click.option("--test-from", metavar="DAY", help="Judge on what is later. Default: as the teacher was trained.")
@click.option("--epochs", default=2, show_default=True, type=click.IntRange(0), help="Of fine-tuning after a step.")
@click.option("--max-loss", type=Share(), default="0.5%", show_default=True, help="Relative loss that would do.")
@threshold_options
@seed_option
@click.option("--users", type=click.IntRange(10), default=2000, show_default=True, help="simulated: readers.")
@click.option(
    "--search",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the search that suggested the recipe: judged as one of its models, on its test window.",
)
@rejected_option
@topics_options
def run(
    recipe: str,
    log: str | None,
    paths: tuple[Path, ...],
    seed: int,
    users: int,
    allow_rejected: float | None,
    since: str | None,
    until: str | None,
    brokers: str | None,
    min_score: float | None,
    pushes_per_reader_day: float,
    own: str | None,
    label: str,
    group: str,
    reader: str | None,
    own_time: str | None,
    **options: Any,
) -> None:
    r"""Compress a teacher (or a trained ranker) by RECIPE, and judge the result on later impressions.

    \b
    streamrec compress run "student(64) > distil > int8" --teacher teacher --log simulated --out small
    streamrec compress run "lowrank(.9) > prune(gradient,.5) > qat" --teacher model --log mind DIR --out small
    streamrec compress run "student(64) > distil > int8" --model ranker.py:build rows.parquet --out small

    \b
    student(width=64,depth=1,vector=64)    start from a small new network; vector = product columns it reads
    distil(alpha=.7,T=1,epochs=0)          teach it; alpha 0 = clicks alone, 1 = the teacher alone
    lowrank(energy=.9,layers=)             two thin matrices for one, where that saves
    prune(magnitude|gradient, share)       single weights become zero: smaller, not faster
    neurons(magnitude|gradient, share)     whole units go: smaller and faster
    columns(magnitude|gradient, share)     whole inputs go
    variational(threshold=3,weight=1)      weights that drown in their own noise go; the data say how many
    qat(channel|tensor)                    int8, learned under rounding
    int8(channel|tensor), fp16             rounded, not learned; last
    users(fp16|sq8)                        user vectors in fewer bytes

    Steps are separated by `>`. An order that makes no sense is refused with the reason. Writes a ranker's artifact, or,
    of what keeps the teacher's shape, compressed.safetensors. Prints tables and, as the last line, JSON.

    With --model the teacher is what FUNCTION() of FILE.PY gives, whose code is run: a trained torch module that answers
    rows (n, F) of its `columns` with a logit each. Rows come from Parquet or CSV; the last fifth judges. Written are
    weights, of a student an ONNX file, and a manifest with the columns. No worker serves it: the columns are yours.
    """
    from ..compression.own.rows import Names
    from ..compression.run import Options
    from ..compression.run import run as do
    from ..settings import load
    from ..terminal.tables import show_json
    from ..training.log_source import Played
    from ..training.threshold import Wanted

    if own:
        given = [name for name in ("teacher", "search", "test_from") if options[name]] + ["log"] * (log is not None)
        if given or not paths:
            raise click.UsageError("--model takes rows as PATH, and none of --teacher, --log, --search and --test-from")
        _own(recipe, own, paths, Names(label, group, reader, own_time), seed, options)
        return
    if log is None or options["teacher"] is None:
        raise click.UsageError("--log and --teacher, or --model")
    if options["search"] and options["test_from"]:
        raise click.UsageError("--search or --test-from, not both: a search has a test window of its own")
    played = Played(log, paths, seed, users, since=since, until=until, allowed=allow_rejected)
    wanted = Wanted(min_score, pushes_per_reader_day)
    done = do(Options(recipe, played, seed=seed, wanted=wanted, **options), load(brokers=brokers))
    _show(done, is_alone=options["search"] is None)
    show_json(done.summary() | {"ladder": rungs_for_scripts(done.ladder)})


def _own(recipe: str, own: str, paths: tuple[Path, ...], names: "Names", seed: int, options: dict[str, Any]) -> None:
    from ..compression.own.run import Options, run
    from ..terminal.tables import show_json

    out, epochs, max_loss = options["out"], options["epochs"], options["max_loss"]
    done = run(Options(recipe, own, paths, names, out, epochs, max_loss, seed))
    _show(done, is_alone=True)
    show_json(done.summary() | {"ladder": rungs_for_scripts(done.ladder)})


def _show(done: "Done", *, is_alone: bool) -> None:
    from ..terminal.tables import grid, show

    made, found = done.made, done.found
    sizes = grid("bytes", "teacher", "compressed", "ratio")
    for name, before, after in zip(found.teacher_size._fields, found.teacher_size, found.size, strict=True):
        sizes.add_row(name.replace("_", " "), f"{before:,}", f"{after:,}", f"{before / max(after, 1):.1f}")
    layers = grid("step", "layer", "shape", "zero or gone", "error")
    for step in made.log:
        for number, layer in enumerate(step.layers):
            error = "" if layer.error is None else f"{layer.error:.4f}"
            shape = " x ".join(map(str, layer.shape))
            layers.add_row("" if number else step.step, layer.name, shape, f"{layer.sparsity:.1%}", error)
    quality = grid("quality", "teacher", "compressed", "difference, paired", "verdict")
    for name, of in found.quality.items():
        verdict = found.verdicts[name].says() if name in found.verdicts else ""
        difference = f"{of.difference.value:+.4f} ({of.difference.low:+.4f} to {of.difference.high:+.4f})"
        quality.add_row(name, f"{of.teacher.value:.4f}", f"{of.compressed.value:.4f}", difference, verdict)
    show_ladder(done.ladder, "it")
    for table in (sizes, layers, quality):
        show(table, "")
    if done.threshold:
        print(done.threshold.says())
    if is_alone:
        print("the verdict holds if the recipe was not chosen on these impressions; if a search suggested it, --search")
    else:
        together = found.verdicts["auc"].together
        print(f"the verdict shares the 5 % of error with what the search has judged: {together} models together")
    print(f"the folder has {done.artifact_bytes:,} bytes, recorded rows for its admission included")
