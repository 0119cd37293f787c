"""Options that all commands which make models share."""

import click

MIN_SCORE = 0.2

seed_option = click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
min_score_option = click.option(
    "--min-score",
    type=click.FloatRange(0, 1),
    default=MIN_SCORE,
    show_default=True,
    help="Threshold recorded in a ranker's manifest.",
)
