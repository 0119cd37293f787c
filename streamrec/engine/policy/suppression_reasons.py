"""Why a push was not made: a closed set, in the order of asking; also the labels of streamrec_suppressions_total."""

from typing import Literal, get_args

GateReason = Literal["stopped", "opt_out", "daily_cap", "min_interval", "quiet_hours", "in_session"]
RuleReason = Literal[
    "outside_audience",
    "withdrawn",
    "retracted",
    "held",
    "stopped_category",
    "expired",
    "embargo",
    "already_read",
    "already_pushed_article",
    "already_pushed_story",
    "history_floor",
    "level",
    "muted_category",
    "muted_source",
    "muted_story",
    "muted_tag",
    "language",
    "unprofiled",
    "cooldown",
]
SuppressionReason = Literal[GateReason, "low_affinity", RuleReason, "low_score", "other_article_better"]
SUPPRESSION_REASONS: tuple[SuppressionReason, ...] = get_args(SuppressionReason)
