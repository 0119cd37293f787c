"""Approvals, against what left: nothing to an audience that two persons had to approve and had not, in that version.

A push names its article's version as the newsroom counts, so it was of one of those with that number that were known by
then. Where one of them needed no approval or had two, nothing is certain. An approval counts from its append in the
partition of the push: no worker knew it before. Corrections are judged as pushes are.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ...engine.control import needs_two_persons
from .facts import Facts
from .findings import Example
from .pushes import Pushes

NEVER = 1 << 62
Version = tuple[str, int]  # article and digest


class _Sent(NamedTuple):
    """A push or a correction of an article."""

    article: int
    partition: int
    version: int
    created_ms: int
    example: Example


def check_approvals(facts: Facts, two_persons: str, skew_ms: int) -> None:
    """Report into the tally of `facts`; `two_persons` as the setting."""
    if two_persons == "off":
        return
    approved = [_approved_ms(facts, partition) for partition in range(facts.partitions)]
    addressed = facts.articles.addressed()
    for sent in _sent(facts.pushes, [*addressed]):
        since_ms = [
            approved[sent.partition].get((one.article_id, one.digest), NEVER)
            if needs_two_persons(one, two_persons)
            else 0
            for one in addressed[sent.article]
            if one.version == sent.version and one.known_at_ms <= sent.created_ms + skew_ms
        ]
        if since_ms:
            facts.tally.checked("unapproved")
            if min(since_ms) > sent.created_ms + skew_ms:
                facts.tally.violated("unapproved", sent.example)


def _approved_ms(facts: Facts, partition: int) -> dict[Version, int]:
    """When the approval of a second person was appended, by version."""
    found: dict[Version, int] = {}
    persons: dict[Version, set[str]] = {}
    for appended_ms, command in facts.commands.of_partition(partition):
        if command.action == "approve":
            version = command.article_id, command.digest
            persons.setdefault(version, set()).add(command.who.casefold())
            if len(persons[version]) > 1:
                found.setdefault(version, appended_ms)
    return found


def _sent(pushes: Pushes, articles: list[int]) -> Iterator[_Sent]:
    """What left of these articles, by key."""
    table, among = pushes.table, set(articles)
    for at in np.flatnonzero(np.isin(table["article"], articles) & table["judged"]).tolist():
        row = table[at]
        article, partition, version = int(row["article"]), int(row["partition"]), int(row["version"])
        yield _Sent(article, partition, version, int(row["created_ms"]), pushes.example(at))
    for each in pushes.by_command:
        if each.correction is not None and each.article in among:
            example = Example("push", each.partition, each.offset, pushes.users[each.user], "a correction")
            yield _Sent(each.article, each.partition, each.correction, each.created_ms, example)
