"""Policy judged once more: every push, against what its owner had surely applied when it decided.

Gates, rules and audit share columns and formulas, so a mistake in one of these would agree with itself. This is the
same policy in plain Python over the events and articles themselves, and no code of theirs. Where a decision lies among
the events of its transaction is not known; a push is refused only if it would have been wrong at every place.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec

from ...contracts.event import UserEvent
from ...contracts.ids import SHARED_CATEGORY
from ...contracts.push import Push
from ...contracts.records import RawRecord, Record
from ...engine.profiles.layout import ROW
from ...settings import Settings
from .faulty_partition import Effect
from .reference_reading import NEGATIVES, SEEN, Arrived, Articles

DAY_S = 86_400
STORIES = ROW["pushed_story"].shape[0]  # pushes whose stories count as told
_push = msgspec.json.Decoder(Push).decode


def push_in(record: Record) -> Push:
    """The push that a record of `push` holds, decoded as a gateway would."""
    return _push(record.value or b"")


@dataclass
class Reader:
    """What one user's events have said about consent, zone and reads."""

    subscribed: bool = True
    said_ms: int = 0  # when, by the event's own time
    zone: str = ""
    zone_s: int = 0
    active_s: int = 0
    read: set[str] = field(default_factory=set)
    read_unknown: set[str] = field(default_factory=set)  # before they were known: these a full row may forget
    refused_unknown: set[str] = field(default_factory=set)  # each may rest a category once it is known
    named: set[str] = field(default_factory=set)  # articles of all events and pushes
    rests_until_s: dict[str, int] = field(default_factory=dict)  # category -> end of its cool-down
    pushes: list[Push] = field(default_factory=list)


class SecondOpinion:
    """Judges the pushes of one partition by the policy, read a second time in plain Python."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._readers: dict[str, Reader] = {}
        self._articles = Articles(settings)

    def take_over(self, articles: Iterable[Arrived]) -> None:
        """A new owner knows the articles before the cursor, and no others."""
        self._articles = Articles(self._settings)
        for each in articles:
            self._articles.take(each)

    def refuse(self, effects: Iterable[Effect], records: Iterable[RawRecord]) -> Iterator[str]:
        """Of one transaction: what was applied in it, and its pushes; those that are wrong, in words."""
        pushes = [*map(push_in, records)]
        against = [set(self._against(push)) for push in pushes]
        for effect in effects:
            self._take(effect)
            for push, reasons in zip(pushes, against, strict=True):
                reasons &= set(self._against(push))
        for push, reasons in zip(pushes, against, strict=True):
            reasons |= set(self._after_pushes(push))
            if reasons:
                yield f"{push.user_id} was pushed {push.article_id} against {', '.join(sorted(reasons))}"

    def _take(self, effect: Effect) -> None:
        if isinstance(effect, Arrived):
            self._articles.take(effect)
            return
        event, seen_ms = effect.value, effect.appended_ms
        reader = self._readers.setdefault(event.user_id, Reader())
        if event.action == "unsubscribe" and event.at_ms >= reader.said_ms:
            reader.subscribed, reader.said_ms = False, event.at_ms
        if event.action == "subscribe" and event.at_ms > reader.said_ms:
            reader.subscribed, reader.said_ms = True, event.at_ms
        reader.named.add(event.article_id)
        if event.action in {"click", "open"}:
            reader.read.add(event.article_id)
            if event.article_id not in self._articles.by_id:
                reader.read_unknown.add(event.article_id)
        if event.action in {"dislike", "dismiss"}:
            self._refused(reader, event)
        if seen_ms - event.at_ms <= self._settings.late_event_s * 1000:
            reader.active_s = max(reader.active_s, seen_ms // 1000)
        if event.tz and event.at_ms // 1000 >= reader.zone_s:
            reader.zone, reader.zone_s = event.tz, event.at_ms // 1000

    def _refused(self, reader: Reader, event: UserEvent) -> None:
        article = self._articles.by_id.get(event.article_id)
        if article is None:
            reader.refused_unknown.add(event.article_id)
        else:
            until_s = event.at_ms // 1000 + round(self._settings.cooldown_h * 3600)
            reader.rests_until_s[article.category] = max(until_s, reader.rests_until_s.get(article.category, 0))

    def _against(self, push: Push) -> Iterator[str]:
        settings, at_ms = self._settings, push.created_at_ms
        reader, article = self._readers.get(push.user_id), self._articles.by_id.get(push.article_id)
        if reader is None or article is None:
            yield "what was known"
            return
        if not reader.subscribed:
            yield "an opt-out"
        if push.article_id in reader.read - (reader.read_unknown if len(reader.named) > SEEN else set()):
            yield "a read"
        has_own_slot = article.category_slot < SHARED_CATEGORY  # nothing else can rest
        all_rest = len(reader.rests_until_s) + len(reader.refused_unknown) <= NEGATIVES  # a row has no room for more
        if reader.rests_until_s.get(article.category, 0) * 1000 > at_ms and has_own_slot and all_rest:
            yield "a cool-down"
        if reader.active_s + settings.session_gap_s > at_ms // 1000 and not self._bypasses(push, "in_session"):
            yield "a session"
        if self._is_night(reader.zone, at_ms):
            yield "quiet hours"
        if article.status == "withdrawn":
            yield "a withdrawal"
        if max(article.embargo_until_ms, article.published_at_ms) > at_ms:
            yield "an embargo"
        if article.expires_at_ms <= at_ms:
            yield "an expiry"

    def _after_pushes(self, push: Push) -> Iterator[str]:
        """What stands against it for certain: pushes of one user stand in their order."""
        pushes, at_s = self._readers.setdefault(push.user_id, Reader()).pushes, push.created_at_ms // 1000
        if any(before.article_id == push.article_id for before in pushes):
            yield "a push of the article"
        elif any(before.story_id == push.story_id for before in pushes[-STORIES:]):
            yield "a push of the story"
        sent_s = [before.created_at_ms // 1000 for before in pushes]
        too_soon = bool(sent_s) and sent_s[-1] + round(self._settings.min_interval_s) > at_s
        if too_soon and not self._bypasses(push, "min_interval"):
            yield "an interval"
        too_many = sum(sent > at_s - DAY_S for sent in sent_s) >= self._settings.daily_cap
        if too_many and not self._bypasses(push, "daily_cap"):
            yield "a cap"
        pushes.append(push)
        self._readers[push.user_id].named.add(push.article_id)

    def _bypasses(self, push: Push, rule: str) -> bool:
        names = self._settings.breaking_bypasses.split(",")
        return push.priority == "breaking" and rule in (name.strip() for name in names)

    def _is_night(self, zone: str, at_ms: int) -> bool:
        """Whatever the jitter, which only makes it longer."""
        start, end = self._settings.quiet_from, self._settings.quiet_to
        clock = datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(ZoneInfo(zone or self._settings.default_zone))
        now = f"{clock:%H:%M}"
        return start <= now < end if start <= end else now >= start or now < end
