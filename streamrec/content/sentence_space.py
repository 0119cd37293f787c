"""From the sentence encoder's 512 dims to the 40 of a vector: minus a mean, on the principal axes of headlines.

    project(v) = (v - mean) @ axes                                     v (512,), axes (512, 40) orthonormal columns

Mean and axes are those of the vectors (fp32) of headlines.txt: 211 headlines in English, Danish and Chinese, written
for this purpose. They are shipped as sentence_space.safetensors (fp16 axes) and not computed at load, since the last
bits of an eigenvector differ between machines and the file is part of the space id. To write it again:
`python -m streamrec.content.sentence_space`; a test compares.
"""

import functools
import hashlib
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np
from safetensors.numpy import load as from_bytes
from safetensors.numpy import save_file

from ..arrays import FloatArray
from ..contracts.ids import CATEGORIES
from ..contracts.limits import VECTOR_DIMS

FILE, HEADLINES = "sentence_space.safetensors", "headlines.txt"
AXES = VECTOR_DIMS - len(CATEGORIES)  # 40


class Space(NamedTuple):
    """The projection from 512 dims to 40: a mean (512,) to subtract, and axes (512, 40), float32."""

    mean: FloatArray
    axes: FloatArray

    def project(self, vector: FloatArray) -> FloatArray:
        """Move a vector (512,) into the space: (40,) float32, not normalised."""
        return np.asarray((vector - self.mean) @ self.axes, np.float32)


def fit(vectors: FloatArray) -> Space:
    """Mean and principal axes of (N, 512) vectors; an axis' largest component is positive."""
    mean = vectors.mean(0)
    _, found = np.linalg.eigh(np.cov(vectors, rowvar=False).astype(np.float64))  # ascending
    axes = found[:, : -AXES - 1 : -1]
    signs = np.sign(axes[np.abs(axes).argmax(0), np.arange(AXES)])
    return Space(mean, (axes * signs).astype(np.float32))


def headlines() -> list[str]:
    """The shipped headlines, to which the mean and the axes of the space are fitted."""
    return files(__package__).joinpath(HEADLINES).read_text(encoding="utf-8").splitlines()


@functools.cache
def load() -> Space:
    """The space shipped with this release."""
    arrays = from_bytes(_bytes())
    return Space(arrays["mean"], arrays["axes"].astype(np.float32))


def digest() -> str:
    """SHA-256 of the shipped file of the space, in hex."""
    return hashlib.sha256(_bytes()).hexdigest()


def _bytes() -> bytes:
    return files(__package__).joinpath(FILE).read_bytes()


def _write() -> None:
    from .sentence_model import SentenceModel  # noqa: PLC0415 - of the extra; only whoever fits the space needs it

    model = SentenceModel("fp32")
    space = fit(np.array([model.encode(headline) for headline in headlines()]))
    save_file({"mean": space.mean, "axes": space.axes.astype(np.float16)}, Path(__file__).with_name(FILE))


if __name__ == "__main__":
    _write()
