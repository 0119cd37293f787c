"""content/story.py."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamrec.content.headline_match import headline_of, likeness
from streamrec.content.story import WINDOW_MS, RecentStories
from streamrec.contracts.article import ArticleEvent

DAY_MS = 86_400_000
NOW = 20_420 * DAY_MS + 12 * 3_600_000  # noon, UTC


def publish(stories: RecentStories, article_id: str, title: str, at_ms: int = NOW, story_id: str = "") -> str:
    """Story id of an article, remembered."""
    article = ArticleEvent(article_id=article_id, title=title, published_at_ms=at_ms, story_id=story_id)
    found = stories.story_of(article)
    stories.remember(article_id, found, title, at_ms)
    return found


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Strong earthquake hits northern Chile", "Northern Chile hit: strong earthquake hits"),
        ("量子芯片打破世界纪录 北京 实验室", "北京 实验室 量子芯片打破世界纪录"),
        ("Stor brand i lagerbygning på Amager", "Stor brand på Amager i lagerbygning"),
    ],
)
def test_a_reworded_title_joins_the_story(first: str, second: str) -> None:
    """The same words in another order, within the window, are one story in any language."""
    stories = RecentStories()
    assert publish(stories, "a1", first) == "a1"
    assert publish(stories, "a2", second) == "a1"


def test_other_titles_stay_apart() -> None:
    """Half the words in common is not the same story; a title of three words never joins one."""
    stories = RecentStories()
    publish(stories, "a1", "Strong earthquake hits northern Chile")
    assert publish(stories, "a2", "Strong earthquake hits southern Japan") == "a2"
    publish(stories, "a3", "Weather in Odense")
    assert publish(stories, "a4", "Weather in Odense") == "a4"


def test_the_next_day_is_another_story() -> None:
    """A daily column with a fixed title is new every day."""
    stories = RecentStories()
    publish(stories, "a1", "Ten things worth knowing before breakfast")
    assert publish(stories, "a2", "Ten things worth knowing before breakfast", NOW + DAY_MS) == "a2"


def test_midnight_divides_nothing() -> None:
    """A copy a minute later is a copy, on whichever side of 00:00 UTC; the window's end is exact."""
    stories, midnight = RecentStories(), 20_421 * DAY_MS
    title = "Strong earthquake hits northern Chile"
    publish(stories, "a1", title, midnight - 30_000)
    assert publish(stories, "a2", title, midnight + 30_000) == "a1"
    assert publish(RecentStories(), "a3", title) == "a3"
    late = RecentStories()
    publish(late, "b1", title)
    assert publish(late, "b2", title, NOW + WINDOW_MS + 1) == "b2"
    assert publish(late, "b3", title, NOW - WINDOW_MS) == "b1"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Court convicts former minister of fraud", "Court acquits former minister of fraud"),
        ("Fire in Aarhus warehouse injures two", "Fire in Odense warehouse injures two"),
        ("Chelsea win their match in extra time", "Liverpool win their match in extra time"),
        ("Snow closes schools in Leeds", "Snow closes schools in Bristol"),
        ("Leeds beat Bristol in cup final replay", "Bristol beat Leeds in cup final replay"),
        ("Minister will resign over housing scandal", "Minister will not resign over housing scandal"),
    ],
)
def test_one_word_for_another_is_another_story(first: str, second: str) -> None:
    """Who, where, what and whether: each is news of its own, and is pushed."""
    stories = RecentStories()
    publish(stories, "a1", first)
    assert publish(stories, "a2", second) == "a2"


def test_the_given_story_wins_and_attracts_copies() -> None:
    """The newsroom's story id is kept, and a copy without one joins it."""
    stories = RecentStories()
    assert publish(stories, "a1", "Strong earthquake hits northern Chile", story_id="quake") == "quake"
    assert publish(stories, "a2", "Strong earthquake hits northern Chile") == "quake"
    assert publish(stories, "a3", "Strong earthquake hits northern Chile", story_id="own") == "own"


def test_an_update_stays_in_its_story() -> None:
    """A new title for a known article does not make it a new story, which could be pushed again."""
    stories = RecentStories()
    publish(stories, "a1", "Strong earthquake hits northern Chile")
    publish(stories, "a2", "Strong earthquake hits northern Chile")
    assert publish(stories, "a2", "Dozens missing after disaster near Arica") == "a1"


def test_the_oldest_is_forgotten() -> None:
    """Memory is bounded; what was forgotten cannot be joined, what was not still can."""
    stories = RecentStories(capacity=2)
    publish(stories, "a1", "Strong earthquake hits northern Chile")
    publish(stories, "a2", "Parliament debates fishing quotas tonight")
    publish(stories, "a3", "Museum opens exhibition about Viking ships")
    assert len(stories) == 2
    assert publish(stories, "a4", "Parliament debates fishing quotas tonight") == "a2"
    assert publish(stories, "a5", "Strong earthquake hits northern Chile") == "a5"


def test_remembering_refills_a_restarted_memory() -> None:
    """Fed from `catalog` after a restart, a new memory answers like the old one."""
    stories = RecentStories()
    stories.remember("a2", "a1", "Strong earthquake hits northern Chile", NOW)
    assert publish(stories, "a3", "Northern Chile: strong earthquake hits") == "a1"
    assert publish(stories, "a2", "Another title altogether for this one") == "a1"


WORD = st.sampled_from("abcdefghij").map(lambda letter: letter * 3)
TITLES = st.lists(st.lists(WORD, max_size=10).map(" ".join))


@settings(deadline=None)
@given(TITLES, st.lists(st.integers(0, 40), min_size=30, max_size=30), st.integers(1, 5))
def test_the_index_finds_what_a_full_search_finds(titles: list[str], hours: list[int], capacity: int) -> None:
    """Searching by the rarest words loses nothing against comparing with every remembered title."""
    stories = RecentStories(capacity)
    window: list[tuple[str, int, str]] = []
    for number, title in enumerate(titles):
        at_ms = NOW + hours[number % len(hours)] * 3_600_000
        near = [
            (score, -place, story)
            for place, (seen, seen_ms, story) in enumerate(window)
            if abs(seen_ms - at_ms) <= WINDOW_MS and (score := likeness(headline_of(title), headline_of(seen)))
        ]
        expected = max(near)[2] if near else f"n{number}"
        assert publish(stories, f"n{number}", title, at_ms) == expected
        assert publish(stories, f"n{number}", "", at_ms) == expected  # an article keeps its story
        stories.remember(f"n{number}", expected, title, at_ms)
        window = [*window, (title, at_ms, expected)][-capacity:]
        assert len(stories) == len(window)
