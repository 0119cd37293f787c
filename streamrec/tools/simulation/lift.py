"""How much likelier a pushed article is to be clicked than a random fresh one, by the simulator's truth.

    lift = mean p_click(user, pushed article) / mean p_click(same user, every article fresh at that time)

Both means are over the same users at the same times, so active readers do not flatter the result. Much of a lift can
be had by choosing the right language alone; `own_language` therefore compares with articles the user can read.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ...datasets.simulated.newsroom import Newsroom
from ...datasets.simulated.readers import Readers


class Lift(NamedTuple):
    """Mean true click probabilities; NaN without pushes."""

    pushes: int
    pushed: float
    random: float  # any fresh article
    own_language: float  # a fresh article in a language the user reads

    @property
    def ratio(self) -> float:
        """How many times likelier a pushed article is to be clicked than any fresh one."""
        return self.pushed / self.random

    @property
    def ratio_own_language(self) -> float:
        """How many times likelier a pushed article is to be clicked than a fresh one in the reader's languages."""
        return self.pushed / self.own_language


def lift(readers: Readers, newsroom: Newsroom, pushes: Iterable[tuple[str, str, int]]) -> Lift:
    """Lift of pushes (user_id, article_id, at_ms). Pushes of articles the newsroom never wrote are left out."""
    rows = [means for push in pushes if (means := _means(readers, newsroom, *push)) is not None]
    if not rows:
        return Lift(0, float("nan"), float("nan"), float("nan"))
    pushed, random, own_language = np.nanmean(np.array(rows, np.float64), axis=0).tolist()
    return Lift(len(rows), pushed, random, own_language)


def _means(
    readers: Readers, newsroom: Newsroom, user_id: str, article_id: str, at_ms: int
) -> tuple[float, float, float] | None:
    """Probability of the pushed article, of any fresh one, of one in the user's languages."""
    article = newsroom.articles.get(article_id)
    fresh = newsroom.fresh(at_ms)
    if article is None or not fresh:
        return None
    user = readers.number_of[user_id]
    p = readers.p_click(np.array([user]), [article, *fresh], at_ms)[0]
    readable = readers.reads[user, [each.language for each in fresh]]
    own_language = float(p[1:][readable].mean()) if readable.any() else float("nan")
    return float(p[0]), float(p[1:].mean()), own_language
