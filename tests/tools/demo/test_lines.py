"""The demo's text fits the window it is for, and keeps what matters."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from streamrec.contracts.push import ModelStamp, Push, Reason
from streamrec.settings import load
from streamrec.terminal.push_sentence import sentence
from streamrec.tools.demo.lines import ONE_LINE_WIDTH, loosened, percentiles, push_lines, summary, suppressed
from streamrec.tools.demo.pushes import Seen
from streamrec.tools.simulation.lift import Lift

PUSH = Push(
    push_id="p1",
    user_id="u0421",
    article_id="a1",
    article_version=0,
    story_id="s1",
    title="Quantum computer puzzles researchers",
    deep_link="",
    category="science",
    priority="normal",
    created_at_ms=1_767_225_600_000,
    expires_at_ms=1_767_225_600_001,
    collapse_id="s1",
    relevance=0.31,
    reason=Reason("recent_reads", {"count": 3, "category": "entertainment"}),
    model=ModelStamp("m", "1", "int8"),
    trigger="article",
    event_at_ms=1_767_225_600_000,
)
LOOSE = load({}, session_gap_s=0.0, min_interval_s=10.0, quiet_from="00:00", quiet_to="00:00")


@given(st.text("abc é量子", min_size=1, max_size=120), st.integers(80, 200), st.integers(0, 9_999))
def test_a_push_fits_the_window_and_keeps_its_reason(title: str, width: int, latency_ms: int) -> None:
    """Only the title is shortened, Chinese (two cells a character) too: why, P(click), engine and latency stay."""
    lines = push_lines(msgspec.structs.replace(PUSH, title=title), latency_ms, width)
    assert all(cell_len(line) <= width for line in lines)
    assert lines[0].startswith("push u0421 <- ")
    assert lines[-1].endswith(f"because: 3 recent reads in entertainment  p=0.31  int8  {latency_ms} ms")
    assert len(lines) == 1 or width < ONE_LINE_WIDTH


def test_a_push_that_fits_is_left_alone() -> None:
    """The same line as `streamrec watch` shows."""
    assert push_lines(PUSH, 38, 200) == [sentence(PUSH, 38)]


@pytest.mark.parametrize("width", [80, 200])
def test_what_is_taken_back_is_seen(width: int) -> None:
    """As a line of its own, and by article in the summary."""
    seen = Seen()
    for user in ("u1", "u2"):
        seen.add(msgspec.structs.replace(PUSH, kind="retract", user_id=user, push_id=user, title="Wrong\x1b[2J"), 5)
    (line,) = push_lines(msgspec.structs.replace(PUSH, kind="retract", title="Wrong " * 30), 5, width)
    assert line.startswith("retract u0421 <- ")
    assert cell_len(line) <= width
    facts = dict(summary(LOOSE, seen, Lift(0, float("nan"), float("nan"), float("nan")), {}, {}, 0))
    assert facts["taken back"] == "Wrong\\x1b[2J: 2 readers"


@pytest.mark.parametrize("count", [1, 10, 1e6, 1e9])
def test_suppressions_fit_their_line(count: float) -> None:
    """The commonest reasons come first, and only whole ones are shown."""
    names = ["low_affinity", "low_score", "min_interval", "already_read", "already_pushed", "daily_cap"]
    series = {f'streamrec_suppressions_total{{reason="{n}"}}': count * (9 - i) for i, n in enumerate(names)}
    text = suppressed(series, 63)
    assert len(text) <= 63
    assert text.startswith(f"low_affinity {9 * count:,.0f}")
    assert all(part.split()[0] in names for part in text.split(", "))


def test_a_demo_without_a_push_has_a_summary() -> None:
    """Ended at once, it claims no latency and no lift."""
    nan = float("nan")
    series = {'streamrec_suppressions_total{reason="min_interval"}': 7.0}
    facts = dict(summary(LOOSE, Seen(), Lift(0, nan, nan, nan), {}, series, 0))
    assert facts["event -> push"] == percentiles(Seen()) == "no push yet"
    assert "nan" not in " ".join(facts.values())
    assert "likelier" not in facts
    assert facts["why none"] == (
        "the time was short, and readers rest 10 s after what they got for the history; held back: min_interval 7"
    )
    assert dict(summary(LOOSE, Seen(), Lift(0, nan, nan, nan), {}, {}, 0))["why none"] == (
        "the time was short; held back: nothing yet"
    )


def test_suppressions_are_whole_where_nothing_moves() -> None:
    """Into a pipe no reason is left out."""
    series = {f'streamrec_suppressions_total{{reason="reason_{n:02}"}}': 1e9 for n in range(12)}
    assert suppressed(series).count("reason_") == 12


def test_the_summary_says_what_the_shipped_policy_would_allow() -> None:
    """A thousand pushes to two readers are not what a user of the program would get."""
    seen = Seen()
    for number in range(1000):
        seen.add(msgspec.structs.replace(PUSH, push_id=str(number), user_id=f"u{number % 2}"), 5)
    nan = float("nan")
    shown = dict(summary(LOOSE, seen, Lift(0, nan, nan, nan), {}, {}, 0))
    assert shown["as shipped"] == "at most 2 of them: a reader gets one push in 4 h, by day, out of session"
    assert "why none" not in shown
    assert "as shipped" not in dict(summary(load({}), seen, Lift(0, nan, nan, nan), {}, {}, 0))


def test_a_loosened_policy_is_named_with_what_is_shipped() -> None:
    """Each of the three, and nothing where nothing is loosened."""
    assert loosened(LOOSE) == (
        "loosened, so that a minute shows something: 10 s between two pushes to a reader (else 4 h), "
        "0 s after the last click (else 15 min), no quiet hours (else 22:00 to 07:00)"
    )
    assert loosened(load({})) == ""
    assert loosened(load({}, min_interval_s=86_400.0)) == ""
