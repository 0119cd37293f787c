"""State of a partition that somebody else owns, changed by what its owner has committed: the other half of `restore`.

    after_changelog(partition, rows, meta)   rows as they are now, None for none, and how far the owner was then
    after_catalog(partition, articles)       articles the owner has taken in by then

Nothing is decided or learned here: rows come as they are. What is never logged is computed from them, as at a recovery.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from ..arrays import UIntArray
from ..contracts.article import AnalysedArticle
from ..contracts.decode import Item, Typed
from ..engine.catalog import Catalog
from ..engine.profiles import history
from ..engine.profiles.statements import PREFIX
from .changelog_meta import BESIDE_ROWS, Meta, same_space
from .partition import Partition


def after_changelog(partition: Partition, rows: Mapping[bytes, bytes | None], meta: Meta) -> None:
    """Take over these rows by key, each of this release's layout or None where its reader was forgotten.

    And what readers have said, by its key; None only where its reader was forgotten, too.
    """
    beside = {key: record for key, record in rows.items() if key >= BESIDE_ROWS}
    rows = {key: row for key, row in rows.items() if key not in beside}
    said = {key: record for key, record in beside.items() if key.startswith(PREFIX)}
    partition.erasures.restore((key, record) for key, record in beside.items() if key not in said)
    profiles, catalog = partition.profiles, partition.catalog
    before = history.reads_of(profiles, _rows_of(partition, rows))
    strangers = [key[1:] for key, record in said.items() if record is None]  # forgotten, and perhaps back since
    gone = np.unique(_rows_of(partition, [*(key for key, row in rows.items() if row is None), *strangers]))
    if len(gone):
        profiles.forget(gone)
        profiles.encode(gone)  # its tombstones are in the log: the rows are free now
    kept = {key: row for key, row in rows.items() if row is not None}
    profiles.restore([*kept.items(), *said.items()])
    _count(catalog, before, history.reads_of(profiles, _rows_of(partition, kept)))
    partition.cursor, partition.looked_ms = dict(meta.cursor), meta.looked_ms
    partition.reported = meta.audiences


def after_catalog(partition: Partition, articles: Sequence[Item[AnalysedArticle]]) -> None:
    """Take over articles in their order. SettingsError for one of another space."""
    for item in articles:
        if isinstance(item, Typed):
            same_space("an article in the catalog is", item.value.space_id, partition.context.space_id)
            partition.catalog.apply(item.value, max(partition.looked_ms, item.value.known_at_ms))
    partition.steering.mark_known(item.value.article_id for item in articles if isinstance(item, Typed))


def _count(catalog: Catalog, before: UIntArray, after: UIntArray) -> None:
    """Count what readers recently read: most of it they had read before, and only what differs is looked up."""
    keys, at = np.unique(np.concatenate([before, after]), return_inverse=True)
    more = np.bincount(at[len(before) :], minlength=len(keys)) - np.bincount(at[: len(before)], minlength=len(keys))
    for step in (-1, 1):
        times = np.maximum(more * step, 0)
        catalog.after_reads(np.repeat(keys, times), step)


def _rows_of(
    partition: Partition, keys: Mapping[bytes, object] | Sequence[bytes]
) -> "np.ndarray[tuple[int], np.dtype[np.intp]]":
    found = (partition.profiles.row(key.decode()) for key in keys)
    return np.array([row for row in found if row is not None], np.intp)
