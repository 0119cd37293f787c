"""Policy judged once more: every push, against what its owner had surely applied when it decided.

Gates, rules and audit share columns and formulas, so a mistake in one of these would agree with itself. This is the
same policy in plain Python over the events and articles themselves, and no code of theirs.
"""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec

from ...contracts.article import AnalysedArticle
from ...contracts.audience import Audience
from ...contracts.control import Command
from ...contracts.decode import Typed
from ...contracts.erasure import Erasure
from ...contracts.event import UserEvent
from ...contracts.ids import SHARED_CATEGORY
from ...contracts.preferences import Patch
from ...contracts.push import Push
from ...contracts.records import Record
from ...engine.profiles.layout import ROW
from ...settings import Settings
from .articles_reading import Arrived, Articles
from .commands_reading import Commands
from .erasures_reading import Erased
from .faulty_partition import Effect, Sent
from .plain_reader import SEEN, Wants
from .reference_reading import NEGATIVES

DAY_S = 86_400
TEACHING = {"click", "open", "dwell", "share", "save"}
COUNTRIES = {"Asia/Shanghai": "CN", "America/New_York": "US"}  # as far as simulated readers have zones
STORIES = ROW["pushed_story"].shape[0]  # pushes whose stories count as told
_push = msgspec.json.Decoder(Push).decode


def push_in(record: Record) -> Push:
    """The push that a record of `push` holds, decoded as a gateway would."""
    return _push(record.value or b"")


def lot(user_id: str, article_id: str) -> float:
    """The share from which on a reader is in an article's audience, at least 0 and below 1 (splitmix64)."""
    mixed = zlib.crc32(user_id.encode()) << 32 | (zlib.crc32(article_id.encode()) or 1)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ mixed >> shift) * factor % 2**64
    return ((mixed ^ mixed >> 31) >> 32) / 2**32


def _not_out(article: AnalysedArticle, at_ms: int) -> Iterator[str]:
    if article.status == "withdrawn":
        yield "a withdrawal"
    if max(article.embargo_until_ms, article.published_at_ms) > at_ms:
        yield "an embargo"
    if article.expires_at_ms <= at_ms:
        yield "an expiry"


@dataclass
class Reader:
    """What one user's events have said about consent, zone and reads."""

    subscribed: bool = True
    said_ms: int = 0  # when, by the event's own time
    zone: str = ""
    zone_s: int = 0
    taught_by: set[str] = field(default_factory=set)  # articles that may have taught language and categories
    active_s: int = 0
    read: set[str] = field(default_factory=set)
    read_unknown: set[str] = field(default_factory=set)  # before they were known: these a full row may forget
    refused_unknown: set[str] = field(default_factory=set)  # each may rest a category once it is known
    named: set[str] = field(default_factory=set)  # articles of all events and pushes
    rests_until_s: dict[str, int] = field(default_factory=dict)  # category -> end of its cool-down
    pushes: list[Push] = field(default_factory=list)
    wants: Wants = field(default_factory=Wants)

    def is_unprofiled(self) -> bool:
        """Whether nothing may be learned of them."""
        return self.wants.value("profiling") is False

    def lose_profile(self) -> None:
        """What they read and refused is known no more."""
        for known in (self.read, self.read_unknown, self.refused_unknown, self.rests_until_s, self.taught_by):
            known.clear()


