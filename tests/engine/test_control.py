"""engine/control.py: which statement counts does not depend on the order of arrival; a plain model says the same."""

from itertools import permutations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import DAY, HOUR, T0, policy

from streamrec.contracts.control import Command
from streamrec.engine.control import MOST, ControlState, Statement, Target, TargetKind, is_approved
from streamrec.engine.policy.config import NEVER


def said(action: str, at_ms: int = T0, **more: object) -> Command:
    """A command."""
    return Command(action, "ann", "why", at_ms, **more)  # type: ignore[arg-type]


at = st.integers(T0, T0 + 5)
ends = st.sampled_from([0, T0 + 3, T0 + 7])
commands = st.one_of(
    st.builds(said, st.sampled_from(["stop", "resume"]), at, category=st.sampled_from(["", "sports"]), until_ms=ends),
    st.builds(
        said, st.sampled_from(["hold", "release", "retract", "correct"]), at,
        article_id=st.sampled_from(["a1", "a2"]), until_ms=ends,
    ),
    st.builds(
        said, st.sampled_from(["pin", "unpin"]), at, setting=st.sampled_from(["min_score", "daily_cap"]),
        value=st.sampled_from([0.0, 1.0]), until_ms=st.just(T0 + 7),
    ),
)  # fmt: skip


def state_of(given_commands: list[Command], now_ms: int = T0) -> ControlState:
    """The state after these commands."""
    state = ControlState()
    for command in given_commands:
        state.apply(command)
    state.lift_ended(now_ms)
    return state


def effects(state: ControlState) -> dict[str, object]:
    """All that a decision can see."""
    seen = state.policy(policy())
    return {
        "everything": seen.stopped_until_s, "score": seen.min_score, "cap": seen.daily_cap,
        "sports": state.is_on("category", "sports"),
        **{f"{kind} {a}": state.is_on(kind, a) for kind in ("article", "retract", "correct") for a in ("a1", "a2")},
    }  # fmt: skip


@given(st.lists(commands, max_size=5), st.data())
def test_the_order_of_arrival_means_nothing(arrived: list[Command], data: st.DataObject) -> None:
    """Nor does it that a command comes twice."""
    shuffled = data.draw(st.permutations(arrived + arrived[:2]))
    assert dict(state_of(arrived)) == dict(state_of(shuffled))


