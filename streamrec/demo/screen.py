"""What the demo shows: lines as pushes leave, and a table that keeps itself up to date."""

from collections import Counter
from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from ..contracts.push import Push
from ..contracts.sentence import sentence
from ..simulation.lift import Lift
from ..simulation.worker_process import WorkerProcess, value
from .pushes import Seen

LINES_PER_S = 4.0
SUPPRESSIONS_SHOWN = 4


def push_line(push: Push, latency_ms: int) -> str:
    """One push; breaking news stands out."""
    return f"[bold red]{_plain(push, latency_ms)}[/]" if push.priority == "breaking" else _plain(push, latency_ms)


def _plain(push: Push, latency_ms: int) -> str:
    return sentence(push, latency_ms).replace("[", r"\[")


def state(
    worker: WorkerProcess, series: Mapping[str, float], seen: Seen, events_per_s: float, sent: Mapping[str, int]
) -> Table:
    """The running table."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim", min_width=22)
    table.add_column()
    agreement = value(series, "streamrec_engine_agreement_ratio")
    restarts = f", started again {worker.restarts} times" if worker.restarts else ""
    table.add_row("worker", f"pid {worker.pid}{restarts}   (kill -9 {worker.pid} and watch it recover)")
    table.add_row(
        "events", f"{events_per_s:,.0f}/s, {sent.get('events', 0):,} sent; {sent.get('articles', 0)} articles"
    )
    table.add_row("pushes", f"{len(seen.pairs):,} to {len({user for user, *_ in seen.pairs}):,} readers")
    table.add_row("suppressed", suppressed(series))
    table.add_row("event -> push", f"p50 {seen.percentile_ms(0.5):.0f} ms, p99 {seen.percentile_ms(0.99):.0f} ms")
    table.add_row("int8 = fp32 on", f"{agreement:.1%} of recorded rows" if agreement == agreement else "not measured")  # noqa: PLR0124 - NaN
    table.add_row("look", f"{worker.url}/metrics  {worker.url}/ready")
    return table


def suppressed(series: Mapping[str, float]) -> str:
    """The commonest reasons."""
    reasons: Counter[str] = Counter()
    for name, number in series.items():
        if name.startswith("streamrec_suppressions_total{") and number:
            reasons[name.split('"')[1]] += int(number)
    return ", ".join(f"{name} {count:,}" for name, count in reasons.most_common(SUPPRESSIONS_SHOWN)) or "nothing yet"


def summary(console: Console, seen: Seen, lift: Lift, sent: Mapping[str, int], worker: WorkerProcess) -> None:
    """What it was worth."""
    console.rule("what it was worth")
    console.print(
        f"{sent.get('events', 0):,} events and {sent.get('articles', 0)} articles led to {len(seen.pairs):,} pushes, "
        f"{seen.doubled} of them doubled; the worker was started again {worker.restarts} times; "
        f"event -> push p50 {seen.percentile_ms(0.5):.0f} ms, p99 {seen.percentile_ms(0.99):.0f} ms."
    )
    if lift.pushes:
        console.print(
            f"By the simulator's truth a pushed article is clicked with {lift.pushed:.1%}, a random fresh one with "
            f"{lift.random:.1%}: [bold]{lift.ratio:.1f} times as likely[/] ({lift.ratio_own_language:.1f} times among "
            "articles in the reader's own languages)."
        )