class SecondOpinion:
    """Judges the pushes of one partition by the policy, read a second time in plain Python."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._readers: dict[str, Reader] = {}
        self._articles = Articles(settings)
        self.commands, self.erased = Commands(settings.two_persons), Erased()
        self._versions: dict[str, set[tuple[str, int]]] = {}  # language and category slot of all that ever came

    def take_over(self, articles: Iterable[Arrived]) -> None:
        """A new owner knows the articles before the cursor, and no others."""
        self._articles = Articles(self._settings)
        for each in articles:
            self._know(each)

    def refuse(self, steps: Iterable[Effect | Push]) -> Iterator[str]:
        """What was applied, and what left among it, in order: the pushes that are wrong, in words."""
        for step in steps:
            if not isinstance(step, Push):
                self._take(step)
            elif step.kind != "push":
                yield from self.commands.refuse(step)
                newest = self._articles.by_id.get(step.article_id)
                if step.kind == "correct" and newest is not None and self.commands.waits(newest):
                    yield f"{step.user_id} was sent a correction of {step.article_id} that waits for a second person"
            else:
                reasons = {*self._against(step), *self._after_pushes(step, self._cap(step))}
                if reasons:
                    yield f"{step.user_id} was pushed {step.article_id} against {', '.join(sorted(reasons))}"
                self.commands.pushed(step)

    def _take(self, effect: Effect) -> None:
        if isinstance(effect, Arrived):
            self._know(effect)
        elif isinstance(effect, Command):
            self.commands.take(effect, effect.article_id in self._articles.by_id)
        elif isinstance(effect, Erasure):
            reader = self._readers.pop(effect.user_id, Reader())
            left = Reader(wants=reader.wants.since(effect.at_ms))
            if reader.said_ms > effect.at_ms:
                left.subscribed, left.said_ms = reader.subscribed, reader.said_ms
            if left.said_ms or left.wants.ask_something():
                self._readers[effect.user_id] = left
            self.commands.erased(effect.user_id)
            self.erased.take(effect, None)
        elif not isinstance(effect, Sent) and self.erased.counts(effect.value, effect.value.user_id in self._readers):
            self._hear(effect)

    def _hear(self, effect: Typed[UserEvent] | Typed[Patch]) -> None:
        event, seen_ms = effect.value, effect.appended_ms
        reader = self._readers.setdefault(event.user_id, Reader())
        if isinstance(event, Patch):
            self._prefer(reader, event)
            return
        if event.action == "unsubscribe" and event.at_ms >= reader.said_ms:
            reader.subscribed, reader.said_ms = False, event.at_ms
        if event.action == "subscribe" and event.at_ms > reader.said_ms:
            reader.subscribed, reader.said_ms = True, event.at_ms
        if seen_ms - event.at_ms <= self._settings.late_event_s * 1000:
            reader.active_s = max(reader.active_s, seen_ms // 1000)
        if event.tz and event.at_ms // 1000 >= reader.zone_s:
            reader.zone, reader.zone_s = event.tz, event.at_ms // 1000
        if not reader.is_unprofiled():
            self._learn(reader, event)

    def _prefer(self, reader: Reader, patch: Patch) -> None:
        says = patch.said.get("consent")
        if says is not None and (patch.at_ms > reader.said_ms or (patch.at_ms == reader.said_ms and not says)):
            reader.subscribed, reader.said_ms = bool(says), patch.at_ms
        reader.wants.patches.append(patch)
        if reader.is_unprofiled():
            reader.lose_profile()

    def _learn(self, reader: Reader, event: UserEvent) -> None:
        reader.named.add(event.article_id)
        if event.action in {"click", "open"}:
            reader.read.add(event.article_id)
            if event.article_id not in self._articles.by_id:
                reader.read_unknown.add(event.article_id)
        if event.action in TEACHING:
            reader.taught_by.add(event.article_id)
        if event.action in {"dislike", "dismiss"}:
            self._refused(reader, event)

    def missing(self) -> Iterator[str]:
        """What commands are to have sent by the end, and have not; in words.

        Of readers with more articles than a row remembers nothing is certain, nor where articles are soon forgotten.
        """
        whole = {user_id for user_id, reader in self._readers.items() if len(reader.named) <= SEEN}
        return self.commands.missing(whole) if self._settings.vector_days >= 1 else iter(())

    def _know(self, arrived: Arrived) -> None:
        self._articles.take(arrived)
        new = arrived.article
        self._versions.setdefault(new.article_id, set()).add((new.language[:2], new.category_slot))

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
        if self._is_night(reader, at_ms):
            yield "quiet hours"
        yield from self._unwanted(reader, article)
        yield from _not_out(article, at_ms)
        yield from self.commands.against(article, at_ms)
        if article.audience is not None:
            yield from self._outside(push, article, article.audience, reader)

    def _outside(self, push: Push, article: AnalysedArticle, audience: Audience, reader: Reader) -> Iterator[str]:
        """What stands against it for certain: of reads, that there was none of such an article."""
        read = [self._versions[name] for name in reader.taught_by if name in self._versions]
        languages = {language for versions in read for language, _ in versions}
        slots = {slot for versions in read for _, slot in versions}
        languages = set(reader.wants.value("languages") or languages)
        if audience.languages is not None and not languages & set(audience.languages):
            yield "an audience of other languages"
        zone = reader.wants.value("zone") or reader.zone or self._settings.default_zone
        if audience.zones is not None and zone not in audience.zones:
            yield "an audience of other zones"
        if audience.countries is not None and COUNTRIES.get(zone) not in audience.countries:
            yield "an audience of other countries"
        if audience.categories is not None and not slots & set(article.audience_slots):
            yield "an audience of other categories"
        share = 1.0 if audience.share is None else audience.share
        if audience.ramp is not None and push.created_at_ms < article.widens_at_ms:
            share *= audience.ramp.share
        if lot(push.user_id, push.article_id) >= share:
            yield "a share of the audience"

    def _unwanted(self, reader: Reader, article: AnalysedArticle) -> Iterator[str]:
        """What the reader has said they do not want."""
        wants, tags = reader.wants, {*article.tags, *article.keywords}
        names = [f"categories/{article.category}", f"sources/{article.source}", f"stories/{article.story_id}"]
        names += [f"tags/{tag}" for tag in tags]
        yield from (f"a mute of {name}" for name in names if wants.value(name) == "mute")
        level, languages = wants.value("level"), wants.value("languages")
        if level == "none" or (level == "breaking" and not article.breaking):
            yield "a level"
        if languages and article.language not in languages:
            yield "a language"
        follows = any(wants.value(name) == "follow" for name in names)
        if reader.is_unprofiled() and not (follows or article.breaking or article.audience):
            yield "a refusal of profiling"

    def _cap(self, push: Push) -> int:
        """Pushes a day: the reader's own, or that of the settings unless this one passes it."""
        reader = self._readers.get(push.user_id)
        own = reader.wants.value("daily_cap") if reader else None
        if own is not None:
            return int(own)
        return 2**31 if self._bypasses(push, "daily_cap") else self._settings.daily_cap

    def _after_pushes(self, push: Push, cap: int) -> Iterator[str]:
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
        if sum(sent > at_s - DAY_S for sent in sent_s) >= cap:
            yield "a cap"
        pushes.append(push)
        self._readers[push.user_id].named.add(push.article_id)

    def _bypasses(self, push: Push, rule: str) -> bool:
        names = self._settings.breaking_bypasses.split(",")
        return push.priority == "breaking" and rule in (name.strip() for name in names)

    def _is_night(self, reader: Reader, at_ms: int) -> bool:
        """Whatever the jitter, which only makes it longer."""
        start, end = self._settings.quiet_from, self._settings.quiet_to
        if own := reader.wants.value("quiet_hours"):
            start, end = own.split("-")
        zone = reader.wants.value("zone") or reader.zone
        clock = datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(ZoneInfo(zone or self._settings.default_zone))
        now = f"{clock:%H:%M}"
        return start <= now < end if start <= end else now >= start or now < end
