"""What the demo says, as text: a push, the running figures, the summary, how its policy is loosened.

Nothing here knows a terminal. A `Fact` is a label and its text. Running facts fit the width they are given, a
terminal's: a line that wraps would leave stale ones behind. Elsewhere nothing is cut.
"""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from rich.cells import cell_len, set_cell_size

from ...contracts.push import Push
from ...settings import Settings, load
from ...terminal.printable import printable
from ...terminal.push_sentence import sentence
from ..simulation.lift import Lift
from ..worker_process import WorkerProcess, value
from .pushes import Seen

LABEL_WIDTH = 15
ONE_LINE_WIDTH = 110  # narrower than this a title beside its reason would be cut to nothing
SHORTEST_TITLE = 12
WHY = "  because: "
NOTHING = "nothing yet"
MOST_STEERED = 3  # articles taken back or corrected that the summary names

Fact = tuple[str, str]


class Now(NamedTuple):
    """The worker, its metrics and the pushes so far: what the running figures are made from."""

    worker: WorkerProcess
    series: Mapping[str, float]  # of the worker
    seen: Seen
    sent: Mapping[str, int]  # records by topic
    events_per_s: float


def push_lines(push: Push, latency_ms: int, width: int) -> list[str]:
    """One push: a line with the title shortened to fit, or two where little of the title would be left."""
    whole = sentence(push, latency_ms)
    if cell_len(whole) <= width:
        return [whole]
    if width >= ONE_LINE_WIDTH or WHY not in whole:
        return [sentence(_shorter(push, cell_len(whole) - width), latency_ms)]
    what, _, why = whole.rpartition(WHY)
    if cell_len(what) > width:
        what, _, _ = sentence(_shorter(push, cell_len(what) - width), latency_ms).rpartition(WHY)
    return [what, f"   {WHY}{why}"]


def _shorter(push: Push, cells: int) -> Push:
    keep = max(SHORTEST_TITLE, cell_len(push.title) - cells - 1)
    return msgspec.structs.replace(push, title=set_cell_size(push.title, keep).rstrip() + "…")


def running(now: Now, width: int | None = None) -> list[Fact]:
    """The figures of this moment; what would be cut at `width` columns is left out, None: nothing is."""
    agreement = value(now.series, "streamrec_engine_agreement_ratio")
    pid, readers = now.worker.pid, len({user for user, *_ in now.seen.pairs})
    restarted = f"; started again: {now.worker.restarts}" if now.worker.restarts else ""
    sent = f"{now.sent.get('events', 0):,} sent; {now.sent.get('articles', 0)} articles"
    return [
        ("worker", f"pid {pid} (kill -9 {pid} and watch it recover){restarted}"),
        ("events", f"{now.events_per_s:,.0f}/s, {sent}"),
        ("pushes", f"{len(now.seen.pairs):,} to {readers:,} readers"),
        ("suppressed", suppressed(now.series, width)),
        ("event -> push", percentiles(now.seen)),
        ("int8 = fp32", f"on {agreement:.1%} of recorded rows" if agreement > 0 else "not measured"),
        ("look", f"{now.worker.url}/metrics (also /live, /ready)"),
    ]


def percentiles(seen: Seen) -> str:
    """p50 and p99 of latency, from what caused a push to its being read here, in words."""
    if not seen.pairs:
        return "no push yet"
    return f"p50 {seen.percentile_ms(0.5):.0f} ms, p99 {seen.percentile_ms(0.99):.0f} ms"


def suppressed(series: Mapping[str, float], width: int | None = None) -> str:
    """The commonest reasons, as many as fit."""
    reasons: Counter[str] = Counter()
    for name, number in series.items():
        if name.startswith("streamrec_suppressions_total{") and number:
            reasons[name.split('"')[1]] += int(number)
    shown = ""
    for name, count in reasons.most_common():
        longer = f"{shown}, {name} {count:,}" if shown else f"{name} {count:,}"
        if width is not None and len(longer) > width:
            break
        shown = longer
    return shown or NOTHING


def summary(
    settings: Settings, seen: Seen, worth: Lift, sent: Mapping[str, int], series: Mapping[str, float], restarts: int
) -> list[Fact]:
    """What it was worth; without a push, why there was none."""
    facts = [
        ("took in", f"{sent.get('events', 0):,} events, {sent.get('articles', 0)} articles"),
        ("pushed", f"{len(seen.pairs):,}, {seen.doubled} of them doubled; worker started again: {restarts}"),
        ("event -> push", percentiles(seen)),
    ]
    facts += [
        ({"retract": "taken back", "correct": "corrected"}.get(kind, kind), f"{printable(title)}: {count:,} readers")
        for (kind, title), count in seen.steered.most_common(MOST_STEERED)
    ]
    if shipped := as_shipped(settings, seen):
        facts.append(("as shipped", shipped))
    if not seen.pairs:
        facts.append(("why none", why_none(settings, suppressed(series))))
    if worth.pushes:
        facts += [
            ("P(click)", f"{worth.pushed:.1%} of a pushed article, {worth.random:.1%} of a random fresh one"),
            (
                "likelier",
                f"{worth.ratio:.1f} times; {worth.ratio_own_language:.1f} times among articles the reader can read",
            ),
        ]
    return facts


def loosened(settings: Settings) -> str:
    """How the policy differs, beside what is shipped; empty if it does not."""
    shipped = load({})
    parts = []
    if settings.min_interval_s < shipped.min_interval_s:
        parts.append(
            f"{length(settings.min_interval_s)} between two pushes to a reader (else {length(shipped.min_interval_s)})"
        )
    if settings.session_gap_s < shipped.session_gap_s:
        parts.append(f"{length(settings.session_gap_s)} after the last click (else {length(shipped.session_gap_s)})")
    if settings.quiet_from == settings.quiet_to != shipped.quiet_to:
        parts.append(f"no quiet hours (else {shipped.quiet_from} to {shipped.quiet_to})")
    return f"loosened, so that a minute shows something: {', '.join(parts)}" if parts else ""


def as_shipped(settings: Settings, seen: Seen) -> str:
    """How few of these pushes the shipped interval allows; empty if that is in force."""
    shipped_s, readers = load({}).min_interval_s, len({user for user, *_ in seen.pairs})
    if not readers or settings.min_interval_s >= shipped_s:
        return ""
    return f"at most {readers:,} of them: a reader gets one push in {length(shipped_s)}, by day, out of session"


def why_none(settings: Settings, held_back: str) -> str:
    """A sentence that says why a run of the demo ended without a push."""
    resting = ""
    if "min_interval" in held_back:  # pushes of the history are not shown
        resting = f", and readers rest {length(settings.min_interval_s)} after what they got for the history"
    return f"the time was short{resting}; held back: {held_back}"


def length(seconds: float) -> str:
    """A length of time, in the largest unit that keeps it whole."""
    for unit, name in ((3600, "h"), (60, "min")):
        if seconds and seconds % unit == 0:
            return f"{seconds / unit:g} {name}"
    return f"{seconds:g} s"
