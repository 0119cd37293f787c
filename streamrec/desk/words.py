"""What the desk says in an editor's words: reasons, times, numbers, and sentences after something was done."""

from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ..follower.counterfactual import Change
from ..operations.control import InEffect


class Words(NamedTuple):
    """How a reason is said."""

    said: str  # of readers, or of one: "they ..."
    asked: str  # as a question that is passed or not


REASONS: dict[str, Words] = {
    "stopped": Words("miss it because all pushes are stopped", "Pushes not stopped?"),
    "opt_out": Words("have pushes switched off", "Pushes switched on?"),
    "daily_cap": Words("have had all their pushes for the day", "Any pushes left for the day?"),
    "min_interval": Words("had another push a short while ago", "Long enough since the last push?"),
    "quiet_hours": Words("are in their quiet hours", "Not in quiet hours?"),
    "in_session": Words("are reading right now", "Not reading right now?"),
    "low_affinity": Words("show too little interest in such articles", "Interested in such articles?"),
    "outside_audience": Words("are not among those it is for", "Among those it is for?"),
    "withdrawn": Words("miss it because it was withdrawn", "Not withdrawn?"),
    "retracted": Words("miss it because it was taken back", "Not taken back?"),
    "held": Words("have to wait until it is released", "Not held?"),
    "stopped_category": Words("miss it because its section is stopped", "Section not stopped?"),
    "expired": Words("miss it because it is too old", "Not too old?"),
    "embargo": Words("have to wait for the end of the embargo", "Embargo over?"),
    "already_read": Words("have read it already", "Not read yet?"),
    "already_pushed_article": Words("have been sent it already", "Not sent yet?"),
    "already_pushed_story": Words("have been told of the story already", "Story not told yet?"),
    "history_floor": Words("may have seen it: it is older than their profile remembers", "New enough to be unseen?"),
    "muted_category": Words("have muted the section", "Section not muted?"),
    "muted_source": Words("have muted the source", "Source not muted?"),
    "muted_story": Words("have muted the story", "Story not muted?"),
    "muted_tag": Words("have muted a word of it", "None of its words muted?"),
    "level": Words("want breaking news only, or nothing", "Wanted at this level of news?"),
    "language": Words("do not want news in its language", "In a language they want?"),
    "unprofiled": Words("want no profile, and follow nothing of it", "Profile allowed, or followed?"),
    "cooldown": Words("waved away something of the section lately", "Nothing of the section waved away lately?"),
    "low_score": Words("are not likely enough to open it", "Likely enough to open it?"),
    "other_article_better": Words("get another article that suits them better", "No other article suits them better?"),
    "no_fresh_article": Words("have no article left that can be pushed", "Any article left?"),
}
CHANGES = {
    "later": "at {time}",
    "breaking": "as breaking news",
    "consent": "if they had pushes switched on",
    "daily_cap": "if everybody could have {value} pushes a day instead of {was}",
    "own_daily_cap": "if they allowed {value} pushes a day instead of {was}",
    "min_interval_s": "if pushes could follow each other after {span}",
    "quiet_from_min": "without quiet hours",
    "session_gap_s": "if nobody counted as reading after {span}",
    "min_affinity": "if an interest of {value} were enough instead of {was}",
    "min_score": "if a likelihood of {value} were enough instead of {was}",
    "muted": "if the section were not muted",
    "negatives": "if they had waved nothing of the section away",
}

PINNED = {"daily_cap": "Pushes a day", "min_affinity": "Interest needed", "min_score": "Likelihood needed"}
ACTIONS = {
    "stop": "stopped", "resume": "resumed", "hold": "held", "release": "released", "approve": "approved",
    "retract": "taken back", "correct": "corrected", "pin": "pinned", "unpin": "unpinned",
    "preferences": "wishes changed", "erasure": "reader erased",
}  # fmt: skip

STANDING = {"waits": "not out yet", "held": "held back", "met": "done", "over": "over"}  # of an audience

