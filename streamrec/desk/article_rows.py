"""An article as lists show it: how many readers it reached, and what keeps it from others."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..contracts.article import AnalysedArticle
from ..contracts.audience import SAYS_WHO, Audience
from ..contracts.ids import key_of
from ..follower.stepwise import Steps, stepwise
from ..partition.partition import Partition
from .figures import reach

LATEST = 8  # articles on the first page


class Tag(NamedTuple):
    """A word on an article, and how it is coloured: good, warn, bad or not at all."""

    said: str
    tone: str = ""


class ArticleRow(NamedTuple):
    """An article in a list."""

    article: AnalysedArticle
    key: int
    reach: int
    tags: list[Tag]


@stepwise
def latest(partitions: Sequence[Partition], at_ms: int, most: int) -> Steps[list[ArticleRow]]:
    """The articles published last."""
    catalog = partitions[0].catalog
    live = np.flatnonzero(catalog["live"])
    times = catalog["published_ms"][live]
    if len(live) > most:
        live = live[np.argpartition(-times, most)[:most]]
    slots = live[np.argsort(-catalog["published_ms"][live], kind="stable")]
    articles = [article for slot in slots.tolist() if (article := catalog.articles[slot])]
    return (yield from rows_of.steps(partitions, articles, at_ms))


@stepwise
def rows_of(
    partitions: Sequence[Partition], articles: Sequence[AnalysedArticle], at_ms: int
) -> Steps[list[ArticleRow]]:
    """These articles with their reach, in the same order."""
    keys = [key_of(article.article_id) for article in articles]
    reached = np.zeros(len(articles), np.int64)
    for partition in partitions:
        reached += reach(partition.profiles, keys)
        yield
    return [
        ArticleRow(article, key, n, tags_of(article, at_ms))
        for article, key, n in zip(articles, keys, reached.tolist(), strict=True)
    ]


def is_everybody(audience: Audience) -> bool:
    """Whether nothing narrows it."""
    return all(getattr(audience, name) is None for name in SAYS_WHO if name != "everybody")


def tags_of(article: AnalysedArticle, at_ms: int) -> list[Tag]:
    """What an article says of itself."""
    tags = [Tag("breaking", "bad")] if article.breaking else []
    if article.audience is not None:
        tags.append(Tag("for everybody" if is_everybody(article.audience) else "for some", "warn"))
    if article.status == "withdrawn":
        return [*tags, Tag("withdrawn", "bad")]
    if article.embargo_until_ms > at_ms:
        tags.append(Tag("under embargo", "warn"))
    elif article.published_at_ms > at_ms:
        tags.append(Tag("not out yet", "warn"))
    if article.expires_at_ms <= at_ms:
        tags.append(Tag("no longer pushed"))
    return tags
