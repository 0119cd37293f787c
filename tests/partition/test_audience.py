"""An article with an audience in one partition: who gets it, in which steps, and that only the article decides."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import HOUR, T0, Feed, applied, article, click, columns, partition, pushes

from streamrec.contracts.article import AnalysedArticle
from streamrec.contracts.audience import Audience, Ramp
from streamrec.contracts.control import Command
from streamrec.contracts.decode import Origin, decode_catalog
from streamrec.contracts.event import UserEvent
from streamrec.contracts.records import RawRecord
from streamrec.engine.profiles.layout import CONSENT_OUT
from streamrec.partition.changelog_meta import rows_and_meta
from streamrec.partition.changes import Changes
from streamrec.partition.intake import Batch
from streamrec.partition.partition import Partition

MINUTE = 60_000
EVERYBODY = Audience(everybody=True)
FIVE = ("ann", "bo", "cy", "di", "eve")


def newsroom(**changed: Any) -> tuple[Partition, Feed]:
    """Five known readers: three have read about football, two something that nobody knows."""
    state = partition(**({"min_affinity": 0.3, "min_score": 0.3} | changed))
    feed = Feed(state)
    feed.articles(article("old", topic="football", category="sports"))
    feed.events(*[click(name, "old" if name < "di" else "lost") for name in FIVE])
    return state, feed


def got(changes: Changes) -> list[str]:
    """Who was pushed to."""
    return sorted(push.user_id for push in pushes(changes))


def test_breaking_news_to_everybody_reaches_readers_it_does_not_interest() -> None:
    """Without an audience five known readers get nothing; with it all of them do, who have no vector at all, too."""
    state, feed = newsroom()
    plain = feed.articles(article("alarm", topic="volcano", breaking=3))
    assert (got(plain), plain.suppressed) == ([], {"low_affinity": 5})
    changes = feed.articles(article("alarm2", topic="volcano", breaking=3, audience=EVERYBODY))
    assert (got(changes), changes.suppressed) == ([*FIVE], {})
    assert not state.queue


def test_an_audience_says_why_to_who_did_not_ask() -> None:
    """It is not similar to what they read."""
    _, feed = newsroom()
    changes = feed.articles(article("storm", topic="storm", category="weather", audience=EVERYBODY))
    assert {(push.reason.code, push.reason.args["category"]) for push in pushes(changes)} == {("audience", "weather")}


def test_gates_and_rules_hold_for_an_audience() -> None:
    """An opt-out, a cap, a mute and a read; each is counted under its own name."""
    state, feed = newsroom()
    feed.articles(article("storm", category_slot=5, audience=Audience(share=0.0)))
    feed.events(click("cy", "storm"))
    for name, field, value in (("ann", "consent", CONSENT_OUT), ("bo", "daily_cap", 0), ("di", "muted", 1 << 5)):
        state.profiles.columns[field][state.profiles.row(name)] = value
    changes = feed.articles(article("storm", version=2, category_slot=5, audience=EVERYBODY))
    assert got(changes) == ["eve"]
    assert changes.suppressed == {"opt_out": 1, "daily_cap": 1, "already_read": 1, "muted_category": 1}


def test_who_is_outside_is_told_apart() -> None:
    """From those whom it does not interest; and interest does not bring anybody in."""
    _, feed = newsroom()
    changes = feed.articles(article("goal", topic="football", audience=Audience(languages=("da",))))
    assert (got(changes), changes.suppressed) == ([], {"outside_audience": 5})
    assert changes.audience == {"inside": 0, "outside": 5}
    changes = feed.articles(article("goal2", topic="football", audience=Audience(languages=("en",))))
    assert got(changes) == ["ann", "bo", "cy"]
    assert changes.suppressed == {"outside_audience": 2}
    assert changes.audience == {"inside": 3, "outside": 2}


def due_reader(*articles: AnalysedArticle, **changed: Any) -> Changes:
    """What a reader of football gets who was in session while these were published."""
    state, feed = newsroom(session_gap_s=60, **changed)
    feed.articles(*articles)
    feed.events(click("ann", "old"))
    return state.look(T0 + HOUR)


def test_an_audience_goes_before_interest() -> None:
    """Of a reader who is due: the newsroom's choice is not put off for the interval after another push."""
    near = [article(f"near{i}", topic="football") for i in range(3)]
    changes = due_reader(*near, article("storm", topic="storm", audience=EVERYBODY))
    assert {(push.user_id, push.article_id) for push in pushes(changes)} == {(name, "storm") for name in FIVE}
    assert changes.suppressed["other_article_better"] == 9


