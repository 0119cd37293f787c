"""No push of an article to a reader outside its share of the audience, where that is certain."""

from typing import Any

import msgspec
import pytest
from making import article
from operations.audit.audited import HOUR, T0, Cluster, push

from streamrec.contracts.audience import Audience, Ramp
from streamrec.contracts.records import RawRecord
from streamrec.tools.chaos.second_opinion import lot

LOT = lot("ann", "a1")


def judged(audience: Audience | None, at_ms: int = T0, again: bool = False, **changed: Any) -> tuple[int, int]:
    """How many pushes to ann of an article with this audience were judged, and found wrong."""
    cluster = Cluster()
    cluster.pushes(push("ann", "a1", at_ms))
    versions = [article("a1", audience=audience, **changed)]
    versions += [msgspec.structs.replace(versions[0], version=2, first_known_at_ms=T0, known_at_ms=T0 + 1)] * again
    cluster.catalog = [RawRecord(at, T0, b"a1", msgspec.json.encode(each)) for at, each in enumerate(versions)]
    (found,) = [each for each in cluster.findings() if each.rule == "outside_audience"]
    return found.checked, found.violations


@pytest.mark.parametrize(
    ("audience", "expected"),
    [
        (Audience(share=LOT + 1e-6), (1, 0)),
        (Audience(share=LOT - 1e-6), (1, 1)),
        (Audience(everybody=True), (1, 0)),
        (Audience(languages=()), (1, 1)),
        (None, (0, 0)),
    ],
)
def test_a_push_outside_the_share_is_found(audience: Audience | None, expected: tuple[int, int]) -> None:
    """Each reader draws once: whoever is outside was outside then, too. Where nobody can be, any push is wrong."""
    assert judged(audience) == expected


def test_the_step_of_a_ramp_is_that_of_the_push() -> None:
    """Before it is over only its share is in."""
    audience = Audience(everybody=True, ramp=Ramp(LOT / 2, 60))
    assert judged(audience, T0 + HOUR - 1, widens_at_ms=T0 + HOUR) == (1, 1)
    assert judged(audience, T0 + HOUR, widens_at_ms=T0 + HOUR) == (1, 0)


def test_another_version_may_have_had_another_audience() -> None:
    """Nothing is said about it."""
    assert judged(Audience(share=0.0), again=True) == (0, 0)
