"""What headers say, which anybody may have written."""

from hypothesis import given
from hypothesis import strategies as st

from streamrec.contracts.records import OFFSET_DIGITS, header_number

LARGEST = 2**63 - 1


@given(st.integers(0, LARGEST))
def test_every_offset_is_read_as_it_was_written(offset: int) -> None:
    """As text and as bytes."""
    assert header_number(str(offset)) == header_number(str(offset).encode()) == offset


@given(
    st.one_of(st.none(), st.text(), st.binary(), st.just(b"9" * 5000), st.just("²"), st.integers(max_value=-1).map(str))
)
def test_anything_else_is_no_number_and_no_error(said: str | bytes | None) -> None:
    """Superscripts are digits to Python, and int() refuses them."""
    assert header_number(said) == -1 or (said and len(said) <= OFFSET_DIGITS and header_number(said) == int(said))