def test_an_audience_takes_nobody_elses_place() -> None:
    """Of the nearest articles a reader keeps as many as ever; those with an audience come on top."""
    near = [article(f"near{i}", topic="football") for i in range(3)]
    outside = [article(f"far{i}", topic="football", audience=Audience(languages=("da",))) for i in range(9)]
    one, other = due_reader(*near, candidates_per_user=2), due_reader(*near, *outside, candidates_per_user=2)
    assert [push.article_id for push in pushes(one)] == [push.article_id for push in pushes(other)] != []
    assert other.suppressed["outside_audience"] == 9 * 5
    many = [article(f"to all {i}", topic=f"t{i}", audience=EVERYBODY) for i in range(9)]
    assert due_reader(*many, candidates_per_user=2).suppressed["other_article_better"] == 8 * 5


# --- ramps ------------------------------------------------------------------------------------------------------------

RAMP = Audience(everybody=True, ramp=Ramp(0.4, 30))
READERS = [f"reader {number}" for number in range(60)]


def ramped(audience: Audience = RAMP, **changed: Any) -> AnalysedArticle:
    """An article whose ramp is over half an hour after T0."""
    return article("storm", topic="storm", audience=audience, widens_at_ms=T0 + 30 * MINUTE, **changed)


def readers(chunk_users: int = 4096) -> tuple[Partition, Feed]:
    """Sixty readers of one article."""
    state = partition(chunk_users=chunk_users)
    feed = Feed(state)
    feed.articles(article("old", topic="football"))
    feed.events(*[click(name, "old") for name in READERS])
    state.look(T0)
    return state, feed


def test_a_ramp_has_two_steps() -> None:
    """A share at once, the rest when its time is over, nobody twice, all in the end."""
    state, feed = readers()
    first = got(feed.articles(ramped()))
    assert 10 < len(first) < 40
    assert got(state.look(T0 + 30 * MINUTE - 1)) == []
    second = got(state.look(T0 + 30 * MINUTE))
    assert sorted(first + second) == sorted(READERS)
    assert got(state.look(T0 + HOUR)) == []


@pytest.mark.parametrize(
    "later",
    [
        ramped(status="withdrawn"),
        ramped(version=2, audience=Audience(share=0.0)),
        msgspec.structs.replace(ramped(version=2), widens_at_ms=T0 + HOUR),
    ],
    ids=["withdrawn", "nobody", "another ramp"],
)
def test_a_ramp_stops_with_its_version(later: AnalysedArticle) -> None:
    """A withdrawal or a new version comes before the second step: its readers do not get it."""
    state, feed = readers()
    assert got(feed.articles(ramped()))
    feed.articles(later, now_ms=T0 + MINUTE)
    assert got(state.look(T0 + 30 * MINUTE)) == []


def command(action: str, at_ms: int, **more: Any) -> Command:
    """By ann, now."""
    return Command(action, "ann", "why", at_ms, command_id=f"{action} {at_ms}", **more)


@pytest.mark.parametrize(
    ("no", "yes"),
    [
        (command("hold", T0 + 1, article_id="storm"), command("release", T0 + HOUR, article_id="storm")),
        (command("stop", T0 + 1), command("resume", T0 + HOUR)),
        (command("stop", T0 + 1, category="science"), command("resume", T0 + HOUR, category="science")),
    ],
)
def test_a_ramp_stops_by_command(no: Command, yes: Command) -> None:
    """Its second step waits for as long as the article is held, or pushes are stopped; then the rest gets it."""
    state, feed = readers()
    first = got(feed.articles(ramped()))
    feed.commands(no)
    assert got(state.look(T0 + 30 * MINUTE)) == []
    second = got(feed.commands(yes)) + got(state.look(T0 + HOUR))
    assert sorted(first + second) == sorted(READERS)


def test_a_retraction_is_the_end_of_a_ramp() -> None:
    """Those who got it are told; the rest never get it."""
    state, feed = readers()
    first = got(feed.articles(ramped()))
    told = pushes(feed.commands(command("retract", T0 + 1, article_id="storm")))
    assert sorted(push.user_id for push in told if push.kind == "retract") == first
    assert got(state.look(T0 + 30 * MINUTE)) == got(state.look(T0 + HOUR)) == []


