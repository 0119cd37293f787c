"""Encoders side by side: titles a second in interleaved rounds, what int8 changes in the vectors, and sizes in bytes.

The titles are the headlines the sentence space was fitted on: English, Danish and Chinese, one thread. A ratio is the
median over the rounds of one round's ratio, so a slow moment of the machine falls on all contestants alike.
"""

import statistics
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ...arrays import FloatArray
from ...clock import monotonic_s
from ...content import sentence_files
from ...content.encoder import Encoder, Text
from ...content.encoders import encoder_of
from ...content.sentence import SentenceEncoder
from ...content.sentence_model import SentenceModel
from ...content.sentence_space import headlines

NAMES = ("hashed", "sentence", "sentence-fp32")


class Compared(NamedTuple):
    """What `bench encoders` prints: speed, loss by int8, and sizes."""

    titles_per_s: dict[str, float]  # name -> median over rounds
    ratio_to_hashed: dict[str, float]
    int8_to_fp32_speed: float
    cosine: dict[str, float]  # of int8 to fp32: of 512 dims as they come, and of the vectors of 64
    size_bytes: dict[str, int]  # what each counts stands in its name


def compare(rounds: int, told: Callable[[int], object] = lambda _: None) -> Compared:
    """Measure all; needs the extra `sentence`."""
    texts = [Text(headline) for headline in headlines()]
    encoders = {name: encoder_of(name) for name in NAMES}
    vectors = {name: encoder.encode(texts) for name, encoder in encoders.items()}  # warms up, too
    seconds: dict[str, list[float]] = {name: [] for name in NAMES}
    for number in range(rounds):
        told(number)
        for name, encoder in encoders.items():
            seconds[name].append(_seconds(encoder, texts))
    int8, fp32 = (encoder.model for encoder in encoders.values() if isinstance(encoder, SentenceEncoder))
    return Compared(
        titles_per_s={name: len(texts) / statistics.median(took) for name, took in seconds.items()},
        ratio_to_hashed={name: _ratio(seconds["hashed"], seconds[name]) for name in NAMES[1:]},
        int8_to_fp32_speed=_ratio(seconds["sentence-fp32"], seconds["sentence"]),
        cosine=_cosine("512", *(_raw(model) for model in (int8, fp32)))
        | _cosine("64", vectors["sentence"], vectors["sentence-fp32"]),
        size_bytes={
            "package_file": len(sentence_files.read(sentence_files.WEIGHTS)),
            "table_and_network_fp32": 4 * int8.table_bytes + fp32.graph_bytes,
            "table_and_network_int8": int8.table_bytes + int8.graph_bytes,
            "table_uint8": int8.table_bytes,
            "network_fp32": fp32.graph_bytes,
            "network_int8": int8.graph_bytes,
        },
    )


def _seconds(encoder: Encoder, texts: list[Text]) -> float:
    started = monotonic_s()
    encoder.encode(texts)
    return monotonic_s() - started


def _ratio(base: list[float], of: list[float]) -> float:
    return statistics.median(one / other for one, other in zip(base, of, strict=True))


def _raw(model: SentenceModel) -> FloatArray:
    return np.array([model.encode(headline) for headline in headlines()])


def _cosine(dims: str, one: FloatArray, other: FloatArray) -> dict[str, float]:
    cosine = np.einsum("ij,ij->i", one, other)
    return {f"mean_{dims}": float(cosine.mean()), f"min_{dims}": float(cosine.min())}
