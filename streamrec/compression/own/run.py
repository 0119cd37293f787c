"""What `streamrec compress run --model` does: a recipe on a module of one's own, judged on its own later rows."""

from pathlib import Path
from typing import NamedTuple

from ...contracts.limits import VECTOR_DIMS
from ...errors import RecipeError
from ...models.artifact import check_replaceable
from ...models.network import use_one_thread
from ...terminal.output_files import check_writable
from ...terminal.progress import Bars
from ...training.fit import halves
from ...training.model import logits_of
from ...training.run import divide
from ..methods.method import Workbench
from ..methods.student import Student
from ..methods.user_vectors import UserVectors
from ..recipe import Recipe, parse
from ..run import Done, done, try_out
from .folder import write
from .model import built, check, columns_of
from .rows import Names, read


class Options(NamedTuple):
    """The options of `streamrec compress run --model`."""

    recipe: str
    model: str
    paths: tuple[Path, ...]
    names: Names
    out: Path
    epochs: int
    max_loss: float
    seed: int


def run(options: Options) -> Done:
    """All of it; the last fifth of the rows judges, and the last tenth of the others stops what learns."""
    check_replaceable(options.out)
    check_writable(options.out)
    recipe = parse(options.recipe)
    _check(recipe)
    use_one_thread()
    model = built(options.model)
    columns, rows = read(options.paths, options.names, columns_of(model))
    check(model, rows.x)
    earlier, later, _ = divide(rows, None)
    training, held_out = halves(earlier, len(columns))
    bench = Workbench(training, held_out, logits_of(model, training), options.seed, options.epochs)
    with Bars() as progress:
        tried = try_out(recipe, model, bench, later, options.max_loss, progress, names=columns)
    verdict = tried.found.verdicts["auc"]
    manifest = write(options.out, tried.made.model, columns, recipe.json(), held_out, verdict)
    return done(tried, recipe, options.out, later, manifest.version)


def _check(recipe: Recipe) -> None:
    """RecipeError for what only columns of a worker have."""
    for step in recipe.steps:
        if isinstance(step, UserVectors) or (isinstance(step, Student) and step.vector != VECTOR_DIMS):
            raise RecipeError(f"{step.name}: rows of one's own hold no vectors of users; leave it out")
