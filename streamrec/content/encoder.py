"""Article text to a vector: the interface, and the built-in encoder that needs no weights and no download.

    encode(texts) -> (N, 64) float32, rows of unit length, or zero where a text has neither words nor category

The hashed encoder leads with the category, because at 64 dimensions the words of two headlines seldom say more:

    dims  0..31   CATEGORY_WEIGHT * code(category)  +  TOPIC_WEIGHT * unit(sum of code(topic) over category words)
    dims 32..63   WORD_WEIGHT * unit(sum of weight(feature) * signs(feature))

Well-known categories have mutually orthogonal codes (rows of a Hadamard matrix), so two categories share nothing, in
any language. `signs` are 32 bits of BLAKE2b(feature, key=seed): signed feature hashing without buckets, then a random
sign projection (Achlioptas 2003), in one step. Features: words, their first five letters (inflections, compounds),
pairs of neighbouring Han characters, katakana words, four neighbouring letters of Thai and its like; hiragana is
grammar and left out, as stop words are. Short words weigh less and names more, in place of a document-frequency table.
Two headlines without a common word have a word part of 0 +- 0.18 (1/sqrt(32)); that the mean is 0 in 23 languages,
unrelated headlines having nothing in common but grammar, is measured in tests/content/test_unrelated.py.

Sums are integers and the norm is rounded once (math.fsum), so a vector has the same bits on every machine. Where words
end is said by Unicode's rules, and no dictionary; the version of their data is pinned with icu4py. All that defines the
space is hashed into `space_id`; the seed and with it the projection are part of it.
"""

import functools
import hashlib
import json
import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from ..arrays import DoubleArray, FloatArray, IntArray
from ..contracts.ids import CATEGORIES
from ..contracts.limits import VECTOR_DIMS
from .category import CATEGORY_WORDS, canonical, topics
from .stop_words import BY_LANGUAGE, stop_words_of
from .words import entities, is_han, is_hiragana, is_south_east_asian, pieces

VERSION = 2  # rises when the code below gives another vector for the same text
HALF = VECTOR_DIMS // 2
CATEGORY_WEIGHT, TOPIC_WEIGHT, WORD_WEIGHT = 1.0, 0.5, 0.7
TITLE_COUNTS, ABSTRACT_COUNTS = 3, 1
ABSTRACT_CHARS = 300
LENGTH_WEIGHTS = (0, 3, 5, 7, 8)  # words of 1..4 characters; longer ones 10
LONG_WORD, STEM, HAN_PAIR, LETTERS, NAME = 10, 5, 6, 4, 15
STEM_CHARS = 5
LETTERS_CHARS = 4


class Text(NamedTuple):
    """The fields of an article that an encoder may read."""

    title: str
    abstract: str = ""
    category: str = ""


class Encoder(Protocol):
    """Texts to vectors of one space. Vectors of two spaces never meet: `space_id` travels with each."""

    @property
    def space_id(self) -> str: ...
    def encode(self, texts: Sequence[Text]) -> FloatArray: ...


