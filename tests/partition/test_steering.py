"""What commands do to a partition: who gets what while they are in effect, and after; and through the log."""

from typing import Any

import msgspec
import numpy as np
import pytest
from making import DAY, HOUR, T0, Feed, article, click, partition, pushes

from streamrec.contracts.article import AnalysedArticle
from streamrec.contracts.audience import Audience
from streamrec.contracts.control import Command
from streamrec.contracts.decode import Typed
from streamrec.contracts.push import Push, push_id
from streamrec.engine.control import Statement
from streamrec.partition.changelog_meta import ChangelogContent
from streamrec.partition.changes import Changes
from streamrec.partition.following import after_catalog

BEFORE = article("before", topic="a1", story_id="old", expires_at_ms=T0 + 1, known_at_ms=T0 - HOUR)
READERS = [f"u{number}" for number in range(40)]


def said(action: str, at_ms: int = T0, **more: Any) -> Command:
    """A command."""
    return Command(action, "ann", "why", at_ms, command_id=f"{action} {at_ms}", **more)


def readers(**changed: Any) -> Feed:
    """A partition whose readers like what a1 is about, an hour ago."""
    feed = Feed(partition(**changed))
    feed.articles(BEFORE, now_ms=T0 - HOUR)
    feed.events(*(click(user, "before", T0 - HOUR) for user in READERS), now_ms=T0 - HOUR)
    return feed


def got(changes: Changes) -> list[str]:
    """Who got what, in order of readers: "kind reader article version"."""
    return sorted(f"{push.kind} {push.user_id} {push.article_id} {push.article_version}" for push in pushes(changes))


def all_got(kind: str, article_id: str = "a1", version: int = 1, users: list[str] = READERS) -> list[str]:
    """The same, of all these readers."""
    return sorted(f"{kind} {user} {article_id} {version}" for user in users)


def test_nobody_gets_anything_while_all_is_stopped() -> None:
    """Nor breaking news; an article that comes meanwhile meets everybody when that is over."""
    feed = readers()
    feed.commands(said("stop"))
    assert got(feed.articles(article("a1", breaking=3))) == []
    assert got(feed.to.look(T0 + HOUR)) == []
    assert got(feed.commands(said("resume", T0 + HOUR))) == all_got("push")


def test_a_stop_ends_by_itself() -> None:
    """At its time, and not before."""
    feed = readers()
    feed.commands(said("stop", until_ms=T0 + HOUR))
    feed.articles(article("a1"))
    assert got(feed.to.look(T0 + HOUR - 1)) == []
    assert got(feed.to.look(T0 + HOUR)) == all_got("push")


