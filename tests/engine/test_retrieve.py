"""The int8 scan against float32, and what it lets through."""

import numpy as np
from making import DAY, T0, article

from streamrec.engine.catalog import Catalog
from streamrec.engine.profiles.store import ProfileStore, Users
from streamrec.engine.retrieve import affinities, retrieve


def scene(users: int = 300, articles: int = 20) -> tuple[Users, Catalog]:
    """Random profiles and articles."""
    store, catalog, rng = ProfileStore(4), Catalog(), np.random.default_rng(0)
    rows = store.rows_of([f"u{i}" for i in range(users)], [1] * users)
    store.columns["interest"][rows] = rng.normal(size=(users, 64)) * rng.exponential(1, (users, 1))
    store.columns["interest_at_ms"][rows] = T0
    store.mirror_rows(rows)
    for number in range(articles):
        catalog.apply(article(f"a{number}"), T0)
    return Users(store, slice(None)), catalog


def test_int8_is_within_its_bound() -> None:
    """|int8 - float32| <= scale / 2 * |vector|_1, for every pair."""
    users, catalog = scene()
    vectors = catalog["vector"]
    exact = users["interest"].astype(np.float32) @ vectors.T
    bound = users["scale"][:, None] / 2 * np.abs(vectors).sum(axis=1)
    assert (np.abs(affinities(users, vectors, T0, DAY) - exact) <= bound + 1e-4).all()


def test_interest_fades() -> None:
    """A half-life later the affinity is half."""
    users, catalog = scene()
    now, later = (affinities(users, catalog["vector"], T0 + wait, DAY) for wait in (0, DAY))
    np.testing.assert_allclose(later, now / 2, rtol=1e-5, atol=1e-6)


def test_nearest_articles_of_each_user() -> None:
    """At most `keep` a user, none below the floor, and none nearer left out."""
    users, catalog = scene()
    slots = np.arange(20)
    pairs = retrieve(users, catalog, slots, T0, half_life_ms=DAY, floor=0.5, keep=3)
    scores = affinities(users, catalog["vector"], T0, DAY)
    for row in range(len(users)):
        got = set(pairs.slots[pairs.users.indices() == row].tolist())
        best = [slot for slot in np.argsort(-scores[row])[:3].tolist() if scores[row, slot] >= 0.5]
        assert got == set(best)
    assert (pairs.affinity >= 0.5).all()
