"""The policy read a second time: what it refuses, and what it lets pass."""

import zlib

import msgspec
import numpy as np
import pytest

from streamrec.contracts.article import AnalysedArticle
from streamrec.contracts.audience import Audience, Ramp
from streamrec.contracts.control import Command
from streamrec.contracts.decode import Typed
from streamrec.contracts.erasure import Erasure
from streamrec.contracts.event import Action, UserEvent
from streamrec.contracts.ids import key_of
from streamrec.contracts.preferences import Patch
from streamrec.contracts.push import ModelStamp, Push, Reason
from streamrec.engine.audience import draws
from streamrec.settings import Settings, load
from streamrec.tools.chaos.articles_reading import Arrived
from streamrec.tools.chaos.faulty_partition import Effect
from streamrec.tools.chaos.inputs import START_MS
from streamrec.tools.chaos.second_opinion import SecondOpinion, lot

HOUR_MS = 3_600_000
AT_MS = START_MS + HOUR_MS  # 13:00 UTC, 21:00 in Shanghai
QUIET_AT_21 = load({}, quiet_from="20:10", quiet_to="00:30", session_gap_s=600)
ARTICLE = AnalysedArticle(
    article_id="a1", version=0, status="published", title="a1", category="science", source="desk", language="en",
    keywords=(), story_id="s1", deep_link="", published_at_ms=START_MS, known_at_ms=START_MS,
    expires_at_ms=START_MS + 24 * HOUR_MS, embargo_until_ms=0, breaking=0, vector=b"", space_id="", digest=1,
)  # fmt: skip


def event(action: Action = "impression", article: str = "a2", at_ms: int = START_MS, tz: str = "") -> Typed[UserEvent]:
    """Of u1, seen when it happened."""
    return Typed(0, at_ms, UserEvent(user_id="u1", action=action, at_ms=at_ms, article_id=article, tz=tz))


def push(at_ms: int = AT_MS) -> Push:
    """Of a1 to u1."""
    return Push(
        push_id="1", user_id="u1", article_id="a1", article_version=0, story_id="s1", title="a1", deep_link="",
        category="science", priority="normal", created_at_ms=at_ms, expires_at_ms=at_ms + HOUR_MS, collapse_id="s1",
        relevance=0.5, reason=Reason("recent_reads", {}), model=ModelStamp("m", "1", "fp32"), trigger="due",
        event_at_ms=at_ms,
    )  # fmt: skip


MUTED = Typed(0, START_MS, Patch("u1", START_MS, {"tags/storm": "mute"}))


def effect(of: Typed[UserEvent] | Typed[Patch] | AnalysedArticle) -> Effect:
    """Taken in when it was published."""
    return Arrived(of, START_MS) if isinstance(of, AnalysedArticle) else of


def found(*before: Typed[UserEvent] | Typed[Patch] | AnalysedArticle, settings: Settings = QUIET_AT_21) -> str:
    """What is said of the push after these."""
    return " ".join(SecondOpinion(settings).refuse([*map(effect, before), push()]))


def test_a_push_that_nothing_stands_against_passes() -> None:
    """An hour after the last event, by day, and known."""
    assert found(ARTICLE, event()) == ""


@pytest.mark.parametrize(
    ("reason", "effects"),
    [
        ("an opt-out", [ARTICLE, event("unsubscribe", "")]),
        ("a read", [ARTICLE, event("click", "a1")]),
        ("a cool-down", [ARTICLE, event("dislike", "a1")]),
        ("a session", [ARTICLE, event(at_ms=AT_MS - 60_000)]),
        ("quiet hours", [ARTICLE, event(tz="Asia/Shanghai")]),
        ("a withdrawal", [msgspec.structs.replace(ARTICLE, status="withdrawn"), event()]),
        ("an embargo", [msgspec.structs.replace(ARTICLE, embargo_until_ms=AT_MS + 1), event()]),
        ("an expiry", [msgspec.structs.replace(ARTICLE, expires_at_ms=AT_MS), event()]),
        ("what was known", [event()]),
        ("a mute of tags/storm", [msgspec.structs.replace(ARTICLE, tags=("storm",)), event(), MUTED]),
    ],
)
def test_a_push_against_the_policy_is_refused(
    reason: str, effects: list[Typed[UserEvent] | Typed[Patch] | AnalysedArticle]
) -> None:
    """Each rule that gates and rules apply to columns is applied here to the records."""
    assert found(*effects) == f"u1 was pushed a1 against {reason}"


def test_a_push_to_everybody_needs_two_persons_of_its_version() -> None:
    """Other than the product, by a set of names a version: one person twice is one, and another version is none."""
    settings = load({}, quiet_from="00:00", quiet_to="00:00", two_persons="everybody")
    to_all = msgspec.structs.replace(ARTICLE, audience=Audience(everybody=True))
    later = msgspec.structs.replace(to_all, digest=2)
    said = [Command("approve", who, "why", START_MS, article_id="a1", digest=1) for who in ("ann", "Ann", "ben")]
    for article, commands, refused in (
        (ARTICLE, [], False), (to_all, [], True), (to_all, said[:2], True), (to_all, said, False), (later, said, True),
    ):  # fmt: skip
        found = [*SecondOpinion(settings).refuse([effect(article), event(), *commands, push()])]
        assert bool(found) == refused, found


