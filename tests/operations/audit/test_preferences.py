"""Pushes against what readers want: only what had to be known is judged."""

from typing import Any

import msgspec
import pytest
from making import article
from operations.audit.audited import HOUR, MINUTE, PARTITIONS, T0, Cluster, push, row

from streamrec.contracts.partitioner import partition_of
from streamrec.contracts.records import RawRecord
from streamrec.engine.profiles.layout import CONSENT_IN
from streamrec.partition.changelog_meta import OWNER_KEY

HOME = partition_of("ann", PARTITIONS)
LATER = T0 + 10 * MINUTE


def pushed(*stated: tuple[int, dict[str, Any]], breaking: bool = False, begun_ms: int = T0 + 2 * MINUTE) -> Cluster:
    """Somebody who stated this, and got a push of a1 of an owner who began two minutes later."""
    cluster, made = Cluster(), push(at_ms=LATER, priority="breaking" if breaking else "normal")
    for appended_ms, said in stated:
        cluster.preference("ann", appended_ms, **said)
    cluster.append("changelog", HOME, OWNER_KEY, b"{}", begun_ms)
    cluster.cursor(HOME)
    cluster.row("ann", row(made, consent=CONSENT_IN))
    known = article("a1", source="DESK", keywords=("volcano",), tags=("storm watch",))
    cluster.catalog = [RawRecord(0, T0, b"a1", msgspec.json.encode(known))]
    cluster.pushes(made)
    return cluster


@pytest.mark.parametrize(
    ("said", "breaking", "is_broken"),
    [
        ({"level": "none"}, True, True),
        ({"level": "breaking"}, False, True),
        ({"level": "breaking"}, True, False),
        ({"stories": {"a1": "mute"}}, True, True),
        ({"stories": {"a2": "mute"}}, False, False),
        ({"categories": {"science": "mute"}}, True, True),
        ({"categories": {"science": "follow", "world": "mute"}}, False, False),
        ({"sources": {"Desk": "mute"}}, False, True),
        ({"sources": {"another": "mute"}}, False, False),
        ({"tags": {"volcano": "mute"}}, False, True),
        ({"tags": {"Storm  watch": "mute"}}, False, False),
        ({"tags": {"Storm watch": "mute"}}, False, True),
        ({"consent": False}, False, True),
        ({"daily_cap": 8}, False, False),
    ],
)
def test_a_push_against_what_had_to_be_known_is_found(said: dict[str, Any], breaking: bool, is_broken: bool) -> None:
    """Whoever took the partition over after it was said had read it."""
    assert ("preferences" in pushed((T0, said), breaking=breaking).broken()) == is_broken


@pytest.mark.parametrize(
    "stated",
    [
        [(T0, {"level": "none"}), (T0 + 1, {"level": None})],
        [(T0, {"level": "none"}), (LATER - 1, {"level": "all"})],
        [(LATER, {"level": "none"})],
        [(T0, {"level": "none", "at_ms": T0 - HOUR})],
    ],
    ids=["taken back", "perhaps taken back", "perhaps not known", "said late"],
)
def test_what_is_not_certain_is_not_judged(stated: list[tuple[int, dict[str, Any]]]) -> None:
    """Another statement in time, or one that nobody had to know yet."""
    assert "preferences" not in pushed(*stated).broken()


def test_a_patch_in_another_partition_makes_nothing_certain() -> None:
    """Nobody knows when it arrived."""
    cluster = pushed((T0, {"level": "none"}))
    cluster.preference("ann", T0, partition=(HOME + 1) % PARTITIONS, level="all")
    assert "preferences" not in cluster.broken()
