"""Profiles after preferences: what a reader has said they want, in the columns that gates and rules read.

    after_preferences(profiles, catalog, patches, seen_ms) -> rows changed

Who refuses profiling loses at once all that was learned, and nothing is learned of them (unprofiled.py). A refusal that
comes after a later yes changes nothing.

Consent is the row's, whoever says it: of an event and a preference the later holds, and at one time the no. A stated
zone holds over that of the device, a stated cap or quiet hours over the settings. Any order of patches gives the same,
and a batch gives the same bytes however it is split.
"""

from collections.abc import Sequence

import numpy as np

from ..arrays import IndexArray
from ..contracts.preferences import Patch
from .catalog import Catalog
from .profiles.history import forget_learned
from .profiles.layout import CONSENT_IN, CONSENT_OUT
from .profiles.statements import merged
from .profiles.store import ProfileStore


def after_preferences(
    profiles: ProfileStore, catalog: Catalog, patches: Sequence[Patch], seen_ms: Sequence[int]
) -> IndexArray:
    """Take in patches in their order; readers not seen before get a row, and who refuses it loses their profile."""
    rows: list[int] = []
    for patch, at_ms in zip(patches, seen_ms, strict=True):
        (row,) = profiles.rows_of([patch.user_id], [at_ms // 1000]).tolist()
        if "consent" in patch.said:
            _consent(profiles, row, patch)
        if patch.resets or patch.said.keys() - {"consent"}:
            said = {name: value for name, value in patch.said.items() if name != "consent"}
            profiles.say(row, merged(profiles.said(row), patch._replace(said=said)))
            if profiles.said(row).value("profiling") is False:
                catalog.after_reads(forget_learned(profiles, np.array([row], np.intp)), -1)
        rows.append(row)
    return np.unique(np.array(rows, np.intp))


def _consent(profiles: ProfileStore, row: int, patch: Patch) -> None:
    """Null takes back nothing here: who said no stays out until they say yes."""
    columns, says = profiles.columns, patch.said["consent"]
    if says is None:
        return
    before_ms = int(columns["consent_at_ms"][row])
    if patch.at_ms > before_ms or (patch.at_ms == before_ms and not says):
        columns["consent"][row] = CONSENT_IN if says else CONSENT_OUT
        columns["consent_at_ms"][row] = patch.at_ms
