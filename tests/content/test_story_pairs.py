"""Stories on 400 labelled pairs of headlines in eight languages; `-s` prints precision and recall.

The pairs were written for this test. Rules were tuned on the even lines; three faults seen on the odd ones were mended,
too (numbers as function words, "за", inflected names that change places), so these are no untouched hold-out.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from streamrec.content.stop_words import STOP_WORDS
from streamrec.content.story import RecentStories
from streamrec.content.words import words
from streamrec.contracts.article import ArticleEvent

Pair = dict[str, Any]
PAIRS: list[Pair] = [
    json.loads(line) for line in Path(__file__).with_name("story_pairs.jsonl").read_text(encoding="utf-8").splitlines()
]
LATE_MS = 20_420 * 86_400_000 + 10 * 3_600_000  # 10:00 UTC; pairs more than 14 hours apart have midnight between them


def joined(pair: Pair) -> bool:
    """Whether the second article joins the story of the first."""
    stories = RecentStories()
    stories.remember("a", "a", pair["a"], LATE_MS)
    later = ArticleEvent(article_id="b", title=pair["b"], published_at_ms=LATE_MS + pair["minutes"] * 60_000)
    return stories.story_of(later) == "a"


def same_day(pair: Pair) -> bool:
    """Whether both are of one UTC day."""
    return bool((LATE_MS + pair["minutes"] * 60_000) // 86_400_000 == LATE_MS // 86_400_000)


def exact(pair: Pair) -> bool:
    """Baseline: the same title on the same day."""
    return bool(pair["a"] == pair["b"]) and same_day(pair)


def jaccard(pair: Pair) -> bool:
    """Baseline: seven in ten words in common on the same day."""
    one, other = (set(words(pair[side])) - STOP_WORDS for side in "ab")
    return same_day(pair) and min(len(one), len(other)) >= 4 and 10 * len(one & other) >= 7 * len(one | other)


def measured(pairs: list[Pair], judge: Callable[[Pair], bool]) -> tuple[float, float, float]:
    """Precision, recall, and the share of minimal pairs that are kept apart."""
    joins = [pair for pair in pairs if judge(pair)]
    right = sum(pair["same"] for pair in joins)
    minimal = [pair for pair in pairs if pair["kind"] == "minimal_pair"]
    apart = sum(not judge(pair) for pair in minimal) / len(minimal)
    return right / len(joins), right / sum(pair["same"] for pair in pairs), apart


def test_the_set_is_as_large_as_it_says() -> None:
    """400 pairs, 50 a language, 160 of them minimal; none twice."""
    assert len(PAIRS) == 400
    assert len({(pair["a"], pair["b"], pair["minutes"]) for pair in PAIRS}) == 400
    assert sum(pair["kind"] == "minimal_pair" for pair in PAIRS) == 160


@pytest.mark.parametrize("half", [0, 1])
def test_precision_comes_first(half: int) -> None:
    """No minimal pair is one story and nothing is joined that does not belong; most that does is."""
    pairs = PAIRS[half::2]
    for judge in (exact, jaccard, joined):
        figures = "precision {:.3f}, recall {:.3f}, minimal pairs apart {:.3f}".format(*measured(pairs, judge))
        print(f"half {half}, {judge.__name__}: {figures}")  # noqa: T201
    precision, recall, apart = measured(pairs, joined)
    assert min(precision, apart) >= 0.99
    assert recall >= 0.85


@pytest.mark.parametrize("language", sorted({pair["language"] for pair in PAIRS}))
def test_each_language(language: str) -> None:
    """The same in each language."""
    precision, recall, apart = measured([pair for pair in PAIRS if pair["language"] == language], joined)
    print(f"{language}: precision {precision:.3f}, recall {recall:.3f}, minimal pairs apart {apart:.3f}")  # noqa: T201
    assert min(precision, apart) >= 0.99
    assert recall >= 0.8


@pytest.mark.parametrize("kind", ["label", "copy", "casualties"])
def test_what_is_plainly_the_same_is_found(kind: str) -> None:
    """Labels, copies up to nineteen hours apart and growing numbers of casualties: all of them."""
    assert [pair for pair in PAIRS if pair["kind"] == kind and not joined(pair)] == []