@given(st.lists(commands, max_size=8), st.integers(T0, T0 + 9))
def test_a_plain_model_sees_the_same(arrived: list[Command], now_ms: int) -> None:
    """The last word on each target, a no before a yes, unless its time is over."""

    def on(nos: set[str], yeses: set[str], **of: str) -> Command | None:
        mine = [
            c for c in arrived if c.action in nos | yeses and all(getattr(c, name) == is_ for name, is_ in of.items())
        ]
        last_ms = max((c.at_ms for c in mine), default=0)
        last = [c for c in mine if c.at_ms == last_ms and c.action in nos]
        longest = max(last, key=lambda c: (c.until_ms or 1 << 60, c.value), default=None)
        return None if longest is None or 0 < longest.until_ms <= now_ms else longest

    stop = on({"stop"}, {"resume"}, category="")
    score, cap = (on({"pin"}, {"unpin"}, setting=name) for name in ("min_score", "daily_cap"))
    assert effects(state_of(arrived, now_ms)) == {
        "everything": 0 if stop is None else -(-stop.until_ms // 1000) or NEVER,
        "score": policy().min_score if score is None else score.value,
        "cap": policy().daily_cap if cap is None else int(cap.value),
        "sports": on({"stop"}, {"resume"}, category="sports") is not None,
        **{f"article {a}": on({"hold"}, {"release"}, article_id=a) is not None for a in ("a1", "a2")},
        **{f"{kind} {a}": on({kind}, set(), article_id=a) is not None for kind in ("retract", "correct")
           for a in ("a1", "a2")},
    }  # fmt: skip


@given(st.lists(commands, max_size=8), st.integers(0, 8), st.integers(T0, T0 + 9))
def test_the_log_restores_it(arrived: list[Command], halfway: int, now_ms: int) -> None:
    """From what changed since each write, through JSON."""
    state, log = ControlState(), dict[Target, bytes | None]()
    for number, command in enumerate(arrived):
        state.apply(command)
        if number == halfway:
            state.lift_ended(now_ms)
            log |= {target: None if one is None else msgspec.json.encode(one) for target, one in state.take_changed()}
    log |= {target: None if one is None else msgspec.json.encode(one) for target, one in state.take_changed()}
    restored = ControlState()
    for target, raw in log.items():
        restored.restore(target, None if raw is None else msgspec.json.decode(raw, type=Statement))
    assert dict(restored) == dict(state)
    assert restored.take_changed() == []
    assert restored.lift_ended(T0 + 20) == state.lift_ended(T0 + 20)


def test_a_stop_outranks_a_resumption_of_the_same_moment() -> None:
    """Whoever comes first."""
    for order in permutations([said("stop"), said("resume")]):
        assert state_of([*order]).is_on("everything")


def test_a_resumption_of_everything_leaves_a_category_stopped() -> None:
    """Each target is its own."""
    state = state_of([said("stop"), said("stop", category="sports"), said("resume", T0 + 1)])
    assert (state.is_on("everything"), state.is_on("category", "sports")) == (False, True)


def test_what_was_said_twice_is_new_once() -> None:
    """A stop of somebody else at another time is another statement."""
    state = ControlState()
    assert [state.apply(said("stop", at_ms)).new for at_ms in (T0, T0, T0 - 1, T0 + 1)] == [True, False, False, True]


def test_who_approved_is_counted_by_person() -> None:
    """However often each of them did, and not without bound."""
    state = ControlState()
    for who in ["ann", "bob", "ann", *map(str, range(100))]:
        state.apply(Command("approve", who, "why", T0, article_id="a1", digest=7))
        if who == "bob":
            assert state.persons(Target("approve", "a1", 7)) == ("ann", "bob")
    assert len(state.persons(Target("approve", "a1", 7))) == 8
    assert state.persons(Target("approve", "a1", 8)) == state.persons(Target("approve", "a2", 7)) == ()


@given(st.sampled_from(["article", "approve", "category", "correct"]), st.text(), st.integers(0, 2**32 - 1))
def test_a_target_is_read_back_from_the_log(kind: TargetKind, name: str, digest: int) -> None:
    """Whatever stands in an id; and an approval of all versions, which there was once, is of none."""
    target = Target(kind, name, digest if kind == "approve" else 0)
    assert Target.at(target.path) == target
    assert Target.at("approve/a1") == Target("approve", "a1")


def test_two_persons_are_two_names_whatever_their_letters() -> None:
    """Nobody is the second person by a capital."""
    state = ControlState()
    for who, approved in (("ann", False), ("Ann", False), ("ANN", False), ("bob", True)):
        state.apply(Command("approve", who, "why", T0, article_id="a1"))
        assert is_approved(state[Target("approve", "a1")]) is approved


def test_what_ends_is_lifted_once_and_at_its_time() -> None:
    """And not before."""
    state = state_of([said("hold", article_id="a1", until_ms=T0 + HOUR)])
    assert state.lift_ended(T0 + HOUR - 1) == []
    assert state.lift_ended(T0 + HOUR) == [Target("article", "a1")]
    assert state.lift_ended(T0 + HOUR) == []
    assert not state.is_on("article", "a1")


@pytest.mark.parametrize("known", [True, False])
def test_it_stays_small(known: bool) -> None:
    """Whatever is held that nobody knows; what is held in the catalog, and stops, stay."""
    state = state_of([said("stop", T0 - 99 * DAY)])
    for number in range(3 * MOST):
        state.apply(said("hold", T0 + number, article_id=f"a{number}"))
        state.prune(T0, lambda _: known)
    assert len(state) == 3 * MOST + 1 if known else len(state) <= MOST + 1024
    assert state.is_on("everything")
    assert state.is_on("article", f"a{3 * MOST - 1}")
    for number in range(3 * MOST + 1100):  # what is lifted goes a week later
        state.apply(said("release", T0 + 3 * MOST, article_id=f"a{number}"))
    state.prune(T0 + 9 * DAY, lambda _: known)
    assert len(state) == 1
