"""What a module of this folder says of its input: `READING`."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ...contracts.decode import Item, Origin, Typed
from ...contracts.records import Record

if TYPE_CHECKING:
    from ..changes import Changes
    from ..partition import Partition

Decode = Callable[[Sequence[Record], Origin, int | None], Sequence[Item[Any]]]


class Reading(NamedTuple):
    """How one input is decoded and applied.

    decode(records, origin, reference_ms)        -> items, one a record; `reference_ms`: of a replay's event time
    apply(partition, typed, now_ms, changes)     -> steps that may be committed before the batch is done; the rest,
                                                    and what is counted, is put into `changes`
    shortest(value)                              -> bytes of what must reach its reader's partition, where the record
                                                    is too long to be sent on; None: it is set aside
    value                                        -> the type of what is decoded, of inputs of readers: strays are told
                                                    apart by it
    """

    decode: Decode
    apply: "Callable[[Partition, list[Typed[Any]], int, Changes], Iterator[Changes]]"
    shortest: Callable[[Any], bytes | None] = lambda _: None
    value: type = object
