"""The front holds what nothing beats."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streamrec.compression.search.pareto import front, layers

points = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=25)


@given(points=points)
def test_the_front_is_its_definition(points: list[tuple[int, int]]) -> None:
    """Pair by pair: beaten means as good everywhere and better somewhere."""
    for point, on_front in zip(points, front(points), strict=True):
        beaten = any(a <= point[0] and b <= point[1] and (a, b) != point for a, b in points)
        assert on_front == (not beaten)


@given(points=points)
def test_layers_peel_fronts(points: list[tuple[int, int]]) -> None:
    """Layer 0 is the front, each next one the front of what is left, none is skipped."""
    found = layers(points)
    left = np.array(points)
    for number in range(found.max() + 1):
        assert (front(left) == (found[found >= number] == number)).all()
        left = np.array(points)[found > number]


def test_no_points_have_no_layers() -> None:
    """A rung on which all recipes were refused is not a crash."""
    assert layers(np.empty((0, 2))).tolist() == []
