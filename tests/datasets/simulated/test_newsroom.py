"""The simulated newsroom writes varied, valid, reproducible articles."""

import msgspec
import pytest

from streamrec.contracts.article import ArticleEvent
from streamrec.contracts.ids import CATEGORIES
from streamrec.datasets.simulated.newsroom import Newsroom, SimArticle
from streamrec.datasets.simulated.vocabulary import LANGUAGES, vocabulary

T0 = 1_767_225_600_000
DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def week() -> list[tuple[int, SimArticle]]:
    """A week of articles."""
    return list(Newsroom(3).stream(T0, T0 + 7 * DAY_MS, 30))


def test_the_vocabulary_has_words_for_every_topic_in_every_language() -> None:
    """At least twelve well-known categories, with subjects and verbs in each language."""
    words = vocabulary()
    assert len(set(words.categories) & set(CATEGORIES)) == len(words.categories) >= 12
    for topic in words.topics:
        for language in LANGUAGES:
            assert all(topic.subjects[language]), topic.name
            assert all(topic.verbs[language]), topic.name


def test_a_subject_belongs_to_one_topic() -> None:
    """A title must betray one topic, or the truth could not be learned from text."""
    subjects = [subject for topic in vocabulary().topics for words in topic.subjects.values() for subject in words]
    assert len(subjects) == len(set(subjects))


def test_titles_differ(week: list[tuple[int, SimArticle]]) -> None:
    """Hundreds of different titles in English and Chinese, and many in Danish."""
    titles = {language: {a.event.title for _, a in week if a.event.language == language} for language in LANGUAGES}
    assert len(titles["en"]) > 1_000
    assert len(titles["zh"]) > 1_000
    assert len(titles["da"]) > 200


def test_every_article_passes_the_contract(week: list[tuple[int, SimArticle]]) -> None:
    """What the newsroom writes, the worker accepts."""
    for at_ms, article in week:
        assert msgspec.json.decode(msgspec.json.encode(article.event), type=ArticleEvent) == article.event
        assert article.event.published_at_ms <= at_ms


def test_the_same_seed_writes_the_same(week: list[tuple[int, SimArticle]]) -> None:
    """Articles follow from the seed alone."""
    assert list(Newsroom(3).stream(T0, T0 + 7 * DAY_MS, 30)) == week
    assert [a.event.title for _, a in Newsroom(4).stream(T0, T0 + DAY_MS, 30)][:20] != [
        a.event.title for _, a in week[:20]
    ]


def test_versions_rise_and_stories_go_on(week: list[tuple[int, SimArticle]]) -> None:
    """Updates and withdrawals raise the version of a known article; follow-ups share story, topic and language."""
    last: dict[str, SimArticle] = {}
    stories: dict[str, SimArticle] = {}
    follow_ups = 0
    for _, article in week:
        event = article.event
        before = last.get(event.article_id)
        assert event.version == (before.event.version + 1 if before else 0)
        assert (event.status == "published") == (before is None)
        assert before is None or before.event.status != "withdrawn"
        first = stories.setdefault(event.story_id, article)
        assert (first.topic, first.language, first.subject) == (article.topic, article.language, article.subject)
        follow_ups += first.number != article.number
        last[event.article_id] = article
    assert follow_ups > 100
    assert {article.event.status for _, article in week} == {"published", "updated", "withdrawn"}
    assert any(article.event.breaking for _, article in week)


def test_fresh_articles_are_recent_and_not_withdrawn(week: list[tuple[int, SimArticle]]) -> None:
    """`fresh` is exactly what a scan over all articles finds."""
    newsroom = Newsroom(3)
    for _ in newsroom.stream(T0, T0 + 7 * DAY_MS, 30):
        pass
    now_ms = T0 + 5 * DAY_MS
    wanted = [
        a
        for a in newsroom.articles.values()
        if now_ms - DAY_MS < a.event.published_at_ms <= now_ms and a.event.status != "withdrawn"
    ]
    assert newsroom.fresh(now_ms) == wanted
    assert len(wanted) > 100
