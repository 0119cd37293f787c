"""`bench preview`: how long it takes to ask of a draft who would get it.

The readers are simulated ones after a day of clicks and pushes, each of them many times under other names: rows as a
real partition has them, and as many of them as are asked for. Nothing is read from a broker, and nothing is written.
A follower applies nothing during a step of a question (follower/stepwise.py): the longest one is what it has to wait.
"""

import statistics
from pathlib import Path
from time import process_time
from typing import NamedTuple

import numpy as np

from ...clock import monotonic_s
from ...content.encoders import encoder_of
from ...contracts.article import AnalysedArticle
from ...contracts.push import ModelStamp
from ...datasets.simulated.log import SimulatedLog
from ...engine.predictor import Predictor, finite_rows
from ...engine.profiles.store import ProfileStore
from ...follower.drafts import Drafts
from ...follower.preview import Preview, preview
from ...follower.stepwise import step
from ...models.calibration import Calibration
from ...models.engines import available, engine_of
from ...models.engines.contract import Engine, EngineName
from ...models.load import ranker_of
from ...models.network import SIZES
from ...partition.partition import Partition
from ...settings import Settings, load
from ..replay.in_process import Direct
from ..replay.producer_records import groups
from .engines import drawn

PLAYED = 2_000  # readers who are simulated; each stands for as many as it takes
HOURS = 12.0
ENGINE: EngineName = "onednn_int8"


class Drawn:
    """A network of the shipped sizes with drawn weights, calibrated: it costs what a trained one costs."""

    stamp = ModelStamp("drawn", "000000000000", "int8")

    def __init__(self) -> None:
        subject = drawn(SIZES)
        name: EngineName = ENGINE if available()[ENGINE] == "ok" else "torch_int8"
        self._engine: Engine = engine_of(name, subject.network)
        self._calibration: Calibration = subject.calibration

    def probability(
        self, features: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]"
    ) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
        """P(click) of each row."""
        return self._calibration.probability(self._engine.logits(finite_rows(features)))


class Measured(NamedTuple):
    """Seconds of each round, and what the preview said."""

    seconds: list[float]
    held_s: list[float]  # the longest step of each
    cpu_s: list[float]  # the same rounds' processor time: others' load does not count
    scored: int  # pairs that reached the ranker
    told: Preview


def population(users: int, ranker: Predictor, partitions: int) -> tuple[list[Partition], int]:
    """So many readers in as many partitions, and the time when their log ends."""
    log = SimulatedLog(seed=1, n_users=min(users, PLAYED), hours=HOURS)
    settings = load({}, policy_time="event", due_scan_s=60.0, partitions=partitions, max_articles=20_000)
    direct, end_ms = Direct(settings, ranker, encoder_of("hashed")), 0
    for group in groups(log, span_ms=600_000):
        direct.apply(group)
        end_ms = group.watermark_ms
    for partition in direct.partitions:
        multiply(partition.profiles, users // partitions)
    return list(direct.partitions), end_ms


def multiply(profiles: ProfileStore, users: int) -> None:
    """Let each reader stand for several, until there are so many; each has an id and a salt of its own."""
    rows = [(key, row) for key, row in profiles.rows().items()]
    copies = range(1, -(-users // max(len(rows), 1)))
    wanted = users - len(rows)
    named = ((b"%s.%d" % (key, copy), row) for copy in copies for key, row in rows)
    profiles.restore([found for found, _ in zip(named, range(wanted), strict=False)])


def draft(settings: Settings, at_ms: int) -> AnalysedArticle:
    """What an editor would ask about."""
    said = {"title": "Football club wins the cup after extra time", "category": "sport", "language": "en"}
    return Drafts(settings, encoder_of(settings.encoder)).analyse(said, at_ms)


def measure(users: int, rounds: int, model: Path | None, partitions: int) -> Measured:
    """One preview after the other; the first, in which pages are touched for the first time, is not counted."""
    settings = load({}, partitions=1, model_dir=model)
    ranker: Predictor = ranker_of(settings, encoder_of("hashed").space_id) if model else Drawn()
    found, at_ms = population(users, ranker, partitions)
    for partition in found:
        partition.context = partition.context._replace(ranker=ranker)
    asked, seconds, held_s, cpu_s = draft(settings, at_ms), list[float](), list[float](), list[float]()
    for _ in range(rounds + 1):
        used_s, steps, ends_s = process_time(), preview.steps(found, asked, at_ms), [monotonic_s()]
        while (end := step(steps)) is None:
            ends_s.append(monotonic_s())
        ends_s.append(monotonic_s())
        seconds.append(ends_s[-1] - ends_s[0])
        held_s.append(float(np.diff(ends_s).max()))
        cpu_s.append(process_time() - used_s)
    assert end is not None
    told = end.answer
    scored = told.pushes + told.reasons.get("low_score", 0)
    return Measured(seconds[1:], held_s[1:], cpu_s[1:], scored, told)


def summary(found: Measured) -> dict[str, object]:
    """For the last line."""
    return {
        "readers": found.told.readers,
        "pushes": found.told.pushes,
        "scored": found.scored,
        "seconds_median": round(statistics.median(found.seconds), 3),
        "cpu_s_median": round(statistics.median(found.cpu_s), 3),
        "seconds_worst": round(max(found.seconds), 3),
        "held_s_median": round(statistics.median(found.held_s), 3),
        "rounds": len(found.seconds),
    }
