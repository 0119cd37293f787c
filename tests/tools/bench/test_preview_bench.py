"""`bench preview` in small: as many readers as asked for, and no step is longer than its question."""

from streamrec.tools.bench.preview import measure


def test_a_step_is_a_part_of_the_question() -> None:
    """Of one partition or of several: each round's longest step is within it."""
    found = measure(2_000, 2, None, 4)
    assert found.told.readers == 2_000
    assert len(found.seconds) == len(found.held_s) == 2
    assert all(0 < held_s < s for held_s, s in zip(found.held_s, found.seconds, strict=True))
