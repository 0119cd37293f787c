"""`bench path`: from an article's text to scores, for a teacher and for what is served in its place.

One call is an article that meets N readers, each of whom has read something since: its text is encoded once, N profiles
learn a read, the readers are retrieved, and N rows get features and a score. Both paths run the same code but for the
encoder, which for the teacher is in fp32, and the ranker, which for the teacher reads the last 30 articles of each
reader at every call. Left out: Kafka, the language, keywords and story of an article, and who may be pushed at all.

Rounds are interleaved in one process, one thread; each call meets other readers. The first round is not counted.
"""

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import torch

from ...arrays import DoubleArray, FloatArray, IndexArray
from ...clock import monotonic_s
from ...compression.whole_path import PARTS, Bytes, Faster, Route, WholePath
from ...content.encoder import Encoder
from ...content.encoders import encoder_of
from ...engine.features.features import features
from ...engine.features.fingerprint import fingerprint
from ...engine.learn import after_events
from ...engine.pairs import Pairs
from ...engine.retrieve import retrieve
from ...models.admission import admit
from ...models.artifact import load
from ...models.network import network_of, use_one_thread
from ...models.ranker import Ranker
from ...settings import Settings
from ...terminal.progress import Bars
from ...training import teacher_folder
from ...training.log_source import Played
from ...training.model import Batch
from ...training.teacher import Teacher
from .path_bytes import in_fp32, of_ranker, of_teacher
from .path_world import World, world_of

ROUNDS = {1: 1.0, 32: 1.0, 256: 0.5, 4096: 0.2}  # by candidates; shares of the rounds asked for
LEAST_ROUNDS = 3
BLOCK = 256  # rows of a teacher: larger blocks leave the cache, and are slower


class Scores(Protocol):
    """The ranker of a path, and what it keeps of a reader beside the profile."""

    def after_reads(self, rows: IndexArray, version: int) -> None:
        """Each of these readers, (n,) rows, has read a version of an article."""

    def score(self, pairs: Pairs, x: FloatArray) -> object:
        """Score the pairs' features (n, COLUMNS)."""


class ByTeacher:
    """The teacher in torch fp32, one reader a row, with the histories it reads."""

    def __init__(self, teacher: Teacher, world: World) -> None:
        self._teacher, self._vectors, self._histories = teacher, world.vectors, world.histories.copy()

    def after_reads(self, rows: IndexArray, version: int) -> None:
        self._histories[rows, :-1] = self._histories[rows, 1:]
        self._histories[rows, -1] = version

    @torch.inference_mode()
    def score(self, pairs: Pairs, x: FloatArray) -> object:
        histories, candidates = self._histories[pairs.users.indices()], pairs.article("vector")
        found = []
        for start in range(0, len(x), BLOCK):
            block = slice(start, start + BLOCK)
            seen = histories[block] >= 0
            read = self._vectors[np.maximum(histories[block], 0)] * seen[..., None]
            found.append(self._teacher(Batch(*map(torch.from_numpy, (x[block], candidates[block], read, seen)))))
        return found


class ByRanker:
    """A served ranker in the engine that was admitted; the profile is all it needs of a reader."""

    def __init__(self, ranker: Ranker) -> None:
        self._ranker = ranker

    def after_reads(self, rows: IndexArray, version: int) -> None:
        """Nothing: the profile has learned it."""

    def score(self, pairs: Pairs, x: FloatArray) -> object:
        return self._ranker.probability(x)


class Track(NamedTuple):
    """What differs between the two paths."""

    encoder: Encoder
    scores: Scores


Seconds = dict[int, list[DoubleArray]]  # by candidates; of each round (5,), in the order of PARTS


