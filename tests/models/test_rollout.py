"""The moves of a rollout."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrec.errors import ArtifactError
from streamrec.models.rollout import LARGEST, Rollout, decode, promote, restated, roll_back, try_out

A, B, C = "a" * 12, "b" * 12, "c" * 12


def test_promote_remembers_what_was_stable() -> None:
    """Whoever promotes can go back."""
    first = promote(Rollout(), A, "t1", "first")
    second = promote(first, B, "t2", "better")
    assert (second.stable, second.previous) == (B, A)
    back = roll_back(second, "t3", "worse after all")
    assert (back.stable, back.previous, back.reason) == (A, B, "worse after all")


def test_a_canary_leaves_stable_alone() -> None:
    """Trying out and taking back changes nothing for the others."""
    stable = promote(promote(Rollout(), A, "", ""), B, "", "")
    tried = try_out(stable, C, 5, "t", "")
    assert (tried.stable, tried.previous, tried.canary, tried.canary_percent) == (B, A, C, 5)
    back = roll_back(tried, "t", "slow")
    assert (back.stable, back.previous, back.canary, back.canary_percent) == (B, A, "", 0)


def test_a_canary_is_the_same_until_it_leaves() -> None:
    """Another share is no other promotion; taken back and tried again, or another version, it is."""
    tried = try_out(Rollout(A), B, 5, "t1", "")
    grown = try_out(tried, B, 50, "t2", "")
    assert (grown.canary_since, grown.changed_at) == ("t1", "t2")
    assert try_out(grown, C, 5, "t3", "").canary_since == "t3"
    back = roll_back(grown, "t3", "")
    assert back.canary_since == promote(grown, B, "t3", "").canary_since == ""
    assert try_out(back, B, 5, "t4", "").canary_since == "t4"


def test_a_canary_that_is_promoted_is_a_canary_no_more() -> None:
    """The version before the canary is what rollback goes back to."""
    done = promote(try_out(promote(Rollout(), A, "", ""), B, 5, "", ""), B, "", "")
    assert done == Rollout(B, "", 0, A, "", "", serial=3)


def test_promoting_stable_again_ends_a_canary_and_keeps_the_way_back() -> None:
    """Previous does not become stable itself."""
    tried = try_out(promote(promote(Rollout(), A, "", ""), B, "", ""), C, 5, "", "")
    assert promote(tried, B, "", "") == Rollout(B, "", 0, A, "", "", serial=4)


@pytest.mark.parametrize("percent", [0, 100, -1, 1000])
def test_a_canary_is_a_share(percent: int) -> None:
    """None of the users, or all of them, is no canary."""
    with pytest.raises(ArtifactError, match="expected 1 to 99"):
        try_out(Rollout(A), B, percent, "", "")


def test_moves_without_sense_are_refused() -> None:
    """Each says what would make sense."""
    with pytest.raises(ArtifactError, match="no stable version"):
        try_out(Rollout(), A, 5, "", "")
    with pytest.raises(ArtifactError, match="is stable"):
        try_out(Rollout(A), A, 5, "", "")
    with pytest.raises(ArtifactError, match="stable already"):
        promote(Rollout(A), A, "", "")
    with pytest.raises(ArtifactError, match="no earlier version"):
        roll_back(Rollout(A), "", "")
    with pytest.raises(ArtifactError, match="nothing to sign"):
        restated(Rollout())


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "not a rollout"),
        (b"{", "not a rollout"),
        (b'{"stabel": "aaaaaaaaaaaa"}', "stabel"),
        (b'{"stable": "../../other"}', "12 hex digits"),
        (b'{"stable": "aaaaaaaaaaaa", "canary": "bbbbbbbbbbbb"}', "1 to 99 %"),
        (b'{"stable": "aaaaaaaaaaaa", "canary_percent": 5}', "1 to 99 %"),
        (b'{"stable": "\xff"}', "not a rollout"),
        (b'{"serial": -1}', "serial is -1"),
        (b'{"serial": %d}' % (LARGEST + 1), f"serial is {LARGEST + 1}"),
        (b"[" * 5000, "not a rollout"),
    ],
)
def test_a_broken_file_is_refused_by_name(raw: bytes, why: str) -> None:
    """A version becomes a part of a path, so nothing else may stand there."""
    with pytest.raises(ArtifactError, match=f"the-path.*{why}"):
        decode(raw, "the-path")


@given(
    st.lists(
        st.sampled_from(["promote", "try", "back", "restate"]).flatmap(
            lambda m: st.tuples(st.just(m), st.sampled_from("abc"))
        )
    )
)
def test_no_sequence_of_moves_leaves_a_state_that_cannot_be_read(moves: list[tuple[str, str]]) -> None:
    """What moves write, `decode` reads; stable, once there is one, stays; each raises the number and is not signed."""
    state = Rollout()
    for move, letter in moves:
        before = state
        try:
            if move == "promote":
                state = promote(state, letter * 12, "t", "")
            elif move == "try":
                state = try_out(state, letter * 12, 5, "t", "")
            elif move == "back":
                state = roll_back(state, "t", "")
            else:
                state = restated(state)
        except ArtifactError:
            assert state == before
        assert decode(msgspec.json.encode(state), "x") == state
        assert bool(state.stable) >= bool(before.stable)
        assert (state.serial, state.signature) == (before.serial + (state != before), "")
