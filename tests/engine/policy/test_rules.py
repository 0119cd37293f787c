"""Each rule on pairs that it must, and must not, suppress."""

from typing import Any

import numpy as np
import pytest
from making import DAY, HOUR, T0, article, policy

from streamrec.contracts.article import AnalysedArticle
from streamrec.contracts.ids import CATEGORIES, SHARED_CATEGORY, key_of
from streamrec.engine.catalog import Catalog
from streamrec.engine.pairs import Pairs
from streamrec.engine.policy import rules
from streamrec.engine.policy.config import BREAKABLE, bypasses
from streamrec.engine.policy.gates import GATES
from streamrec.engine.policy.registry import functions_in
from streamrec.engine.policy.rules import RULES
from streamrec.engine.policy.suppression_reasons import SUPPRESSION_REASONS
from streamrec.engine.profiles.history import after_acts, after_dislike, after_push
from streamrec.engine.profiles.layout import READ, SEEN
from streamrec.engine.profiles.store import ProfileStore, Users
from streamrec.errors import SettingsError

ROW = np.array([0], np.intp)


def keys(*ids: str) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
    """Article keys."""
    return np.array([key_of(name) for name in ids], np.uint32)


def pair(of: AnalysedArticle) -> Pairs:
    """One user, one article."""
    store, catalog = ProfileStore(1), Catalog()
    store.rows_of(["u"], [T0 // 1000])
    catalog.apply(of, T0)
    return Pairs(Users(store, ROW), catalog, np.array([0], np.intp), np.ones(1, np.float32))


def suppressed_by(pairs: Pairs, now_ms: int = T0) -> list[str]:
    """All rules that suppress this pair."""
    return [rule.reason for rule in RULES if rule.suppresses(pairs, now_ms, policy())[0]]


def test_nothing_against_a_fresh_unread_article() -> None:
    """No rule suppresses by itself."""
    assert suppressed_by(pair(article())) == []


@pytest.mark.parametrize(
    ("changed", "now_ms", "reason"),
    [
        ({"status": "withdrawn"}, T0, "withdrawn"),
        ({"expires_at_ms": T0 + HOUR}, T0 + HOUR, "expired"),
        ({"embargo_until_ms": T0 + HOUR}, T0 + HOUR - 1, "embargo"),
        ({"published_at_ms": T0 + HOUR}, T0, "embargo"),
    ],
)
def test_the_article_itself(changed: dict[str, Any], now_ms: int, reason: str) -> None:
    """Withdrawn, expired and embargoed articles are suppressed, and for that reason."""
    assert suppressed_by(pair(article(**changed)), now_ms) == [reason]


@pytest.mark.parametrize(
    ("column", "reason"), [("held", "held"), ("retracted", "retracted"), ("stopped", "stopped_category")]
)
def test_what_a_command_says_of_an_article(column: str, reason: str) -> None:
    """It is suppressed for that reason, is not fresh, and another version changes nothing of it."""
    pairs = pair(article())
    pairs.catalog[column][0] = True
    pairs.catalog.apply(article(version=2), T0)
    assert suppressed_by(pairs) == [reason]
    assert pairs.catalog.fresh(T0).tolist() == []


def test_boundaries() -> None:
    """An embargo ends, and an article lives, to the millisecond."""
    assert suppressed_by(pair(article(embargo_until_ms=T0 + HOUR)), T0 + HOUR) == []
    assert suppressed_by(pair(article(expires_at_ms=T0 + HOUR)), T0 + HOUR - 1) == []


def after_reading(pairs: Pairs, *ids: str) -> None:
    """The user read these."""
    for name in ids:
        acts, now_s = np.array([READ], np.uint8), np.array([T0 // 1000], np.uint32)
        after_acts(pairs.users.store, ROW, keys(name), acts, pairs.catalog, now_s)


def test_read_articles_are_not_news() -> None:
    """By name while the row remembers it, by the floor for ever."""
    pairs = pair(article("a1"))
    after_reading(pairs, "a1")
    assert suppressed_by(pairs) == ["already_read"]
    others = [f"other{number}" for number in range(SEEN)]
    for name in others:
        pairs.catalog.apply(article(name, known_at_ms=T0 + HOUR), T0 + HOUR)
    after_reading(pairs, *others[:-1])
    assert suppressed_by(pairs) == ["already_read"]
    after_reading(pairs, others[-1])
    assert suppressed_by(pairs) == ["history_floor"]
    assert suppressed_by(pair(article("a1", known_at_ms=T0 + 1000))) == []


def test_one_push_per_article_and_story() -> None:
    """The same article, and another article of the same story, are not pushed again."""
    pairs = pair(article("a1", story_id="s1"))
    after_push(pairs.users.store, ROW, keys("a0"), keys("s1"), T0 // 1000, pairs.catalog)
    assert suppressed_by(pairs) == ["already_pushed_story"]
    after_push(pairs.users.store, ROW, keys("a1"), keys("s1"), T0 // 1000, pairs.catalog)
    assert suppressed_by(pairs) == ["already_pushed_article", "already_pushed_story"]


def test_muted_category() -> None:
    """A muted category is suppressed, another one is not, nor the slot that several share."""
    pairs = pair(article(category="sports"))
    pairs.users.store.columns["muted"][0] = 1 << CATEGORIES.index("politics")
    assert suppressed_by(pairs) == []
    pairs.users.store.columns["muted"][0] |= 1 << CATEGORIES.index("sports")
    assert suppressed_by(pairs) == ["muted_category"]
    shared = pair(article(category_slot=SHARED_CATEGORY))
    shared.users.store.columns["muted"][0] = 2**32 - 1
    assert suppressed_by(shared) == []


def test_cooldown_ends() -> None:
    """After a dislike the category rests, for the time set and no longer."""
    pairs = pair(article(category="sports"))
    sports, until_s = np.array([CATEGORIES.index("sports")], np.uint8), (T0 + DAY) // 1000
    after_dislike(pairs.users.store, ROW, sports, np.array([until_s], np.uint32))
    assert suppressed_by(pairs) == ["cooldown"]
    assert suppressed_by(pairs, T0 + DAY) == ["expired"]


def test_a_shared_slot_does_not_cool_down() -> None:
    """Whoever dislikes one of its categories has said nothing of the others."""
    pairs = pair(article(category_slot=SHARED_CATEGORY))
    until_s = (T0 + DAY) // 1000
    after_dislike(pairs.users.store, ROW, np.array([SHARED_CATEGORY], np.uint8), np.array([until_s], np.uint32))
    assert suppressed_by(pairs) == []


def test_reasons_are_a_closed_set() -> None:
    """Each gate and rule answers with its own reason, from the set that is also the metric's."""
    reasons = [gate.reason for gate in GATES] + [rule.reason for rule in RULES]
    assert len(set(reasons)) == len(reasons)
    assert set(reasons) <= set(SUPPRESSION_REASONS)


def test_breaking_bypasses_gates_that_are_named_in_full() -> None:
    """What no setting may switch off, and what does not exist, stops the start and names the cure."""
    assert bypasses("min_interval, in_session") == {"min_interval", "in_session"}
    assert bypasses(",".join(BREAKABLE)) == BREAKABLE
    for name in set(SUPPRESSION_REASONS) - BREAKABLE:
        with pytest.raises(SettingsError, match=f"'{name}', which holds for breaking news too"):
            bypasses(f"min_interval,{name}")
    with pytest.raises(SettingsError, match=r"'min_intervall', which is no gate; did you mean min_interval\?"):
        bypasses("min_intervall")
    assert BREAKABLE.isdisjoint(rule.reason for rule in RULES)
    assert "opt_out" not in BREAKABLE


def test_a_function_without_a_reason_is_noticed() -> None:
    """And a reason without a function: a rule is never left out in silence."""
    reasons = [rule.reason for rule in RULES]
    for other in (reasons[1:], [*reasons, "whim"]):
        with pytest.raises(ImportError, match=f"{reasons[0]}|whim"):
            functions_in(rules.__name__, rules.__path__, other)
