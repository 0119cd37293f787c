"""content/story.py."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamrec.content.story import DAY_MS, RecentStories, title_words
from streamrec.contracts.article import ArticleEvent

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
    """The same words in another order, on the same day, are one story in any language."""
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


TITLES = st.lists(st.lists(st.sampled_from("abcdefghij"), max_size=10).map(lambda w: " ".join(x * 3 for x in w)))


@settings(deadline=None)
@given(TITLES, st.integers(1, 5))
def test_the_index_finds_what_a_full_search_finds(titles: list[str], capacity: int) -> None:
    """Searching by the rarest words loses nothing against comparing with every remembered title."""
    stories = RecentStories(capacity)
    window: list[tuple[frozenset[str], str]] = []
    for number, title in enumerate(titles):
        wanted = title_words(title)
        near = [
            (len(wanted & seen) / len(wanted | seen), -at, story)
            for at, (seen, story) in enumerate(window)
            if min(len(wanted), len(seen)) >= 4 and 10 * len(wanted & seen) >= 7 * len(wanted | seen)
        ]
        expected = max(near)[2] if near else f"n{number}"
        assert publish(stories, f"n{number}", title) == expected
        window = [*window, (wanted, expected)][-capacity:]
        assert len(stories) == len(window)
