"""Which letters are meant: every condition counts, and no letter is counted twice or left out."""

from hypothesis import given
from hypothesis import strategies as st
from operations.dlq.letters_of import letter

from streamrec.operations.dlq.letters import Choice, Letter, Place, groups

TOPICS, REASONS = ("articles", "events"), ("invalid", "too_old", "undecodable")


@st.composite
def letters(draw: st.DrawFn) -> Letter:
    """Any letter of two topics."""
    return letter(
        place=Place(draw(st.sampled_from(TOPICS)), draw(st.integers(0, 3)), draw(st.integers(0, 99))),
        reason=draw(st.sampled_from(REASONS)),
        at_ms=draw(st.integers(0, 50)),
        redriven_ms=tuple(draw(st.lists(st.integers(50, 99), max_size=2))),
    )


CHOICES = st.builds(
    Choice,
    st.sets(st.sampled_from(TOPICS)),
    st.sets(st.sampled_from(REASONS)),
    st.none() | st.integers(0, 60),
    st.none() | st.booleans(),
)


@given(CHOICES, letters())
def test_a_choice_is_all_its_conditions(choice: Choice, one: Letter) -> None:
    """Each condition alone takes the letter if and only if the whole choice does; none asked for takes everything."""
    alone = [Choice(**{name: wanted}) for name, wanted in choice._asdict().items()]
    assert choice.takes(one) == all(part.takes(one) for part in alone)
    assert Choice().takes(one)


@given(letters())
def test_the_moment_itself_is_since(one: Letter) -> None:
    """--since takes what was set aside at that very time."""
    assert Choice(since_ms=one.at_ms).takes(one)
    assert not Choice(since_ms=one.at_ms + 1).takes(one)


@given(st.lists(letters(), max_size=30))
def test_open_and_redriven_share_all_letters(many: list[Letter]) -> None:
    """The two filters are each other's complement."""
    assert all(Choice(redriven=True).takes(one) != Choice(redriven=False).takes(one) for one in many)


@given(st.lists(letters(), max_size=30))
def test_groups_count_every_letter_once(many: list[Letter]) -> None:
    """Sums, times and order: each group is exactly its letters."""
    found = groups(many)
    assert [(group.topic, group.reason) for group in found] == sorted({(x.place.topic, x.reason) for x in many})
    for group in found:
        mine = [x for x in many if (x.place.topic, x.reason) == (group.topic, group.reason)]
        times = [x.at_ms for x in mine]
        assert group[2:] == (len(mine), sum(not x.redriven_ms for x in mine), min(times), max(times))
