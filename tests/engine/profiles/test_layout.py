"""What lies in changelogs: the row's layout by version, and the meaning of its numbers."""

import zlib

import orjson

from streamrec.contracts.event import CODE
from streamrec.engine.learn import _ACT
from streamrec.engine.profiles import layout
from streamrec.engine.profiles.layout import LAYOUT_VERSION, descr

DESCRIBED = {
    2: 0xB9DF0A1,
    3: 0x7D5B5FB1,
}  # CRC-32 of each version's `descr()`; a new version is a new line, none ever changes


def test_a_layout_has_a_version_of_its_own() -> None:
    """A field, a size or an order that changes is another version: rows of the old one lie in changelogs."""
    assert zlib.crc32(orjson.dumps(descr())) == DESCRIBED[LAYOUT_VERSION]


def test_numbers_in_rows_keep_their_meaning() -> None:
    """Those of consent, of acts and of what is not set are never given to something else."""
    assert (layout.CONSENT_UNKNOWN, layout.CONSENT_IN, layout.CONSENT_OUT) == (0, 1, 2)
    assert (layout.NO_OVERRIDE, layout.NO_CAP) == (0xFFFF, 255)
    acts = {action: int(_ACT[code]) for action, code in CODE.items() if _ACT[code]}
    first = {"click": 1, "open": 1, "dwell": 4, "dismiss": 8, "dislike": 16, "share": 32, "save": 64}
    assert acts.items() >= first.items()
    assert layout.PUSHED == 2
