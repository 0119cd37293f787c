"""A log in several folders or files, such as a training and a validation split: what stands in two of them counts once.

What is repeated within one part stays: the log says it twice, and so it is played.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TypeVar

import numpy as np

from ..arrays import BoolArray, IntArray
from .columns import Events
from .tally import Part

T = TypeVar("T")


def once(parts: Iterable[Iterable[T]], key: Callable[[T], Hashable], count: Part) -> Iterator[T]:
    """What stands in the parts, one after the other, without what an earlier part has; that is counted."""
    met = set[Hashable]()
    for items in parts:
        own = set[Hashable]()
        for item in items:
            own.add(name := key(item))
            if name in met:
                count.repeated += 1
            else:
                yield item
        met |= own


def repeated(events: Events, part: IntArray, within_ms: int) -> BoolArray:
    """(E,) True where an earlier part, (E,), has the same user, article and action within so many milliseconds."""
    again = np.zeros(len(part), np.bool_)
    if not len(part) or not part.max():
        return again
    order = np.lexsort((events.at_ms, events.action, events.article, events.user))
    at_ms, *names = (column[order] for column in (events.at_ms, events.action, events.article, events.user))
    begins = np.ones(len(order), np.bool_)
    begins[1:] = np.diff(at_ms) > within_ms
    for name in names:
        begins[1:] |= name[1:] != name[:-1]
    earliest = np.minimum.reduceat(part[order], np.flatnonzero(begins))
    again[order] = part[order] > earliest[np.cumsum(begins) - 1]
    return again
