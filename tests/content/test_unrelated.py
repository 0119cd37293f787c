"""Unrelated headlines have nothing in common, whatever their language: the word half of the hashed encoder.

Measured is the mean cosine over all pairs of a language's headlines. It is 0 where words meet by chance only; the mean
of its absolute values would be sqrt(2 / (32 pi)) = .14 even for perfect hashing. `-s` prints the figures.
"""

import numpy as np
import pytest
from unrelated import HEADLINES

from streamrec.arrays import FloatArray
from streamrec.content.encoder import HALF, HashedEncoder, Text

SEEDS = range(8)  # the mean over several is what hashing by chance adds nothing to
MOST = 0.10


def mean_cosine(rows: FloatArray) -> float:
    """Over all pairs of different rows."""
    unit = rows.astype(np.float64) / np.linalg.norm(rows, axis=1, keepdims=True)
    return float((unit @ unit.T)[np.triu_indices(len(unit), 1)].mean())


def test_enough_is_measured() -> None:
    """At least twenty languages with twelve headlines each, none twice."""
    assert len(HEADLINES) >= 20
    assert all(len(set(titles)) >= 12 for titles in HEADLINES.values())


@pytest.mark.parametrize("language", HEADLINES)
def test_unrelated_headlines_are_far_apart(language: str) -> None:
    """At most .10 in the space in use, of the words alone and of the whole vector without a given category."""
    texts = [Text(title) for title in HEADLINES[language]]
    rows = HashedEncoder().encode(texts)
    whole, alone = mean_cosine(rows), mean_cosine(rows[:, HALF:])
    expected = float(np.mean([mean_cosine(HashedEncoder(seed).encode(texts)[:, HALF:]) for seed in SEEDS]))
    print(f"{language}: mean cosine {whole:+.3f}, of the words {alone:+.3f}, over {len(SEEDS)} seeds {expected:+.3f}")  # noqa: T201
    assert max(whole, alone) <= MOST
    assert expected <= MOST / 2
