"""Features: finite, as wide as the network expects, each under a name of its own."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from making import DAY, HOUR, T0, Feed, article, click, partition

from streamrec.engine.features.features import FEATURES, features
from streamrec.engine.pairs import Pairs
from streamrec.engine.predictor import COLUMNS
from streamrec.engine.profiles.store import Users


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), max_size=20), st.integers(-HOUR, 30 * DAY))
def test_always_finite(clicks: list[tuple[int, int]], later_ms: int) -> None:
    """Whatever a user did and however old the article is: numbers."""
    state = partition(daily_cap=0)
    feed = Feed(state)
    feed.articles(*[article(f"a{i}") for i in range(6)])
    feed.events(click("nobody"), *[click(f"u{user}", f"a{which}") for user, which in clicks])
    users = len(state.profiles)
    rows, slots = np.repeat(np.arange(users), 6), np.tile(np.arange(6), users)
    pairs = Pairs(Users(state.profiles, rows), state.catalog, slots, np.zeros(len(slots), np.float32))
    x = features(pairs, T0 + later_ms, DAY)
    assert x.shape == (len(slots), COLUMNS)
    assert np.isfinite(x).all()


def test_each_feature_has_a_name_of_its_own() -> None:
    """Columns are found by name."""
    assert len({function.__name__ for function in FEATURES}) == len(FEATURES) == COLUMNS - 64
