"""Parts of the test window on which a compressed model may lose more than on the whole: rows -> masks of rows.

    new article    nobody had read the clicked article when it was shown
    new user       no impression of the user is in the training window
    language       of the clicked article, by its two letters

An impression belongs to an article's slice if any of its clicked articles does; it is judged with all its candidates.
Slices with fewer than LEAST impressions are left out: their intervals would fill the page.
"""

import numpy as np

from ...arrays import BoolArray
from ...contracts.limits import VECTOR_DIMS
from ...engine.features.features import FEATURES
from ...training.rows import Rows, language_name
from .splits import usable_impressions

LEAST = 50
UNREAD = VECTOR_DIMS + [function.__name__ for function in FEATURES].index("unread")


def slices(test: Rows, train: Rows) -> dict[str, BoolArray]:
    """(N,) masks of whole impressions, by the slice's name."""
    found = {
        "new article": _with_clicked(test, test.x[:, UNREAD] > 0),
        "read article": ~_with_clicked(test, test.x[:, UNREAD] > 0),
        "new user": ~np.isin(test.user, train.user),
        "known user": np.isin(test.user, train.user),
    }
    languages = np.unique(test.language)
    if len(languages) > 1:
        found |= {
            f"language {language_name(int(code))}": _with_clicked(test, test.language == code) for code in languages
        }
    return {name: mask for name, mask in found.items() if usable_impressions(test.take(mask)) >= LEAST}


def _with_clicked(rows: Rows, which: BoolArray) -> BoolArray:
    """(N,) True for all rows of an impression with a clicked row in `which`."""
    return np.isin(rows.impression, rows.impression[rows.clicked & which])