def test_a_push_is_judged_by_what_was_applied_before_it() -> None:
    """Not by what came later in the same transaction; and each by itself."""
    out, back = event("unsubscribe", ""), event("subscribe", "", START_MS + 1)
    cases: list[tuple[list[Effect | Push], bool]] = [
        ([push(), out], False),
        ([out, back, push()], False),
        ([out, push(), back], True),
    ]
    for steps, refused in cases:
        assert bool([*SecondOpinion(QUIET_AT_21).refuse([effect(ARTICLE), event(), *steps])]) == refused


def test_who_was_erased_is_pushed_to_only_by_what_is_later() -> None:
    """As a stranger: what was pushed before is known to nobody, and older events bring nobody back."""
    opinion, again = SecondOpinion(ALWAYS), push(AT_MS + HOUR_MS)
    assert [*opinion.refuse([effect(ARTICLE), event(), push(), Erasure("u1", AT_MS), event(at_ms=AT_MS)])] == []
    assert [*opinion.refuse([again])] == ["u1 was pushed a1 against what was known"]
    assert [*SecondOpinion(ALWAYS).refuse([effect(ARTICLE), Erasure("u1", AT_MS), event(at_ms=AT_MS + 1), again])] == []


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"min_interval_s": 60, "daily_cap": 8}, "a push of the article"),
        ({"min_interval_s": 3601, "daily_cap": 8}, "a push of the article, an interval"),
        ({"min_interval_s": 0, "daily_cap": 1}, "a cap, a push of the article"),
    ],
)
def test_pushes_before_it_stand_against_a_push(settings: dict[str, int], reason: str) -> None:
    """The same article, the cap and the interval, whatever the row remembers."""
    opinion = SecondOpinion(load({}, quiet_from="00:00", quiet_to="00:00", session_gap_s=600, **settings))
    assert list(opinion.refuse([effect(ARTICLE), event(), push()])) == []
    assert list(opinion.refuse([push(AT_MS + HOUR_MS)])) == [f"u1 was pushed a1 against {reason}"]


def test_a_new_owner_knows_the_articles_before_the_cursor() -> None:
    """An article its predecessor had begun with counts when it comes again."""
    opinion = SecondOpinion(QUIET_AT_21)
    assert list(opinion.refuse([effect(msgspec.structs.replace(ARTICLE, status="withdrawn")), event()])) == []
    opinion.take_over([Arrived(ARTICLE, START_MS)])
    assert list(opinion.refuse([push()])) == []


READ = msgspec.structs.replace(ARTICLE, article_id="a2", digest=2, category_slot=4)
ALWAYS = load({}, session_gap_s=0.0)


@pytest.mark.parametrize(
    ("audience", "said"),
    [
        (Audience(everybody=True), ""),
        (Audience(languages=("en",)), ""),
        (Audience(languages=("da",)), "an audience of other languages"),
        (Audience(zones=("Asia/Shanghai", "UTC")), ""),
        (Audience(zones=("UTC",)), "an audience of other zones"),
        (Audience(countries=("CN",)), ""),
        (Audience(countries=("US",)), "an audience of other countries"),
        (Audience(categories=("science",)), ""),
        (Audience(categories=("food",)), "an audience of other categories"),
        (Audience(share=0.0), "a share of the audience"),
        (Audience(share=0.9999), ""),
        (Audience(True, ramp=Ramp(0.0, 1)), "a share of the audience"),
    ],
)
def test_whoever_is_outside_is_not_pushed_to(audience: Audience, said: str) -> None:
    """A reader of science in English, in Shanghai."""
    slots = (4,) if audience.categories == ("science",) else (5,)
    to = msgspec.structs.replace(ARTICLE, audience=audience, audience_slots=slots, widens_at_ms=AT_MS + 1)
    answer = found(READ, to, event("click", tz="Asia/Shanghai"), settings=ALWAYS)
    assert answer.endswith(f"against {said}") if said else answer == ""


def test_a_ramp_that_is_over_has_all() -> None:
    """From its moment on."""
    to = msgspec.structs.replace(ARTICLE, audience=Audience(True, ramp=Ramp(0.0, 1)), widens_at_ms=AT_MS)
    assert found(to, event(), settings=ALWAYS) == ""


def test_both_draw_the_same_lot() -> None:
    """Written twice: one may not call the other."""
    for user in ("u1", "u2", "Åse"):
        salt = np.array([zlib.crc32(user.encode())], np.uint32)
        assert lot(user, "a1") == draws(salt, key_of("a1"))[0] / 2**32
