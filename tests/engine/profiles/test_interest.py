"""Decayed interest against an oracle that applies one event after another in float64."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streamrec.arrays import DoubleArray
from streamrec.engine.profiles.interest import after_read, decay, rounds
from streamrec.engine.profiles.store import ProfileStore

HALF_LIFE_MS = 86_400_000.0
VECTORS = np.random.default_rng(1).normal(size=(8, 64)).astype(np.float32) / 8

Read = tuple[int, int, int, float]  # user, at_ms, article, weight
READS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.integers(0, 5 * 86_400_000),
        st.integers(0, 7),
        st.sampled_from([1.0, 2.0, 0.5, -1.0]),
    ),
    min_size=1,
    max_size=30,
)


def learned(reads: list[Read], batch: int | None = None) -> ProfileStore:
    """The columns after these reads, in batches."""
    store = ProfileStore(4)
    store.rows_of([f"u{user}" for user in range(4)], [0] * 4)
    for start in range(0, len(reads), batch or len(reads)):
        part = reads[start : start + (batch or len(reads))]
        rows = np.array([read[0] for read in part], np.intp)
        at_ms = np.array([read[1] for read in part], np.int64)
        which = np.array([read[2] for read in part])
        weight = np.array([read[3] for read in part], np.float32)
        for chosen in rounds(rows):
            slots = which[chosen].astype(np.uint8)
            after_read(
                store, rows[chosen], at_ms[chosen], weight[chosen], VECTORS[which[chosen]], slots, slots, HALF_LIFE_MS
            )
    return store


def oracle(reads: list[Read], user: int) -> DoubleArray:
    """The closed form: every read decayed to the latest time."""
    mine = [read for read in reads if read[0] == user]
    latest = max((at_ms for _, at_ms, _, _ in mine), default=0)
    total = np.zeros(64)
    for _, at_ms, which, weight in mine:
        total += weight * VECTORS[which] * 0.5 ** ((latest - at_ms) / HALF_LIFE_MS)
    return total


@given(READS)
def test_equals_the_closed_form(reads: list[Read]) -> None:
    """Interest is the decayed sum, whatever the order of arrival, up to float16 rounding of each step."""
    store = learned(reads)
    for user in range(4):
        size = sum(abs(read[3]) for read in reads if read[0] == user)
        np.testing.assert_allclose(store["interest"][user], oracle(reads, user), atol=1e-3 * (size + 1) * 2)


@given(READS, st.randoms(use_true_random=False))
def test_commutes(reads: list[Read], random: object) -> None:
    """Late and out-of-order events are worth what they would have been worth in time."""
    shuffled = list(reads)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = learned(reads), learned(shuffled)
    assert (one["interest_at_ms"] == other["interest_at_ms"]).all()
    for field in ("interest", "category_affinity", "source_affinity"):
        np.testing.assert_allclose(one[field], other[field], atol=2e-3 * (len(reads) + 1) * 2)


@given(READS, st.integers(1, 7))
def test_split_changes_nothing(reads: list[Read], batch: int) -> None:
    """A batch with repeated users equals its events one by one, to the bit."""
    one, split = learned(reads), learned(reads, batch)
    for field in ("interest", "category_affinity", "source_affinity", "interest_at_ms"):
        assert one[field].tobytes() == split[field].tobytes()


@given(st.lists(st.integers(0, 5), max_size=40))
def test_rounds_cover_everything_once_in_order(users: list[int]) -> None:
    """Each position is in exactly one round, a row is at most once in a round, and a row's order is kept."""
    rows = np.array(users, np.intp)
    groups = rounds(rows)
    assert sorted(np.concatenate(groups).tolist() if groups else []) == list(range(len(users)))
    for group in groups:
        assert len(set(rows[group].tolist())) == len(group)
    for user in set(users):
        order = [position for group in groups for position in group.tolist() if users[position] == user]
        assert order == sorted(order)


def test_halves_after_a_half_life() -> None:
    """The half-life is what it says."""
    assert decay(np.array([0, HALF_LIFE_MS, 2 * HALF_LIFE_MS]), HALF_LIFE_MS).tolist() == [1, 0.5, 0.25]
