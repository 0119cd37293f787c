"""Pushes to readers who were erased: wrong until they are back, where that is certain."""

from typing import Any

import pytest
from operations.audit.audited import HOUR, MINUTE, PARTITIONS, T0, Cluster, push, row

from streamrec.contracts.partitioner import partition_of

HOME = partition_of("ann", PARTITIONS)
PUSHED = T0 + 10 * MINUTE


def pushed(
    back_ms: int | None, applied_ms: int = T0 + MINUTE, partition: int = HOME, letter: bool = False
) -> tuple[int, int]:
    """How many pushes to ann were judged and found wrong; her row begins at `back_ms`, None: she has none."""
    cluster, made = Cluster(), push(at_ms=PUSHED)
    offset = cluster.append("erasure", partition, b"ann", b"{}", T0)
    cluster.cursor(HOME, applied_ms, erasure=offset + 1)
    if letter:
        cluster.append("dlq", HOME, b"ann", b"{}", T0)
    cluster.row("ann", None if back_ms is None else row(made, seen_ms=back_ms))
    cluster.pushes(made)
    (found,) = [each for each in cluster.findings() if each.rule == "after_erasure"]
    return found.checked, found.violations


@pytest.mark.parametrize(
    ("back_ms", "wrong"), [(None, True), (PUSHED + HOUR, True), (PUSHED - MINUTE, False), (T0 - HOUR, False)]
)
def test_a_push_before_the_reader_is_back_is_found(back_ms: int | None, wrong: bool) -> None:
    """A row that begins later, or none, says that they were not."""
    assert pushed(back_ms) == (1, int(wrong))


@pytest.mark.parametrize("changed", [{"applied_ms": PUSHED}, {"partition": (HOME + 1) % PARTITIONS}, {"letter": True}])
def test_what_is_not_certain_is_not_judged(changed: dict[str, Any]) -> None:
    """A push that may have been decided before, a request that strayed, or one that was set aside."""
    assert pushed(None, **changed)[0] == 0