@pytest.mark.parametrize(
    ("no", "yes"),
    [
        (said("hold", article_id="a1"), said("release", T0 + 1, article_id="a1")),
        (said("stop", category="science"), said("resume", T0 + 1, category="science")),
    ],
)
@pytest.mark.parametrize("first", ["article", "command"])
def test_what_is_held_meets_its_readers_when_it_is_released(no: Command, yes: Command, first: str) -> None:
    """And not before, whichever came first; others of the newsroom go out."""
    feed = readers()
    feed.to.at_once = False
    for what in ("article", "command") if first == "article" else ("command", "article"):
        if what == "article":
            feed.articles(article("a1"))
        else:
            feed.commands(no)
    assert got(feed.to.look(T0)) == []
    assert got(feed.articles(article("a2", topic="a1", category="world"))) == []
    assert got(feed.to.look(T0)) == all_got("push", "a2")
    feed.commands(yes)
    assert got(feed.to.look(T0 + 1)) == all_got("push")
    assert got(feed.to.look(T0 + DAY // 2)) == []


@pytest.mark.parametrize(
    ("two_persons", "audience", "waits"),
    [
        ("off", Audience(everybody=True), False),
        ("everybody", Audience(everybody=True), True),
        ("everybody", Audience(share=0.99999), True),
        ("everybody", Audience(zones=("UTC",)), False),
        ("everybody", None, False),
        ("audience", Audience(zones=("UTC",)), True),
        ("audience", None, False),
    ],
)
def test_an_audience_waits_for_two_persons_where_they_are_asked_for(
    two_persons: str, audience: Audience | None, waits: bool
) -> None:
    """One person is not enough, however often they approve, and whichever comes first."""
    feed, a1 = readers(two_persons=two_persons), article("a1", audience=audience)
    feed.commands(approval("ann", of=a1), approval("ann", T0 + 1, of=a1))
    assert (got(feed.articles(a1)) == []) == waits
    assert got(feed.commands(approval("ben", T0 + 2, of=a1))) == (all_got("push") if waits else [])
    assert got(feed.to.look(T0 + HOUR)) == []


STORM = article("a1", audience=Audience(everybody=True))
AGAIN = article("a1", audience=Audience(everybody=True), version=2, title="Another title", known_at_ms=T0 + HOUR)
TAGGED = article("a1", audience=Audience(everybody=True), keywords=("storm",))  # of the same number


def approval(who: str, at_ms: int = T0, of: AnalysedArticle = STORM) -> Command:
    """Of one person, of this version."""
    command_id = f"{who} {at_ms}"
    return Command("approve", who, "why", at_ms, command_id=command_id, article_id=of.article_id, digest=of.digest)


@pytest.mark.parametrize("later", [AGAIN, TAGGED], ids=["title", "side field"])
@pytest.mark.parametrize("after_takeover", [False, True])
def test_an_approval_is_of_one_version(later: AnalysedArticle, after_takeover: bool) -> None:
    """Whatever a later one changes, it meets nobody before two persons have approved it; then it meets the others."""
    feed = readers(two_persons="everybody")
    feed.articles(STORM)
    feed.to.at_once = False
    feed.commands(approval("ann"), approval("ben"))
    assert got(feed.articles(later)) == []
    assert got(feed.to.look(T0 + 1)) == []
    if after_takeover:
        feed = succeeded(feed, [BEFORE, STORM, later], two_persons="everybody")
    feed.to.at_once = False
    feed.commands(approval("ann", T0 + 2, later))
    assert got(feed.to.look(T0 + 2)) == []
    feed.commands(approval("ben", T0 + 3, later))
    assert got(feed.to.look(T0 + 3)) == all_got("push", version=later.version)


def test_two_persons_may_approve_a_version_before_it_comes() -> None:
    """Control is read first: the version that comes is the one they meant."""
    feed = readers(two_persons="everybody")
    feed.articles(STORM)
    assert got(feed.commands(approval("ann", T0, AGAIN), approval("ben", T0, AGAIN))) == []
    assert got(feed.articles(AGAIN)) == all_got("push", version=2)


@pytest.mark.parametrize("first", ["command", "article"])
def test_a_correction_needs_its_own_approval(first: str) -> None:
    """Nobody who got the approved version gets a later one that nobody has read over; a retraction waits for nobody."""
    feed = readers(two_persons="everybody")
    feed.commands(approval("ann"), approval("ben"))
    assert got(feed.articles(STORM)) == all_got("push")
    correct = said("correct", T0 + HOUR, article_id="a1")
    for step in ("command", "article") if first == "command" else ("article", "command"):
        assert got(feed.commands(correct) if step == "command" else feed.articles(AGAIN, now_ms=T0 + HOUR)) == []
    waiting = succeeded(feed, [BEFORE, STORM, AGAIN], two_persons="everybody")
    assert got(feed.commands(approval("ann", T0 + HOUR + 1, AGAIN))) == []
    assert got(feed.commands(approval("ben", T0 + HOUR + 2, AGAIN))) == all_got("correct", version=2)
    assert got(feed.to.look(T0 + HOUR + 3)) == []
    assert got(waiting.to.look(T0 + HOUR + 1)) == []
    assert got(waiting.commands(said("retract", T0 + HOUR + 2, article_id="a1"))) == all_got("retract", version=2)


def test_the_second_person_may_come_after_a_takeover() -> None:
    """What was approved before is in the log, and what that let out meets its readers there."""
    feed = readers(two_persons="everybody")
    feed.to.at_once = False
    feed.articles(STORM)
    feed.commands(approval("ann"))
    waiting = succeeded(feed, [BEFORE, STORM], two_persons="everybody")
    assert got(waiting.to.look(T0 + 1)) == []
    waiting.to.at_once = False
    waiting.commands(approval("ben", T0 + 2))
    assert got(succeeded(waiting, [BEFORE, STORM], two_persons="everybody").to.look(T0 + 3)) == all_got("push")


def test_an_article_of_which_nobody_said_anything_waits_after_a_takeover() -> None:
    """There is no command in the log then, and the setting holds all the same."""
    feed = readers(two_persons="everybody")
    feed.articles(STORM)
    after = succeeded(feed, [BEFORE, STORM], two_persons="everybody")
    assert got(after.to.look(T0 + 1)) == []
    assert got(after.commands(approval("ann", T0 + 2), approval("ben", T0 + 2))) == all_got("push")


@pytest.mark.parametrize(
    ("no", "field"),
    [("hold", "held"), ("retract", "retracted"), ("approve", "held")],
)
def test_a_copy_that_hears_of_the_command_first_knows_what_holds_for_the_article(no: str, field: str) -> None:
    """As its owner does; it takes articles in without deciding anything."""
    copy = partition(two_persons="everybody")
    key = {"hold": "article"}.get(no, no)
    raw = msgspec.json.encode(Statement.of(said(no, article_id="a1")))
    copy.steering.follow([(f"\xffcontrol/said/{key}/a1".encode("latin-1"), raw)])
    after_catalog(copy, [Typed(0, T0, article("a1", audience=Audience(everybody=True)))])
    assert copy.catalog[field].tolist() == [True]


def succeeded(feed: Feed, known: list[AnalysedArticle], **changed: Any) -> Feed:
    """A successor of this partition, from all it would have logged."""
    content = ChangelogContent(1)
    content.take(feed.to.encode(np.arange(len(feed.to.profiles))))
    after = Feed(partition(**changed))
    articles = [Typed(offset, T0, each) for offset, each in enumerate(known)]
    after.to.restore(content.rows(after.to.catalog, 0).items(), content.meta, articles, content.control.items())
    after.offsets = dict(feed.offsets)
    return after


@pytest.mark.parametrize("action", ["preferences", "erasure"])
def test_what_was_asked_for_a_reader_changes_nothing_here(action: str) -> None:
    """It is in the topic for whoever reads the trail: nothing of it is kept, and what was stopped stays so."""
    feed = readers()
    feed.commands(said("stop"))
    feed.to.steering.records()
    feed.commands(said(action, T0 + 1, reader="0f3a"), said(action, T0 + 1, reader="0f3a"))
    assert feed.to.steering.records() == []
    assert len(feed.to.steering.state) == 1
    assert feed.to.steering.stopped


def test_an_older_version_of_another_category_lifts_no_stop() -> None:
    """It changes nothing: the newest version is of the category that is stopped."""
    feed = readers()
    feed.commands(said("stop", category="science"))
    feed.articles(article("a1", version=2))
    assert got(feed.articles(article("a1", version=1, category="world"))) == []
    assert got(feed.to.look(T0 + HOUR)) == []


def test_a_held_article_is_not_offered_to_who_is_due() -> None:
    """Its place goes to another one."""
    feed = readers(candidates_per_user=1, session_gap_s=60)
    feed.commands(said("hold", article_id="a1"))
    feed.articles(article("a1"), article("a2", topic="a1", category="world"), now_ms=T0 - HOUR + 1)
    assert got(feed.to.look(T0 + 1)) == all_got("push", "a2")


def test_a_pin_holds_for_its_time() -> None:
    """And no longer; the latest counts."""
    feed = readers()
    feed.commands(said("pin", setting="min_score", value=1.0, until_ms=T0 + HOUR))
    assert got(feed.articles(article("a1"))) == []
    feed.commands(said("unpin", T0 + 1, setting="min_score"))
    assert got(feed.articles(article("a2", topic="a1"), now_ms=T0 + 1)) == all_got("push", "a2")
    feed.commands(said("pin", T0 + 2, setting="min_score", value=1.0, until_ms=T0 + 9))
    feed.to.look(T0 + 9)
    assert got(feed.articles(article("a3", topic="a1"), now_ms=T0 + 9)) == all_got("push", "a3")


def test_who_waits_for_a_pinned_cap_is_looked_at_when_it_ends() -> None:
    """Though by the cap itself they would wait for a day."""
    feed = readers(session_gap_s=60)
    feed.articles(article("a1"), now_ms=T0)
    feed.commands(said("pin", setting="daily_cap", value=1, until_ms=T0 + HOUR))
    feed.articles(article("a2", topic="a1"), now_ms=T0 + 1)
    feed.events(*(click(user, "before", T0 + 1) for user in READERS), now_ms=T0 + 1)
    assert got(feed.to.look(T0 + HOUR - 1000)) == []
    assert got(feed.to.look(T0 + HOUR)) == all_got("push", "a2")


def test_a_retraction_goes_to_everybody_who_got_it_and_nobody_else() -> None:
    """Once each, with the story's collapse id; the article is never pushed again, in any version."""
    feed = readers()
    first = feed.articles(article("a1"))
    feed.events(*(click(user, "a1", T0) for user in READERS))
    changes = feed.commands(said("retract", article_id="a1"), said("retract", T0 + 1, article_id="a1"))
    assert got(changes) == all_got("retract")
    one = pushes(changes)[0]
    of = {push.user_id: push for push in pushes(first)}[one.user_id]
    assert one.collapse_id == of.collapse_id
    assert one.push_id == push_id(one.user_id, "a1", 1, "retract") != of.push_id
    assert (one.command_id, one.trigger, one.reason.code) == (f"retract {T0}", "command", "command")
    feed.events(click("late", "before", T0 - HOUR))
    assert got(feed.articles(article("a1", version=2))) == []
    assert got(feed.commands(said("retract", T0 + 2, article_id="a1"))) == []


def test_a_retraction_before_the_push() -> None:
    """Takes nothing back, and nothing goes out."""
    feed = readers()
    assert got(feed.commands(said("retract", article_id="a1"))) == []
    assert got(feed.articles(article("a1"))) == []
    assert got(feed.to.look(T0 + HOUR)) == []


def test_a_correction_goes_to_who_got_an_earlier_version() -> None:
    """Each once a version; who got the newest one, nothing."""
    feed = readers()
    early, late = READERS[:20], READERS[20:]
    feed.events(*(click(user, "x", T0) for user in late))  # they are in session
    feed.to.context = feed.to.context._replace(policy=feed.to.context.policy._replace(session_gap_s=60))
    feed.to.steering.policy = feed.to.context.policy
    assert got(feed.articles(article("a1"))) == all_got("push", users=early)
    assert got(feed.commands(said("correct", article_id="a1"))) == []  # there is no other version
    feed.articles(article("a1", version=2, title="right", known_at_ms=T0 + 30_000), now_ms=T0 + 30_000)
    assert got(feed.to.look(T0 + 61_000)) == all_got("push", version=2, users=late)
    changes = feed.commands(said("correct", T0 + 62_000, article_id="a1"))
    assert got(changes) == all_got("correct", version=2, users=early)
    assert {push.title for push in pushes(changes)} == {"right"}
    assert got(feed.commands(said("correct", T0 + 63_000, article_id="a1"))) == []
    feed.articles(article("a1", version=3, known_at_ms=T0 + 70_000), now_ms=T0 + 70_000)
    changes = feed.commands(said("correct", T0 + 71_000, article_id="a1"))
    assert got(changes) == all_got("correct", version=3)


def test_the_version_that_is_meant_may_come_after_the_command() -> None:
    """It was in `articles` when that was said; one that came later is not meant."""
    feed = readers()
    feed.articles(article("a1"))
    feed.commands(said("correct", T0 + HOUR, article_id="a1"))
    assert got(feed.articles(article("a1", version=2, known_at_ms=T0 + HOUR - 1), now_ms=T0 + HOUR)) == all_got(
        "correct", version=2
    )
    assert got(feed.articles(article("a1", version=3, known_at_ms=T0 + 2 * HOUR), now_ms=T0 + 2 * HOUR)) == []


def test_nobody_who_opted_out_gets_a_correction() -> None:
    """A retraction they get."""
    feed = readers()
    feed.articles(article("a1"))
    feed.events(*(msgspec.structs.replace(click(user, "", T0), action="unsubscribe") for user in READERS[:5]))
    feed.articles(article("a1", version=2), now_ms=T0 + HOUR)
    changes = feed.commands(said("correct", T0 + HOUR, article_id="a1"))
    assert got(changes) == all_got("correct", version=2, users=READERS[5:])
    assert got(feed.commands(said("retract", T0 + HOUR, article_id="a1"))) == all_got("retract", version=2)


def test_a_reader_whose_row_forgot_the_article_by_name_is_known_by_its_story() -> None:
    """If no other article of that story is known; or else nothing is sent, and it is counted."""
    feed = readers()
    feed.articles(article("a1", story_id="s"))
    others = [article(f"b{number}", topic="x", story_id=f"b{number}", known_at_ms=T0 + HOUR) for number in range(30)]
    feed.articles(*others, now_ms=T0 + HOUR)
    feed.events(*(click("u1", each.article_id, T0 + HOUR) for each in others), now_ms=T0 + HOUR)
    changes = feed.commands(said("retract", T0 + HOUR, article_id="a1"))
    assert (got(changes), changes.unsure) == (all_got("retract"), 0)
    second = readers()
    second.articles(article("a1", story_id="s"))
    second.articles(*others, article("a9", topic="y", story_id="s"), now_ms=T0 + HOUR)
    second.events(*(click("u1", each.article_id, T0 + HOUR) for each in others), now_ms=T0 + HOUR)
    changes = second.commands(said("retract", T0 + HOUR, article_id="a1"))
    assert (got(changes), changes.unsure) == (all_got("retract", users=[u for u in READERS if u != "u1"]), 1)


def test_commands_that_change_nothing_are_counted_as_such() -> None:
    """Stop twice, correct what nobody got, release what is not held, an unknown article."""
    feed = readers()
    changes = feed.commands(
        said("stop"), said("stop"), said("correct", article_id="no"), said("release", article_id="no")
    )
    assert dict(changes.commands) == {
        ("stop", True): 1, ("stop", False): 1, ("correct", True): 1, ("release", True): 1,
    }  # fmt: skip
    assert got(changes) == []
    (letter,) = feed.commands(b"{}").dead_letters
    assert letter.reason == "invalid"


class Logged:
    """A partition that is written to a log after each step, so that it can end anywhere."""

    def __init__(self, feed: Feed) -> None:
        self.feed, self.log = feed, dict[bytes, bytes | None]()
        self.sent: list[Push] = []

    def commit(self, changes: Changes) -> None:
        """One transaction."""
        self.log |= dict(self.feed.to.encode(changes.unique_rows()))
        self.sent += pushes(changes)


@pytest.mark.parametrize("kind", ["retract", "correct"])
def test_a_wave_survives_a_crash_after_any_chunk(kind: str) -> None:
    """Everybody has it in the end, each once."""
    known = [BEFORE, article("a1"),
             article("a1", version=2, known_at_ms=T0 + HOUR)]  # fmt: skip
    items = [Typed(offset, T0, each) for offset, each in enumerate(known)]
    logged = Logged(readers(chunk_users=7))
    everyone = np.arange(len(READERS))
    logged.commit(logged.feed.articles(known[1]))
    logged.commit(logged.feed.articles(known[2], now_ms=T0 + HOUR))
    logged.feed.to.at_once = False
    changes = logged.feed.commands(said(kind, T0 + HOUR, article_id="a1"))
    changes.rows.append(everyone)
    logged.commit(changes)
    logged.sent.clear()
    for _ in range(30):
        step = logged.feed.to.wave(T0 + HOUR)
        if step is None:
            break
        logged.commit(step)
        logged.feed.to.wave(T0 + HOUR)  # computed, and lost
        content = ChangelogContent(1)
        content.take(logged.log.items())
        successor = partition(chunk_users=7)
        successor.at_once = False
        successor.restore(content.rows(successor.catalog, 0).items(), content.meta, items, content.control.items())
        logged.feed.to = successor
        if step.pushes or not successor.steering.waves:
            continue
        while (more := successor.wave(T0 + HOUR)) is not None:  # on to the next chunk
            logged.commit(more)
            if more.pushes:
                break
    assert sorted(push.user_id for push in logged.sent) == sorted(READERS)
    assert {push.kind for push in logged.sent} == {kind}
    assert not logged.feed.to.steering.waves


def test_all_of_it_is_in_the_log() -> None:
    """A successor sees what its predecessor saw, and an article that was released meets its readers there."""
    feed = readers()
    feed.to.at_once = False
    log = dict(feed.to.encode(np.arange(len(READERS))))
    changes = feed.articles(article("a1"))
    changes.merge(feed.commands(said("hold", article_id="a1"), said("stop", category="world"), said("stop")))
    changes.merge(feed.commands(said("pin", setting="daily_cap", value=3, until_ms=T0 + HOUR)))
    feed.to.look(T0)
    log |= dict(feed.to.encode(np.arange(len(READERS))))
    feed.commands(said("release", T0 + 1, article_id="a1"))
    log |= dict(feed.to.encode(np.arange(len(READERS))))
    known = [BEFORE, article("a1")]
    content = ChangelogContent(1)
    content.take(log.items())
    successor = partition()
    successor.restore(
        content.rows(successor.catalog, 0).items(), content.meta,
        [Typed(offset, T0, each) for offset, each in enumerate(known)], content.control.items(),
    )  # fmt: skip
    assert dict(successor.steering.state) == dict(feed.to.steering.state)
    assert successor.steering.policy == feed.to.steering.policy
    assert (successor.steering.stopped, successor.steering.policy.daily_cap) == (True, 3)
    assert got(successor.look(T0 + 1)) == []
    lifted = Feed(successor)
    lifted.offsets = dict(feed.offsets)
    assert got(lifted.commands(said("resume", T0 + 2))) == all_got("push")
    cleared = dict(successor.encode(np.arange(len(READERS))))
    assert cleared[b"\xffcontrol/open/article/a1"] is None
