"""Nothing to an audience that two persons had to approve and had not, in that version."""

from typing import Any

import msgspec
import pytest
from making import article
from operations.audit.audited import HOUR, T0, push

from streamrec.contracts.article import AnalysedArticle
from streamrec.contracts.audience import Audience
from streamrec.contracts.control import Command
from streamrec.contracts.push import Push
from streamrec.contracts.records import RawRecord
from streamrec.operations.audit.approvals import check_approvals
from streamrec.operations.audit.facts import Facts

EVERYBODY = Audience(everybody=True)
FIRST = article("a1", audience=EVERYBODY)
SECOND = article("a1", audience=EVERYBODY, version=2, title="Another", known_at_ms=T0 + HOUR, first_known_at_ms=T0)
UNNUMBERED = [
    article("a1", audience=EVERYBODY, version=0),
    article("a1", audience=EVERYBODY, version=0, title="Another", known_at_ms=T0 + HOUR, first_known_at_ms=T0),
]


def approved(version: AnalysedArticle, *persons: str, at_ms: int = T0) -> list[Command]:
    """By these persons, one after the other."""
    return [Command("approve", who, "why", at_ms, article_id="a1", digest=version.digest) for who in persons]


def judged(
    versions: list[AnalysedArticle], commands: list[Command], *sent: Push, two_persons: str = "everybody"
) -> tuple[int, int]:
    """How many of these were judged, and found wrong."""
    catalog = [RawRecord(n, each.known_at_ms, b"a1", msgspec.json.encode(each)) for n, each in enumerate(versions)]
    control = [RawRecord(n, each.at_ms, None, msgspec.json.encode(each)) for n, each in enumerate(commands)]
    pushed = [RawRecord(n, one.created_at_ms, b"ann", msgspec.json.encode(one)) for n, one in enumerate(sent)]
    facts = Facts.of(1, {0: pushed}, {0: []}, {0: []}, {}, catalog=catalog, control={0: control})
    check_approvals(facts, two_persons, 0)
    (found,) = [each for each in facts.tally.findings() if each.rule == "unapproved"]
    return found.checked, found.violations


def sent(at_ms: int = T0 + 9, version: int = 1, **more: Any) -> Push:
    """Of a1, to ann."""
    return push("ann", "a1", at_ms, article_version=version, **more)


@pytest.mark.parametrize(
    ("commands", "wrong"),
    [
        ([], 1),
        (approved(FIRST, "ann"), 1),
        (approved(FIRST, "ann", "Ann"), 1),
        (approved(FIRST, "ann", "ben"), 0),
        (approved(SECOND, "ann", "ben"), 1),
        (approved(FIRST, "ann", "ben", at_ms=T0 + HOUR), 1),  # when it had left
    ],
)
def test_a_push_without_two_approvals_is_found(commands: list[Command], wrong: int) -> None:
    """Of two persons, of that version, and before."""
    assert judged([FIRST], commands, sent()) == (1, wrong)


@pytest.mark.parametrize("kind", ["push", "correct"])
def test_a_later_version_needs_its_own(kind: str) -> None:
    """It goes to nobody, and corrects nothing, on the word for the one before; a retraction needs none."""
    later, before = sent(T0 + 2 * HOUR, 2, kind=kind, push_id="later"), approved(FIRST, "ann", "ben")
    assert judged([FIRST, SECOND], before, sent(), later) == (2, 1)
    both = before + approved(SECOND, "ann", "ben", at_ms=T0 + HOUR)
    assert judged([FIRST, SECOND], both, sent(), later) == (2, 0)
    assert judged([FIRST], [], sent(kind="retract")) == (0, 0)


def test_which_of_two_versions_was_meant_may_be_uncertain() -> None:
    """Without numbers it may be either: then one that was approved is enough."""
    for one in UNNUMBERED:
        assert judged(UNNUMBERED, approved(one, "ann", "ben"), sent(T0 + 2 * HOUR, 0)) == (1, 0)
    assert judged(UNNUMBERED, approved(UNNUMBERED[1], "ann", "ben"), sent(T0 + 1, 0)) == (1, 1)  # it was not there yet
    assert judged(UNNUMBERED[1:], [], sent(T0 + 2 * HOUR, 0)) == (0, 0)  # the first was compacted away


@pytest.mark.parametrize(
    ("two_persons", "audience", "expected"),
    [
        ("off", EVERYBODY, (0, 0)),
        ("everybody", Audience(share=0.5), (1, 1)),
        ("everybody", Audience(languages=("en",)), (1, 0)),
        ("audience", Audience(languages=("en",)), (1, 1)),
        ("audience", None, (0, 0)),
    ],
)
def test_only_what_the_setting_asks_for_is_judged(
    two_persons: str, audience: Audience | None, expected: tuple[int, int]
) -> None:
    """An article for whom it suits needs nobody."""
    assert judged([article("a1", audience=audience)], [], sent(), two_persons=two_persons) == expected