class HashedEncoder:
    """The built-in encoder by hashed words, which needs no weights and no download."""

    def __init__(self, seed: int = 0) -> None:
        self._key = seed.to_bytes(8, "little", signed=True)
        self._codes = dict(zip(CATEGORIES, _hadamard(HALF)[1:], strict=False))
        self._bits = functools.lru_cache(maxsize=100_000)(self._hash)
        self.space_id = f"hashed{VECTOR_DIMS}-{_fingerprint(seed)}"

    def encode(self, texts: Sequence[Text]) -> FloatArray:
        """Vectors by hashed words, (N, 64) float32: unit rows, or zeros for a text without words."""
        vectors = np.zeros((len(texts), VECTOR_DIMS), np.float32)
        for row, text in zip(vectors, texts, strict=True):
            title, abstract = pieces(text.title), pieces(text.abstract[:ABSTRACT_CHARS])
            left = self._category_half(text.category, title, abstract)
            right = WORD_WEIGHT * _unit(self._word_sum(title, abstract, entities(text.title)))
            row[:] = _unit(np.concatenate((left, right)))
        return vectors

    def _category_half(self, category: str, title: list[str], abstract: list[str]) -> DoubleArray:
        half = np.zeros(HALF)
        if name := canonical(category):
            code = self._codes[name] if name in self._codes else self._signs([f"category {name}"])[0]
            half += CATEGORY_WEIGHT * _unit(code)
        spoken = np.zeros(HALF, np.int64)
        for found, count in ((title, TITLE_COUNTS), (abstract, ABSTRACT_COUNTS)):
            for topic in topics(found):
                spoken += count * self._codes[topic]
        return half + TOPIC_WEIGHT * _unit(spoken)

    def _word_sum(self, title: list[str], abstract: list[str], names: frozenset[str]) -> IntArray:
        weights: Counter[str] = Counter()
        stop_words = stop_words_of([*title, *abstract])
        for found, count in ((title, TITLE_COUNTS), (abstract, ABSTRACT_COUNTS)):
            for feature, weight in _features(found, names, stop_words):
                weights[feature] += count * weight
        if not weights:
            return np.zeros(HALF, np.int64)
        total: IntArray = np.fromiter(weights.values(), np.int64, len(weights)) @ self._signs(list(weights))
        return total

    def _signs(self, features: list[str]) -> IntArray:  # (F, 32) of -1 and 1
        bits = np.frombuffer(b"".join(map(self._bits, features)), np.uint8)
        return 2 * np.unpackbits(bits).reshape(-1, HALF).astype(np.int64) - 1

    def _hash(self, feature: str) -> bytes:
        text = feature.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, digest_size=HALF // 8, key=self._key).digest()


def _features(found: list[str], names: frozenset[str], stop_words: frozenset[str]) -> list[tuple[str, int]]:
    features: list[tuple[str, int]] = []
    for piece in found:
        if is_han(piece):
            features.extend((each, HAN_PAIR) for each in _neighbours(piece, 2))
        elif is_south_east_asian(piece):
            features.extend((each, LETTERS) for each in _neighbours(piece, LETTERS_CHARS))
        elif piece not in stop_words and not is_hiragana(piece):
            chars = len(piece)
            length_weight = LENGTH_WEIGHTS[chars] if chars < len(LENGTH_WEIGHTS) else LONG_WORD
            features.append((piece, NAME if piece in names else length_weight))
            if chars >= STEM_CHARS:
                features.append((f"{piece[:STEM_CHARS]}*", STEM))
    return features


def _neighbours(run: str, chars: int) -> list[str]:
    return [run[at : at + chars] for at in range(max(1, len(run) - chars + 1))]


def _unit(vector: IntArray | DoubleArray) -> DoubleArray:
    """Unit length, or zero; correctly rounded, hence the same everywhere."""
    norm = math.sqrt(math.fsum((vector * vector).tolist()))
    unit: DoubleArray = vector / norm if norm else vector.astype(np.float64)
    return unit


def _hadamard(size: int) -> IntArray:
    """Sylvester's construction: `size` (a power of two) orthogonal rows of -1 and 1."""
    rows = np.ones((1, 1), np.int64)
    while len(rows) < size:
        rows = np.block([[rows, rows], [rows, -rows]])
    return rows


def _fingerprint(seed: int) -> str:
    parts = [
        VERSION, seed, VECTOR_DIMS, CATEGORY_WEIGHT, TOPIC_WEIGHT, WORD_WEIGHT, TITLE_COUNTS, ABSTRACT_COUNTS,
        ABSTRACT_CHARS, LENGTH_WEIGHTS, LONG_WORD, STEM, HAN_PAIR, LETTERS, NAME, STEM_CHARS, LETTERS_CHARS,
        [[name, sorted(words)] for name, words in CATEGORY_WORDS.items()], CATEGORIES,
        [[language, sorted(words)] for language, words in BY_LANGUAGE.items()],
    ]  # fmt: skip
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=6).hexdigest()
