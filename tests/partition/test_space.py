"""Vectors of two encoders never meet: not in the profiles, not in the catalog, not by way of poison."""

import asyncio

import pytest
from making import AffinityScores, Feed, article, click, partition, policy

from streamrec.contracts.decode import Typed
from streamrec.engine.catalog import Catalog
from streamrec.errors import SettingsError, StateError
from streamrec.partition.changelog_meta import (
    FIRST_SPACE,
    SPACE_KEY,
    ChangelogContent,
    Meta,
    owner_records,
    rows_and_meta,
)
from streamrec.partition.partition import Partition, PartitionContext
from streamrec.worker.poison.poison_search import without_poison

CURE = "set STREAMREC_ENCODER, or the release, back, or move to the new space with `streamrec migrate`"


def of_space(space_id: str) -> Partition:
    """A partition whose encoder works in this space."""
    return Partition(PartitionContext(0, policy(), AffinityScores(), space_id=space_id))


def rows() -> list[tuple[bytes, bytes]]:
    """Changelog rows of a reader."""
    feed = Feed(partition())
    feed.events(click("ann"))
    return [*feed.to.profiles.rows().items()]


@pytest.mark.parametrize(("written", "ours", "fits"), [("a", "a", True), ("a", "b", False), ("a", "", True)])
def test_profiles_of_another_space_are_refused(written: str, ours: str, fits: bool) -> None:
    """A new owner with another encoder ends before it uses a single row, wherever the space record stands."""
    for log in ([*owner_records(4, written), *rows()], [*rows(), *owner_records(4, written)]):
        logged = ChangelogContent(4, ours)
        logged.take(log)
        if fits:
            assert set(logged.rows(Catalog(), 0)) == {b"ann"}
        else:
            with pytest.raises(SettingsError, match=f"profiles .* space 'a', .* 'b': .*{CURE}"):
                logged.rows(Catalog(), 0)


def test_rows_from_before_spaces_were_recorded_are_the_hashed_encoders() -> None:
    """An old changelog is read as ever by the encoder that was the only one then, and refused by all others."""
    old = [owner_records(4, "")[0], *rows()]
    logged = ChangelogContent(4, FIRST_SPACE)
    logged.take(old)
    assert set(logged.rows(Catalog(), 0)) == {b"ann"}
    other = ChangelogContent(4, "sentence64-x")
    other.take(old)
    with pytest.raises(SettingsError, match=CURE):
        other.rows(Catalog(), 0)


def test_an_empty_changelog_belongs_to_whoever_comes_first() -> None:
    """A space record without rows binds nobody: nothing was learned in it."""
    logged = ChangelogContent(4, "b")
    logged.take(owner_records(4, "a"))
    assert logged.rows(Catalog(), 0) == {}


def test_a_reader_that_does_not_ask_reads_as_before() -> None:
    """The space record changes neither rows nor cursor."""
    log = [*rows(), Meta({"events": 3}, 7).record()]
    assert rows_and_meta([*log, *owner_records(4, "a")], 4) == rows_and_meta(log, 4)
    assert SPACE_KEY not in rows_and_meta(owner_records(4, "a"), 4)[0]


def test_an_article_of_another_space_is_refused() -> None:
    """Live and in recovery alike."""
    Feed(of_space("test")).articles(article("a1"))
    with pytest.raises(SettingsError, match=f"article in the catalog is in space 'test', .* 'b': .*{CURE}"):
        Feed(of_space("b")).articles(article("a1"))
    known = [Typed(0, 0, article("a1"))]
    with pytest.raises(SettingsError, match=CURE):
        of_space("b").restore([], Meta({}, 0), known)


def test_another_space_is_not_poison() -> None:
    """The setting is wrong and no record is: nothing is set aside, the process ends."""

    async def never() -> Partition:
        raise StateError("nothing is searched")

    error = SettingsError("another space")
    with pytest.raises(SettingsError, match="another space"):
        asyncio.run(without_poison(error, of_space("b"), [], never, None, 20))  # type: ignore[arg-type]
