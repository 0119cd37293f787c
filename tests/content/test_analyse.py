"""content/analyse.py."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamrec.content.analyse import analyse, digest_of
from streamrec.content.category_slots import Categories
from streamrec.content.encoder import HashedEncoder
from streamrec.content.story import RecentStories
from streamrec.contracts.article import AnalysedArticle, ArticleEvent

ENCODER = HashedEncoder()
NOW = 1_767_225_600_000
LATER = NOW + 5_000
ARTICLE = ArticleEvent(article_id="a17", title="Quantum telescope breaks record", published_at_ms=NOW)


def accepted(article: ArticleEvent, stories: RecentStories | None = None) -> AnalysedArticle:
    """Analyse with the built-in encoder and 24 hours of eligibility."""
    return analyse(article, ENCODER, RecentStories() if stories is None else stories, Categories(None), 24, LATER)


def vector(article: AnalysedArticle) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    """The vector as the partitions read it."""
    return np.frombuffer(article.vector, "<f4")


def test_what_is_missing_is_found() -> None:
    """A bare article gets language, category, keywords, story, vector and an end of eligibility."""
    done = accepted(ARTICLE)
    assert (done.language, done.category, done.story_id) == ("en", "science", "a17")
    assert done.keywords == ("quantum", "telescope", "breaks", "record")
    assert done.expires_at_ms == NOW + 24 * 3_600_000
    assert done.known_at_ms == LATER
    assert done.space_id == ENCODER.space_id
    assert np.linalg.norm(vector(done)) == pytest.approx(1)


def test_an_article_under_embargo_has_its_time_after_it() -> None:
    """Or one that lasts longer than the eligibility would never go out, and nobody would know."""
    embargo_ms = NOW + 30 * 3_600_000
    done = accepted(msgspec.structs.replace(ARTICLE, embargo_until_ms=embargo_ms))
    assert done.expires_at_ms == embargo_ms + 24 * 3_600_000


def test_what_is_given_is_kept() -> None:
    """Fields the newsroom filled in pass through."""
    given_fields = ArticleEvent(
        article_id="a1",
        title="Quantum chip",
        published_at_ms=NOW,
        version=3,
        status="updated",
        category="Tech",
        source="desk",
        language="da-DK",
        story_id="s",
        deep_link="app://a1",
        expires_at_ms=NOW + 1,
        embargo_until_ms=NOW + 2,
        breaking=2,
    )
    done = accepted(given_fields)
    assert (done.version, done.status, done.category, done.source) == (3, "updated", "tech", "desk")
    assert (done.language, done.story_id, done.deep_link) == ("da", "s", "app://a1")
    assert (done.expires_at_ms, done.embargo_until_ms, done.breaking) == (NOW + 1, NOW + 2, 2)


@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e300])
def test_an_embedding_is_scaled_to_unit_length(scale: float) -> None:
    """Direction counts, magnitude does not, however large or small."""
    given_numbers = [scale * math.sin(n + 1) for n in range(64)]
    done = vector(accepted(msgspec.structs.replace(ARTICLE, embedding=given_numbers)))
    expected = np.sin(np.arange(64) + 1)
    assert done == pytest.approx(expected / np.linalg.norm(expected), abs=1e-6)


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"null", b'"1"', b"true"])
def test_json_cannot_smuggle_in_what_is_no_number(number: bytes) -> None:
    """JSON has no NaN: msgspec refuses it and its relatives before analysis, as undecodable or invalid."""
    head = b'{"article_id": "a", "title": "t", "published_at_ms": 1767225600000, "embedding": ['
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(head + number + b"]}", type=ArticleEvent)


@pytest.mark.parametrize("embedding", [None, [1.0] * 3, [math.nan] * 64])
def test_a_withdrawal_always_passes(embedding: list[float] | None) -> None:
    """An article can be taken back whatever else is wrong with the record; it keeps its story and has no vector."""
    stories = RecentStories()
    stories.remember("a17", "s1", "Quantum chip breaks record", NOW)
    taken_back = ArticleEvent(article_id="a17", title="", published_at_ms=NOW, status="withdrawn", embedding=embedding)
    done = accepted(taken_back, stories)
    assert (done.status, done.story_id) == ("withdrawn", "s1")
    assert len(done.vector) == 256
    assert not vector(done).any()


def test_a_title_without_words_has_a_zero_vector() -> None:
    """Such an article is known and can be read; it is similar to nothing."""
    done = accepted(msgspec.structs.replace(ARTICLE, title="?!"))
    assert not vector(done).any()
    assert (done.language, done.category, done.keywords) == ("und", "", ())


def test_copies_share_a_story() -> None:
    """Two articles with the same words, one after the other, are one story."""
    stories = RecentStories()
    first = accepted(ARTICLE, stories)
    stories.remember(first.article_id, first.story_id, first.title, first.published_at_ms)
    copy = msgspec.structs.replace(ARTICLE, article_id="a18", title="Record: quantum telescope breaks")
    assert accepted(copy, stories).story_id == "a17"


def test_the_digest_tells_a_redelivery_from_a_change() -> None:
    """The digest ignores how the JSON was written and notices any field that changed."""
    spaced = (
        b'{ "published_at_ms": 1767225600000, "x": 1, "title": "Quantum telescope breaks record", "article_id": "a17" }'
    )
    again = msgspec.json.decode(spaced, type=ArticleEvent)
    assert digest_of(again) == digest_of(ARTICLE) == accepted(ARTICLE).digest
    for change in ({"title": "Other"}, {"version": 1}, {"status": "withdrawn"}, {"breaking": 1}, {"category": "x"}):
        assert digest_of(msgspec.structs.replace(ARTICLE, **change)) != digest_of(ARTICLE)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)  # JSON strings hold no lone surrogates


@settings(deadline=None)  # the first text loads a model
@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_any_text_can_be_analysed_and_stored(title: str, abstract: str, category: str, language: str) -> None:
    """No text raises, and what comes out survives the catalog topic unchanged."""
    article = ArticleEvent(
        article_id="a", title=title, published_at_ms=NOW, abstract=abstract, category=category, language=language
    )
    done = accepted(article)
    assert done == accepted(article)
    assert len(done.vector) == 256
    assert len(done.language) in {2, 3}
    assert msgspec.json.decode(msgspec.json.encode(done), type=AnalysedArticle) == done
