"""What must stand in `catalog`: a plain second reading of `articles`.

Each version that is not older than one before it, in every partition; the newest one last, for `catalog` is compacted.
A version may be written again after a crash. What cannot be read stands in `articles.dlq`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from ...content.analyse import digest_of
from ...contracts.article import AnalysedArticle, ArticleEvent
from ...contracts.decode import Origin, Typed, decode_articles
from ...contracts.records import DeadLetter, Record, first_headers


class Version(NamedTuple):
    """One version of an article, and a digest of its content to tell versions of one number apart."""

    number: int
    status: str
    digest: int  # of the content


def article_differences(articles: Sequence[Record], catalog: Sequence[Record]) -> list[str]:
    """Between `articles` and one partition of `catalog`, in words: one for each article."""
    expected, found = _expected(articles), _found(catalog)
    return [
        f"article {article_id}: {_shown(found.get(article_id))} in catalog, expected {_shown(expected.get(article_id))}"
        for article_id in sorted(expected.keys() | found.keys())
        if _last_and_all(found.get(article_id)) != _last_and_all(expected.get(article_id))
    ]


def letter_differences(articles: Sequence[Record], letters: Sequence[Record]) -> list[str]:
    """Between the records that cannot be read and `articles.dlq`, where a crash may leave one twice."""
    items = decode_articles(articles, Origin("articles", 0))
    expected = {item.offset for item in items if isinstance(item, DeadLetter)}
    found = {int(first_headers(letter)["streamrec-offset"]) for letter in letters}
    return [f"articles.dlq: offsets {sorted(found)}, expected {sorted(expected)}"] if found != expected else []


def _expected(articles: Sequence[Record]) -> dict[str, list[Version]]:
    taken: dict[str, list[Version]] = {}
    for item in decode_articles(articles, Origin("articles", 0)):
        if isinstance(item, Typed):
            versions = taken.setdefault(item.value.article_id, [])
            newest = max((version.number for version in versions), default=0)
            article: ArticleEvent = item.value
            if article.status == "withdrawn":  # takes back what is newest, whichever version it names
                article = msgspec.structs.replace(article, version=max(newest, article.version))
            if article.version >= newest:
                versions.append(Version(article.version, article.status, digest_of(article)))
    return taken


def _found(catalog: Sequence[Record]) -> dict[str, list[Version]]:
    written: dict[str, list[Version]] = {}
    for record in catalog:
        if record.value:
            article = msgspec.json.decode(record.value, type=AnalysedArticle)
            version = Version(article.version, article.status, article.digest)
            written.setdefault(article.article_id, []).append(version)
    return written


def _last_and_all(versions: Sequence[Version] | None) -> tuple[Version, frozenset[Version]] | None:
    return (versions[-1], frozenset(versions)) if versions else None


def _shown(versions: Sequence[Version] | None) -> list[str]:
    return [f"{version.number} {version.status}" for version in versions or ()]
