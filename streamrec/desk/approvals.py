"""Articles that wait for the second of two persons: what the first page lists, and who may still approve."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..contracts.article import AnalysedArticle
from ..engine.control import ControlState, Target
from ..partition.partition import Partition

MOST = 10  # that are listed, the latest


class Awaited(NamedTuple):
    """An article that meets nobody yet, and who has sent or approved it so far."""

    article: AnalysedArticle
    persons: tuple[str, ...]


def addressed(partitions: Sequence[Partition], at_ms: int) -> list[AnalysedArticle]:
    """Articles with an audience that could be pushed at `at_ms` or later, the latest first."""
    catalog = partitions[0].catalog
    stands = catalog["live"] & catalog["addressed"] & ~(catalog["withdrawn"] | catalog["retracted"])
    found = np.flatnonzero(stands & (catalog["expires_ms"] > at_ms))
    slots = found[np.argsort(-catalog.opens_ms()[found], kind="stable")]
    return [article for slot in slots.tolist() if (article := catalog.articles[slot])]


def awaited(articles: Sequence[AnalysedArticle], state: ControlState, two_persons: str) -> list[Awaited]:
    """Those of these that wait, at most MOST; `two_persons` as the setting."""
    waiting = [article for article in articles if state.is_awaited(article, two_persons)]
    return [Awaited(article, state.persons(Target.of_version(article))) for article in waiting[:MOST]]
