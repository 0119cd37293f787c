"""Simulated readers whose interests are known, and the true probability that one clicks an article.

    p = 0.5 ** (age / HALF_LIFE_H) * sigmoid(BASE + INTEREST * interest + topic + language + appeal + noise)

interest is in [0, 1]: two or three strong categories each, the rest weak; topic is a taste within a category; language
is a penalty for articles in a language the reader does not read well; noise is a fixed surprise per pair. With these
constants a random fresh article is clicked in 3-5 % of cases, a fresh one that fits well in 25-60 %
(tests/datasets/simulated/test_readers.py). Times are arguments; the same seed gives the same readers.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from ...arrays import DoubleArray, IndexArray
from .newsroom import HOUR_MS, SimArticle
from .vocabulary import vocabulary

BASE = -3.9
INTEREST = 4.0
TOPIC_SCALE = 0.5
FOREIGN = -3.0
NOISE_SCALE = 0.25
HALF_LIFE_H = 16.0
ZONES = ("Europe/Copenhagen", "Europe/Zurich", "America/New_York", "Asia/Shanghai", "Africa/Lagos", "America/Lima")
ZONE_SHARES = (0.15, 0.2, 0.2, 0.3, 0.1, 0.05)
READS_SHARES = (0.52, 0.3, 0.06, 0.12)  # English, Chinese, Danish and English, English and Chinese
READS = ((1, 0, 0), (0, 1, 0), (1, 0, 1), (1, 1, 0))  # by LANGUAGES


class Readers:
    """`n` readers `u0000`, `u0001`, ...; a reader is a number from 0 to n - 1 below."""

    def __init__(self, n: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        words = vocabulary()
        digits = max(4, len(str(n - 1)))
        self.ids = [f"u{number:0{digits}d}" for number in range(n)]
        self.interest = _interests(rng, n, len(words.categories))  # (N, C)
        self.taste = rng.normal(0.0, TOPIC_SCALE, (n, len(words.topics)))  # (N, T)
        self.reads = np.array(READS, np.bool_)[rng.choice(len(READS), n, p=READS_SHARES)]  # (N, L)
        self.zone = rng.choice(len(ZONES), n, p=ZONE_SHARES)  # (N,) index into ZONES
        self.activity = np.minimum(rng.pareto(1.5, n) + 0.2, 40.0)  # (N,) visits relative to others, heavy-tailed
        self._category = np.array(words.category_of(), np.intp)  # (T,)
        self._noise_seed = int(rng.integers(2**31))
        self.number_of = {name: number for number, name in enumerate(self.ids)}

    def __len__(self) -> int:
        return len(self.ids)

    def p_click(self, users: IndexArray, articles: Sequence[SimArticle], now_ms: int) -> DoubleArray:
        """(N, M) true click probability of each user for each article, withdrawn or not, if shown at now_ms."""
        users = users[:, None]
        topic = np.array([article.topic for article in articles], np.intp)  # (M,), as those below
        language = np.array([article.language for article in articles], np.intp)
        number = np.array([article.number for article in articles], np.intp)
        published_ms = np.array([article.event.published_at_ms for article in articles], np.int64)
        log_odds = (
            BASE
            + INTEREST * self.interest[users, self._category[topic]]
            + self.taste[users, topic]
            + np.where(self.reads[users, language], 0.0, FOREIGN)
            + np.array([article.appeal for article in articles], np.float64)
            + NOISE_SCALE * _surprise(users, number, self._noise_seed)
        )
        age_h = np.maximum(now_ms - published_ms, 0) / HOUR_MS
        return np.asarray(0.5 ** (age_h / HALF_LIFE_H) / (1.0 + np.exp(-log_odds)), np.float64)

    def visit_weights(self, now_ms: int) -> DoubleArray:
        """(N,) chance of each reader to be the next visitor: activity times how awake their zone is. Sums to 1."""
        now = datetime.fromtimestamp(now_ms / 1000, UTC)
        hours = np.array([(local := now.astimezone(ZoneInfo(zone))).hour + local.minute / 60 for zone in ZONES])
        awake = 0.55 - 0.45 * np.cos(2 * np.pi * (hours - 3.0) / 24.0)  # least at 3 h, most at 15 h local time
        weights = self.activity * awake[self.zone]
        return np.asarray(weights / weights.sum(), np.float64)


def _interests(rng: np.random.Generator, n: int, categories: int) -> DoubleArray:
    """(N, C) in [0, 1]: a heavy-tailed floor, and two or three strong categories each, some liked by more people."""
    interest = np.minimum(rng.gamma(0.4, 0.15, (n, categories)), 0.6)
    popularity = 1.0 / np.arange(1.0, categories + 1.0) ** 0.4
    keys = rng.random((n, categories)) ** (1.0 / rng.permutation(popularity))  # weighted draw without replacement
    ranks = np.argsort(np.argsort(-keys, axis=1), axis=1)
    strong = ranks < rng.integers(2, 4, (n, 1))
    return np.where(strong, rng.uniform(0.7, 1.0, (n, categories)), interest)


def _surprise(users: IndexArray, numbers: IndexArray, seed: int) -> DoubleArray:
    """Logistic noise that depends on reader and article only (splitmix64; Steele et al., OOPSLA 2014)."""
    mixed = users.astype(np.uint64) << np.uint64(32) | numbers.astype(np.uint64)
    mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    uniform = ((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) / 2.0**53
    uniform = np.clip(uniform, 1e-9, 1 - 1e-9)
    return np.asarray(np.log(uniform / (1.0 - uniform)), np.float64)
