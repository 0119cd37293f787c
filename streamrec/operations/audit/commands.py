"""What was commanded, against what left: nothing after a stop, a hold or a retraction, and nothing taken back in vain.

A command counts from the first cursor of its partition that is past it, by when that transaction was put together, to
the append of the next command on its target, or to its own end. A push is judged by when it was decided, and by
the category it names, which is that of the version that was decided on.
"""

from collections.abc import Sequence

import numpy as np

from ...contracts.control import Command
from ...contracts.decode import Origin, Typed, decode_control
from ...contracts.ids import key_of
from ...contracts.records import Record
from ...engine.control import ControlState, Statement, Target
from .changelog import Changelog
from .findings import Example, Tally
from .pushes import Pushes

JUDGED = {"everything": "after_stop", "category": "after_stop", "article": "after_hold", "retract": "after_retraction"}
FOR_EVER = 1 << 62


class Commands:
    """The commands of each partition, in order."""

    def __init__(self, partitions: int) -> None:
        self._given: list[list[tuple[int, int, Command]]] = [[] for _ in range(partitions)]  # offset, appended_ms

    def take(self, partition: int, records: Sequence[Record]) -> None:
        """Records of one partition of `control`, in order; what is no command was set aside."""
        for item in decode_control(records, Origin("control", partition)):
            if isinstance(item, Typed):
                self._given[partition].append((item.offset, item.appended_ms, item.value))

    def of_partition(self, partition: int) -> list[tuple[int, Command]]:
        """When each command of a partition was appended, and what it says."""
        return [(appended_ms, command) for _, appended_ms, command in self._given[partition]]

    def check(self, pushes: Pushes, changelog: Changelog, tally: Tally, skew_ms: int) -> None:
        """Report each push that left against a command, and each record that took back what nobody got, or twice."""
        for partition, given in enumerate(self._given):
            rows = np.flatnonzero((pushes.table["partition"] == partition) & pushes.table["judged"])
            if len(rows) and given:
                for target, said in _by_target(given).items():
                    _judge(target, said, rows, pushes, changelog, tally, skew_ms, partition)
        _taken_back(pushes, tally)


def _by_target(given: Sequence[tuple[int, int, Command]]) -> dict[Target, list[tuple[int, int, Statement]]]:
    state, found = ControlState(), dict[Target, list[tuple[int, int, Statement]]]()
    for offset, appended_ms, command in given:
        applied = state.apply(command)
        if applied.target.kind in JUDGED:
            found.setdefault(applied.target, []).append((offset, appended_ms, applied.said))
    return found


def _judge(
    target: Target, said: Sequence[tuple[int, int, Statement]], rows: "np.ndarray[tuple[int], np.dtype[np.intp]]",
    pushes: Pushes, changelog: Changelog, tally: Tally, skew_ms: int, partition: int,
) -> None:  # fmt: skip
    rule, table = JUDGED[target.kind], pushes.table
    column = "category" if target.kind == "category" else "article"
    about = rows if target.kind == "everything" else rows[table[column][rows] == key_of(target.name)]
    created_ms = table["created_ms"][about]
    tally.checked(rule, len(about))
    for at, (offset, _, statement) in enumerate(said):
        begins_ms = changelog.applied_by_ms(partition, offset, "control")
        if not statement.on or begins_ms is None:
            continue
        next_ms = said[at + 1][1] if at + 1 < len(said) else FOR_EVER
        ends_ms = min(next_ms, statement.until_ms or FOR_EVER)
        wrong = about[(created_ms > begins_ms + skew_ms) & (created_ms < ends_ms - skew_ms)]
        for push in wrong.tolist():
            tally.violated(rule, pushes.example(push, f"control @ {offset}"))


def _taken_back(pushes: Pushes, tally: Tally) -> None:
    """Where `push` is whole, whoever is sent a retraction or correction was pushed the article before; each id once."""
    pairs = set(zip(pushes.table["user"].tolist(), pushes.table["article"].tolist(), strict=True))
    seen: set[str] = set()
    for sent in pushes.by_command:
        tally.checked("taken_back")
        example = Example("push", sent.partition, sent.offset, pushes.users[sent.user])
        if sent.push_id in seen:
            tally.violated("taken_back", example._replace(note="a second time"))
        elif pushes.is_whole(sent.partition) and (sent.user, sent.article) not in pairs:
            tally.violated("taken_back", example._replace(note="the article was never pushed"))
        seen.add(sent.push_id)
