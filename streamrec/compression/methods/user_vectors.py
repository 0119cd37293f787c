"""User vectors in fewer bytes: float16, or SQ8 (int8 and one float32 scale per user). The model is not touched; what it
sees is: products u * c and every feature made of the vector.

    fp16    128 bytes    |u - u'| <= 2**-11 |u|, or 2**-25 for the smallest
    sq8      68 bytes    scale = max |u| / 127,  |u - u'| <= scale / 2,  |u . c - u' . c| <= scale / 2 * sum |c|
    fp32    256 bytes

(bounds asserted in tests, exact arithmetic.) A worker keeps float16, whatever a recipe says, and scans an SQ8 mirror of
it; nothing here changes a published artifact. What is measured is a question about storage. Rows come from float16
profiles, decayed to the moment: `fp16` rounds them once more, as if the decayed vector had been written back, and costs
next to nothing; `sq8` asks what if the ranker, too, had nothing but the mirror, at half the bytes.

Rows hold products, not vectors. u is found again as product / c, from all candidates of an impression, for they met
one and the same u; where c is zero in all of them nothing depends on u.
"""

from typing import Annotated, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray
from torch import nn

from ...arrays import FloatArray, IntArray
from ...contracts.limits import VECTOR_DIMS
from ...engine.features.features import FEATURES
from ...training.rows import Rows
from .layers import copied
from .method import Method, Workbench

Form = Literal["fp32", "fp16", "sq8"]
BYTES_PER_USER: dict[Form, int] = {"fp32": 4 * VECTOR_DIMS, "fp16": 2 * VECTOR_DIMS, "sq8": VECTOR_DIMS + 4}
LEVELS = 127
EPSILON = 1e-6  # smaller components of an article say nothing about the user's
COLUMN = {function.__name__: VECTOR_DIMS + number for number, function in enumerate(FEATURES)}


class UserVectors(Method, frozen=True, tag="users"):
    """Measure quality as if user vectors were stored this way; workers keep float16."""

    form: Annotated[Form, msgspec.Meta(description="fp32, fp16 or sq8")]

    def apply(self, model: nn.Module, bench: Workbench) -> nn.Module:
        return copied(model)


def sq8(vectors: FloatArray) -> tuple[NDArray[np.int8], FloatArray]:
    """Vectors (U, D) float32 as integers (U, D) * scales (U,); each number is off by at most half its row's scale."""
    scales = (np.abs(vectors).max(axis=1) / LEVELS).astype(np.float32)
    safe = np.where(scales > 0, scales, 1)[:, None]
    return np.rint(vectors / safe).astype(np.int8), scales


def stored(vectors: FloatArray, form: Form) -> FloatArray:
    """(U, D) vectors as they come back from being stored."""
    if form == "fp16":
        return vectors.astype(np.float16).astype(np.float32)
    if form == "sq8":
        integers, scales = sq8(vectors)
        return np.asarray(integers * scales[:, None], np.float32)
    return vectors


def with_user_vectors(rows: Rows, form: Form) -> Rows:
    """The rows with all features as they would be if user vectors were stored like this."""
    if form == "fp32":
        return rows
    impression = np.unique(rows.impression, return_inverse=True)[1]  # (N,)
    article = rows.vectors[rows.article]  # (N, 64)
    before = _interests(rows.x[:, :VECTOR_DIMS], article, impression)
    after = stored(before, form)
    x = rows.x.copy()
    x[:, :VECTOR_DIMS] = after[impression] * article
    _follow(x, rows.x, _norm(before)[impression], _norm(after)[impression])
    return rows._replace(x=x)


def _interests(product: FloatArray, article: FloatArray, impression: IntArray) -> FloatArray:
    """(I, 64) user vectors, from the candidate with the largest component in each dimension."""
    count = int(impression.max(initial=-1)) + 1
    strength = np.abs(article)
    largest = np.zeros((count, VECTOR_DIMS), np.float32)
    np.maximum.at(largest, impression, strength)
    found = np.zeros_like(largest)
    row, dim = np.nonzero((strength == largest[impression]) & (strength > EPSILON))
    found[impression[row], dim] = product[row, dim] / article[row, dim]
    return found


def _follow(x: FloatArray, old: FloatArray, norm_before: FloatArray, norm_after: FloatArray) -> None:
    """Features of (N, COLUMNS) `x` that are made of the user vector; the formulas are those of
    engine/features/features.py.
    """
    dot = x[:, :VECTOR_DIMS].sum(axis=1)
    log_dot, log_before = (np.log1p(np.maximum(values, 0)) for values in (dot, old[:, COLUMN["affinity"]]))
    x[:, COLUMN["affinity"]] = dot
    x[:, COLUMN["log_affinity"]] = log_dot
    x[:, COLUMN["cosine"]] = dot / (norm_after + 1e-3)
    x[:, COLUMN["interest_length"]] = np.log1p(norm_after)
    x[:, COLUMN["focus"]] *= norm_after / np.maximum(norm_before, EPSILON)
    for name in ("fresh_affinity", "popular_affinity"):  # log affinity times something that does not change
        x[:, COLUMN[name]] *= np.where(log_before > 0, log_dot / np.maximum(log_before, EPSILON), 1)


def _norm(vectors: FloatArray) -> FloatArray:
    return np.asarray(np.sqrt(np.square(vectors).sum(axis=1)))