DONE = {
    "stopped": "Pushes are stopped. What had left already stays out.",
    "resumed": "Pushes go on.",
    "held": "The article is held: nobody gets it until it is released.",
    "released": "The article is released.",
    "retracted": "The article is taken back. Everybody who got it gets a message that removes it.",
    "corrected": "The correction is on its way to everybody who got the article.",
    "approved": "Your approval is written down.",
    "sent": "The push is sent: it reaches readers as fast as they can be met.",
    "awaited": "The push is written. It meets nobody before another person has approved it.",
    "saved": "The reader's wishes are saved.",
    "erased": "The reader is being erased. This takes a few seconds.",
    "unpinned": "The setting is as it was.",
    "pinned": "The setting holds until its time is over.",
}


def reason(word: str) -> str:
    """Why readers do not get an article; a reason without words of its own is said as it is."""
    return REASONS[word].said if word in REASONS else word.replace("_", " ")


def asked(word: str) -> str:
    """What a gate, rule or threshold asks."""
    return REASONS[word].asked if word in REASONS else word.replace("_", " ")


def standing(state: str) -> str:
    """Where an article stands on its way to its audience."""
    return STANDING.get(state, state)


def what(one: InEffect) -> str:
    """A stop, a hold, a pin, ... in a few words."""
    kind, name, _ = one.target
    words = {"everything": "All pushes are stopped", "category": f"Pushes in {name} are stopped"}
    words |= {"article": "Held", "retract": "Taken back", "correct": "Corrected", "approve": "Approved"}
    return words.get(kind, f"{PINNED.get(name, name)}: {one.said.value:g}")


def quiet(hours: str) -> str:
    """22:00-07:00 as people say it; a window that is empty is none."""
    start, _, end = hours.partition("-")
    return "none" if start == end else f"{start} to {end}"


def count(number: float) -> str:
    """1234567 -> 1,234,567."""
    return f"{number:,.0f}"


def pace(per_s: float) -> str:
    """So many a second, with a decimal where that says something."""
    return f"{per_s:,.1f}" if 0 < per_s < 10 else f"{per_s:,.0f}"


def span(seconds: float) -> str:
    """How long: 0.2 s, 45 s, 12 min, 3 h, 2 days."""
    if seconds < 0.1:
        return "< 0.1 s"
    if seconds < 10:
        return f"{seconds:.1f} s"
    for size, name in ((86_400 * 2, "days"), (3600 * 2, "h"), (120, "min")):
        if seconds >= size:
            return f"{seconds / {'days': 86_400, 'h': 3600, 'min': 60}[name]:.0f} {name}"
    return f"{seconds:.0f} s"


def changed(change: Change, times: "Times", now_ms: int) -> str:
    """What would have to be otherwise for a push, after "it would be sent"."""
    said = CHANGES.get(change.what)
    if said is None:
        return change.says
    time = times.clock(int(change.value), now_ms) if change.what == "later" else ""
    return said.format(value=f"{change.value:g}", was=f"{change.was:g}", span=span(change.value), time=time)


class Times:
    """Times as editors of one zone read and type them."""

    def __init__(self, zone: str) -> None:
        self.zone, self._zone = zone, ZoneInfo(zone)

    def clock(self, at_ms: int, now_ms: int = 0) -> str:
        """Hour and minute, with the day where it is not today's."""
        at = self._at(at_ms)
        if now_ms and at.date() == self._at(now_ms).date():
            return f"{at:%H:%M}"
        return (
            f"{at.day} {at:%b %Y, %H:%M}" if now_ms and at.year != self._at(now_ms).year else f"{at.day} {at:%b, %H:%M}"
        )

    def exact(self, at_ms: int) -> str:
        """To the second."""
        return f"{self._at(at_ms):%Y-%m-%d %H:%M:%S}"

    def field(self, at_ms: int) -> str:
        """As a field of type datetime-local holds it; empty for 0."""
        return f"{self._at(at_ms):%Y-%m-%dT%H:%M}" if at_ms else ""

    def typed(self, text: str) -> int:
        """What was typed into such a field, as ms; 0 if nothing was. ValueError for what is no time."""
        if not text.strip():
            return 0
        return round(datetime.fromisoformat(text.strip()).replace(tzinfo=self._zone).timestamp() * 1000)

    def _at(self, at_ms: int) -> datetime:
        return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(self._zone)
