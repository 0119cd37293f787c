"""A signed rollout: what is refused, and that nothing is read which was not signed."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signing_keys import keys

from streamrec.errors import ArtifactError
from streamrec.models.rollout import Rollout
from streamrec.models.signature import signature_over
from streamrec.models.signed_rollout import CONTEXT, signed, verified

A, B = "a" * 12, "b" * 12


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Private, public."""
    return keys(tmp_path_factory.mktemp("keys"), "ours")


def test_what_was_signed_is_read_however_it_is_laid_out(pair: tuple[Path, Path]) -> None:
    """Blanks and order are for people."""
    rollout = signed(Rollout(stable=A, reason="été", serial=7), pair[0])
    for raw in (
        msgspec.json.encode(rollout),
        msgspec.json.format(msgspec.json.encode(rollout), indent=2),
        json.dumps(dict(reversed(msgspec.to_builtins(rollout).items()))).encode(),
    ):
        assert verified(raw, "the-path", pair[1]) == rollout


@pytest.mark.parametrize("member", [field.name for field in msgspec.structs.fields(Rollout)])
def test_no_member_can_be_altered(pair: tuple[Path, Path], member: str) -> None:
    """The signature itself is one; a member that this release does not know is signed, too, but not believed."""
    members: dict[str, Any] = msgspec.to_builtins(signed(Rollout(stable=A, serial=7), pair[0]))
    altered = members[member] + 1 if isinstance(members[member], int) else B
    for changed in (members | {member: altered}, {key: members[key] for key in members if key != member}):
        with pytest.raises(ArtifactError, match="the-path"):
            verified(json.dumps(changed).encode(), "the-path", pair[1])


def test_a_signature_for_something_else_is_none(pair: tuple[Path, Path], tmp_path: Path) -> None:
    """Of a manifest with the same bytes, or by another key; and none at all says what to do once."""
    rollout = Rollout(stable=A, serial=7)
    content = {key: value for key, value in msgspec.to_builtins(rollout).items() if key != "signature"}
    raw = msgspec.json.encode(content, order="sorted")
    assert signed(rollout, pair[0]).signature == signature_over(CONTEXT + raw, pair[0])
    other = signature_over(b"streamrec model manifest\n" + raw, pair[0])
    for found in (msgspec.structs.replace(rollout, signature=other), signed(rollout, keys(tmp_path, "theirs")[0])):
        with pytest.raises(ArtifactError, match="no key in"):
            verified(msgspec.json.encode(found), "the-path", pair[1])
    with pytest.raises(ArtifactError, match=r"is not signed.*streamrec model sign --key FILE STORE"):
        verified(msgspec.json.encode(rollout), "the-path", pair[1])


def test_a_member_that_stands_twice_is_read_as_it_was_signed(pair: tuple[Path, Path]) -> None:
    """Two readers of JSON may take different ones; here only one reads."""
    raw = msgspec.json.encode(signed(Rollout(stable=A, serial=7), pair[0]))
    for twice in (raw[:-1] + f',"stable":"{B}"}}'.encode(), f'{{"stable":"{B}",'.encode() + raw[1:]):
        try:
            assert verified(twice, "the-path", pair[1]).stable == A
        except ArtifactError as error:
            assert "no key in" in str(error)  # noqa: PT017 - either will do


@settings(max_examples=30, deadline=None)
@given(
    st.binary(max_size=64)
    | st.dictionaries(st.sampled_from(["stable", "signature"]), st.text()).map(msgspec.json.encode)
)
def test_whatever_comes_is_refused_in_words(pair: tuple[Path, Path], raw: bytes) -> None:
    """No other error than ours."""
    with pytest.raises(ArtifactError, match="the-path"):
        verified(raw, "the-path", pair[1])
