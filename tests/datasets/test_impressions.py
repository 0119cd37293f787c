"""Labels of a running system: what was shown, who answered in time, and nothing that is not known yet."""

from making import HOUR, T0
from making_rows import push

from streamrec.contracts.event import Action, UserEvent
from streamrec.contracts.push import Push
from streamrec.datasets.impressions import ANSWER_MS, TOGETHER_MS, Seen, labelled
from streamrec.datasets.records import Impression, Step

LATER = T0 + 100 * HOUR


def seen(action: Action, article_id: str, at_ms: int, user_id: str = "u") -> Seen:
    """An event that came when it happened."""
    return Seen(at_ms, UserEvent(user_id, action, at_ms, article_id))


def shown(*events: Seen, pushes: tuple[Push, ...] = (), since_ms: int = 0, until_ms: int = LATER) -> list[Step]:
    """The labelled impressions."""
    return list(labelled(events, pushes, since_ms, until_ms))


def test_a_click_makes_a_positive_and_silence_a_negative() -> None:
    """One slate, one of its articles clicked, one dismissed."""
    events = [seen("impression", name, T0) for name in "abc"]
    events += [seen("click", "b", T0 + 5), seen("dismiss", "c", T0 + 6), seen("click", "x", T0 + 7)]
    assert shown(*events) == [Step(T0, Impression("u", ("a", "b", "c"), (False, True, False)))]


def test_what_is_shown_within_a_minute_is_one_impression() -> None:
    """Scrolling goes on; the next visit is another impression, and other users have their own."""
    visits = shown(
        seen("impression", "a", T0),
        seen("impression", "b", T0 + TOGETHER_MS),
        seen("impression", "a", T0 + TOGETHER_MS),
        seen("impression", "c", T0 + TOGETHER_MS + 1),
        seen("impression", "a", T0 + 2, "v"),
    )
    assert [(step.at_ms, step.record.user_id, step.record.candidates) for step in visits] == [  # type: ignore[union-attr]
        (T0, "u", ("a", "b")),
        (T0 + 2, "v", ("a",)),
        (T0 + TOGETHER_MS + 1, "u", ("c",)),
    ]


def test_a_click_counts_for_the_latest_showing_in_time() -> None:
    """Shown twice, clicked once; and a click long after is nobody's."""
    first, second = T0, T0 + 2 * TOGETHER_MS
    events = seen("impression", "a", first), seen("impression", "a", second)
    in_time, too_late = seen("click", "a", second + ANSWER_MS), seen("click", "a", second + ANSWER_MS + 1)
    clicked = [step.record.clicked for step in shown(*events, in_time)]  # type: ignore[union-attr]
    assert clicked == [(False,), (True,)]
    assert [step.record.clicked for step in shown(*events, too_late)] == [(False,), (False,)]  # type: ignore[union-attr]


def test_a_push_is_an_impression_of_one() -> None:
    """Opened before it expires: positive; dismissed, ignored or opened later: negative."""
    pushes = push("a", T0), push("b", T0 + 1), push("c", T0 + 2)
    events = seen("open", "a", T0 + HOUR), seen("dismiss", "b", T0 + HOUR), seen("open", "c", T0 + 7 * HOUR)
    assert shown(*events, pushes=pushes) == [
        Step(T0, Impression("u", ("a",), (True,))),
        Step(T0 + 1, Impression("u", ("b",), (False,))),
        Step(T0 + 2, Impression("u", ("c",), (False,))),
    ]


def test_the_order_of_arrival_does_not_matter() -> None:
    """Partitions are read one after the other; time puts them in order."""
    events = seen("impression", "a", T0), seen("click", "a", T0 + 1), seen("impression", "b", T0 + HOUR)
    assert shown(*events) == shown(*reversed(events))


def test_only_showings_between_the_times_count() -> None:
    """One that began earlier is history, and one that can still be answered has no label yet."""
    events = [seen("impression", "a", T0 + hours * HOUR) for hours in range(4)]
    until_ms = T0 + 2 * HOUR + ANSWER_MS
    found = [step.at_ms for step in shown(*events, since_ms=T0 + HOUR, until_ms=until_ms)]
    assert found == [T0 + HOUR, T0 + 2 * HOUR]
    assert [step.at_ms for step in shown(*events, until_ms=until_ms - 1)] == [T0, T0 + HOUR]
    assert shown(pushes=(push("a", T0),), until_ms=T0 + 6 * HOUR - 1) == []