def measure(
    teacher: Path, model: Path, played: Played, settings: Settings, rounds: int, told: Callable[[str], object]
) -> WholePath:
    """Play the log, then time both paths; ArtifactError for folders that are no teacher and no served ranker."""
    use_one_thread()
    manifest, artifact = teacher_folder.read_manifest(teacher), load(model, expected_fingerprint=fingerprint())
    saved = teacher_folder.load(teacher, expected_space_id=manifest.space_id, expected_fingerprint=fingerprint())
    fp32 = encoder_of("sentence-fp32" if manifest.encoder == "sentence" else manifest.encoder)
    encoder, ranker = encoder_of(artifact.manifest.encoder), Ranker(artifact, admit(artifact, settings.engine))
    with Bars() as progress:
        log = played.open(settings, progress)
        settings = settings.changed(max_articles=max(settings.max_articles, log.summary.articles))
        world = world_of(log, settings, encoder)
    kept, engine = world.profiles, ranker.admission.engine.name
    tracks = Track(fp32, ByTeacher(saved.teacher, world)), Track(encoder, ByRanker(ranker))
    theirs, ours = _rounds(tracks, world, rounds, told)
    network = network_of(artifact.manifest.sizes, artifact.weights)
    return WholePath(
        log=played.log,
        articles=len(world.catalog),
        readers=len(kept),
        teacher=_route(manifest.version, fp32, "torch_fp32", of_teacher(fp32, teacher, saved.teacher, kept), theirs),
        served=_route(
            artifact.manifest.version, encoder, engine, of_ranker(encoder, model, network, kept, engine), ours
        ),
        faster={count: _faster(theirs[count], ours[count]) for count in ROUNDS},
        encoder_fp32_bytes=in_fp32(fp32),
    )


def _rounds(
    tracks: tuple[Track, Track], world: World, rounds: int, told: Callable[[str], object]
) -> tuple[Seconds, Seconds]:
    """Seconds of each part of each call, the tracks in turn."""
    found, call = (Seconds(), Seconds()), 0
    for count, share in ROUNDS.items():
        told(f"{count:,} candidates")
        for number in range(1 + max(LEAST_ROUNDS, round(share * rounds))):
            for track, seconds in zip(tracks, found, strict=True):
                took, call = _call(track, world, call, count), call + 1
                if number:  # the first warms up
                    seconds.setdefault(count, []).append(took)
    return found


def _call(track: Track, world: World, call: int, count: int) -> DoubleArray:
    """Seconds of each part, (5,), of one article that meets `count` readers."""
    users, slot, text = world.readers(call, count), world.slot(call), world.texts[call % len(world.texts)]
    reads, seen_ms, now_ms, policy = world.reads(call, users), [world.now_ms] * count, world.now_ms, world.policy
    at = [monotonic_s()]
    track.encoder.encode([text])
    at.append(monotonic_s())
    after_events(world.profiles, world.catalog, reads, seen_ms, policy)
    track.scores.after_reads(users.indices(), call % len(world.vectors))
    at.append(monotonic_s())
    pairs = retrieve(
        users,
        world.catalog,
        slot,
        now_ms,
        half_life_ms=policy.half_life_ms,
        floor=-np.inf,
        keep=policy.candidates_per_user,
    )
    at.append(monotonic_s())
    x = features(pairs, now_ms, policy.half_life_ms)
    at.append(monotonic_s())
    track.scores.score(pairs, x)
    at.append(monotonic_s())
    return np.diff(at)


def _route(version: str, encoder: Encoder, engine: str, sizes: dict[str, Bytes], seconds: Seconds) -> Route:
    articles = [took[0] for calls in seconds.values() for took in calls]
    return Route(
        version=version,
        encoder=encoder.space_id,
        engine=engine,
        bytes=sizes,
        us_article=float(1e6 * statistics.median(articles)),
        us={
            count: dict(zip(PARTS, (1e6 / count * np.median(calls, axis=0)).tolist(), strict=True))
            for count, calls in seconds.items()
        },
    )


def _faster(theirs: list[DoubleArray], ours: list[DoubleArray]) -> Faster:
    ratios = [float(their.sum() / our.sum()) for their, our in zip(theirs, ours, strict=True)]
    return Faster(statistics.median(ratios), min(ratios), max(ratios))
