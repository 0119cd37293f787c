"""One article and all readers: how many would be pushed to now, and what keeps back the others, each counted once."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from ..engine.policy.suppression_reasons import SUPPRESSION_REASONS
from ..errors import DataError
from ..models.serving import lineup_of
from ..partition.partition import Partition
from .listing import newest, pushed_to
from .stepwise import Steps, stepwise
from .verdicts import verdicts
from .world import policy_of


class Funnel(msgspec.Struct, frozen=True):
    """Readers of the followed partitions by what `decide` says of each about one article."""

    article_id: str
    version: int
    title: str
    at_ms: int
    readers: int
    would_push: int  # now, were the article to meet everybody once more
    pushed: int  # whose rows name it as pushed
    reasons: dict[str, int]  # readers by the first reason that said no, in the order of asking
    unaware: int  # readers of partitions that do not know the article yet


@stepwise
def funnel(partitions: Sequence[Partition], article_id: str, now_ms: int) -> Steps[Funnel]:
    """DataError for an article that no followed partition knows."""
    article = newest(partitions, article_id)
    if article is None:
        raise DataError(f"article '{article_id}' is not in the catalog: never published, or out of its window by now")
    found, unaware, pushed = Counter[str](), 0, 0
    for partition in partitions:
        slot, lineup = partition.catalog.slot(article_id), lineup_of(partition.context.ranker)
        if slot is None:
            unaware += partition.profiles.count()
        else:
            policy = policy_of(partition)
            found.update(verdicts(partition.profiles, partition.catalog, slot, now_ms, lineup, policy).counts())
            pushed += pushed_to(partition, article_id)
        yield
    reasons: dict[str, int] = {reason: found[reason] for reason in SUPPRESSION_REASONS if found[reason]}
    readers = found.total() + unaware
    return Funnel(article_id, article.version, article.title, now_ms, readers, found["push"], pushed, reasons, unaware)
