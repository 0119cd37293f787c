"""operations/pseudonyms.py: readers in the audit trail."""

from hypothesis import given
from hypothesis import strategies as st

from streamrec.operations.pseudonyms import CHARS, Pseudonyms, names

IDS = st.text(min_size=1, max_size=64)


@given(IDS, IDS, st.text(min_size=16), st.text(min_size=16))
def test_a_pseudonym_is_of_one_reader_and_one_secret(one: str, other: str, secret: str, another: str) -> None:
    """The same again for the same two, and another one otherwise."""
    known = Pseudonyms(secret).of(one)
    assert len(known) == CHARS
    assert (known == Pseudonyms(secret).of(other)) == (one == other)
    assert (known == Pseudonyms(another).of(one)) == (secret == another)


def test_an_id_is_found_as_a_word_of_its_own() -> None:
    """In other letters, too, and not as a part of another word; an id may hold what means something in a pattern."""
    assert names("U1 asked", "u1")
    assert names("for (a.b+c)", "a.b+c")
    assert not names("u12 asked", "u1")
    assert not names("aXb+c", "a.b+c")