def test_an_embargo_comes_before_a_ramp() -> None:
    """Both steps come in their time, and each once."""
    state, feed = readers()
    article_ = msgspec.structs.replace(ramped(embargo_until_ms=T0 + HOUR), widens_at_ms=T0 + HOUR + 30 * MINUTE)
    assert got(feed.articles(article_)) == got(state.look(T0 + HOUR - 1)) == []
    first = got(state.look(T0 + HOUR))
    assert 10 < len(first) < 40
    second = got(state.look(T0 + HOUR + 30 * MINUTE))
    assert sorted(first + second) == sorted(READERS)


def successor(state: Partition, catalog: list[AnalysedArticle], rows: dict[bytes, bytes]) -> Partition:
    """What the next owner restores from what `state` wrote."""
    raw = [RawRecord(number, T0, None, msgspec.json.encode(one)) for number, one in enumerate(catalog)]
    _, meta = rows_and_meta([state.encode(state.profiles.everybody(0, 0).indices())[-1]], 1)
    after = Partition(state.context)
    after.at_once = state.at_once
    after.restore(rows.items(), meta, decode_catalog(raw, Origin("catalog", 0)))
    return after


@given(
    steps=st.lists(st.sampled_from(["meet", "crash", "tick"]), max_size=12),
    chunk=st.sampled_from([7, 20, 60]),
    share=st.sampled_from([0.0, 0.2, 0.7, 1.0]),
)
@settings(max_examples=60, deadline=None)
def test_a_ramp_reaches_whom_it_would_reach_at_once(steps: list[str], chunk: int, share: float) -> None:
    """However it is cut into chunks, and wherever an owner dies: both steps are the audience, each reader once."""
    audience = Audience(share=0.8, ramp=Ramp(share, 30))
    state, feed = readers(chunk)
    state.at_once = False
    feed.articles(ramped(audience))
    catalog = [article("old", topic="football"), ramped(audience)]
    found: list[str] = []
    now_ms = T0
    for step in [*steps, "tick", "tick", "tick", "tick", "end"]:
        if step == "crash":  # what was committed is all that was pushed: each meeting is a transaction
            state = successor(state, catalog, state.profiles.rows())
        elif step == "tick":
            now_ms += 10 * MINUTE
            state.open(now_ms)
        else:
            while (meeting := state.article_meeting(now_ms)) is not None:
                found += got(state.meet(meeting))
                if step == "meet":
                    break
    assert sorted(found) == got(readers()[1].articles(ramped(Audience(share=0.8))))


@given(st.lists(st.sampled_from([*FIVE]), min_size=1, max_size=20), st.integers(1, 5), st.floats(0, 1))
@settings(max_examples=30, deadline=None)
def test_splitting_a_batch_changes_nothing(names: list[str], size: int, share: float) -> None:
    """Rows and pushes are the same bytes with articles that have audiences, too."""
    events = [click(name, "old", T0 + number) for number, name in enumerate(names)]
    audiences = [EVERYBODY, Audience(languages=("en",), share=share), Audience(share=share, ramp=Ramp(share, 1))]
    articles = [
        article(f"a{number}", topic=f"t{number}", audience=each, widens_at_ms=T0 + MINUTE if each.ramp else 0)
        for number, each in enumerate(audiences)
    ]

    def run(size: int) -> tuple[dict[str, bytes], list[bytes]]:
        state = partition()
        sent: list[bytes] = []
        Feed(state).articles(article("old", topic="football"))
        _feed(state, "events", events, size)
        sent += [push.value for push in _feed(state, "catalog", articles, size).pushes]
        sent += [push.value for push in state.look(T0 + MINUTE).pushes]
        return columns(state), sent

    assert run(size) == run(1000)


def _feed(state: Partition, topic: Any, values: list[AnalysedArticle] | list[UserEvent], size: int) -> Changes:
    changes = Changes()
    start = state.cursor.get(topic, 0)
    raw = [RawRecord(start + i, T0, None, msgspec.json.encode(value)) for i, value in enumerate(values)]
    for at in range(0, len(raw), size):
        some = raw[at : at + size]
        changes.merge(applied(state, Batch(topic, some, some[-1].offset + 1)))
    return changes
