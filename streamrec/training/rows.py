"""Training rows from a log: played through the same columns and the same feature function as in serving.

    rows_of(log, settings, encoder) -> Rows

At each impression the candidates' features and the user's history are taken as they stand at that moment, then the
clicks that follow are learned: nothing from the future can get in, because it has not happened yet. So a log cut at a
time T gives the same rows, to the bit, as the whole log does before T. No pushes are made while playing.

Shapes: N = candidates of all impressions, A = article versions met, H = histories met, 30 = HISTORY.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..arrays import BoolArray, FloatArray, IntArray
from ..content.encoder import Encoder
from ..contracts.article import ArticleEvent
from ..contracts.event import UserEvent
from ..contracts.limits import VECTOR_DIMS
from ..datasets.records import Impression, Step
from ..engine.features.features import features
from ..engine.predictor import COLUMNS
from ..errors import DataError
from ..settings import Settings
from .history import HISTORY
from .player import Player


class Rows(NamedTuple):
    """Candidates of all impressions, in order of time; the last two tables are shared by all rows."""

    x: FloatArray  # (N, COLUMNS)
    clicked: BoolArray  # (N,)
    impression: IntArray  # (N,)
    user: IntArray  # (N,) row of the user: the unit of the bootstrap
    at_ms: IntArray  # (N,)
    article: IntArray  # (N,) row of `vectors`
    history: IntArray  # (N,) row of `histories`
    language: IntArray  # (N,) of the article, see language_code
    vectors: FloatArray  # (A, 64), one a version
    histories: IntArray  # (H, 30) rows of `vectors`, newest last, -1 = empty, empty ones first

    @staticmethod
    def of_features(x: FloatArray, clicked: npt.ArrayLike, impression: npt.ArrayLike) -> "Rows":
        """Rows of which only the features are known: one zero vector, one empty history, each impression its user."""
        zeros = np.zeros(len(x), np.int64)
        groups = np.unique(np.asarray(impression), return_inverse=True)[1].astype(np.int64)
        return Rows(
            x=x,
            clicked=np.asarray(clicked, np.bool_),
            impression=groups,
            user=groups,
            at_ms=groups,
            article=zeros,
            history=zeros,
            language=zeros,
            vectors=np.zeros((1, VECTOR_DIMS), np.float32),
            histories=np.full((1, HISTORY), -1, np.int64),
        )

    def take(self, chosen: BoolArray | IntArray) -> "Rows":
        """These rows only, by mask or index; vectors and histories stay shared."""
        *columns, vectors, histories = self
        return Rows._make([*(column[chosen] for column in columns), vectors, histories])


def check_rows(rows: Rows, columns: int = COLUMNS) -> None:
    """Shapes agree, there is something, all numbers are finite: else DataError, before any training starts."""
    x, clicked, impression = rows.x, rows.clicked, rows.impression
    if x.ndim != 2 or x.shape[1] != columns or not len(x) == len(clicked) == len(impression):
        raise DataError(
            f"training rows have shape {x.shape} with {len(clicked)} clicks and {len(impression)} impression ids;"
            f" expected (N, {columns}), N and N"
        )
    if not len(x):
        raise DataError("there are no training rows; expected impressions with clicked and unclicked articles")
    if not np.isfinite(x).all():
        column = int((~np.isfinite(x)).any(axis=0).argmax())
        raise DataError(f"training rows hold NaN or infinity in feature column {column}; expected finite numbers")


def check_classes(clicked: BoolArray, part: str) -> None:
    """Both clicked and unclicked articles are in this part of the rows; else DataError."""
    if not clicked.any() or clicked.all():
        held = "no rows" if not len(clicked) else "only clicks" if clicked.all() else "no click"
        raise DataError(f"{part} hold {held}; expected both clicked and unclicked articles: give more impressions")


def language_code(language: bytes) -> int:
    """Two letters as one number: a code that depends on nothing else in the log."""
    return int.from_bytes(language, "big")


def language_name(code: int) -> str:
    """Two letters of a language's code as a row holds it; "" for 0."""
    return code.to_bytes(2, "big").strip(b"\0").decode()


def rows_of(
    log: Iterable[Step], settings: Settings, encoder: Encoder, progress: Callable[[int], object] = lambda _: None
) -> Rows:
    """Play a log and take the candidates of its impressions; DataError where it has none."""
    player, taken = Player(settings, encoder), list[tuple[npt.NDArray[np.generic], ...]]()
    for number, step in enumerate(log):
        match step.record:
            case ArticleEvent() as article:
                player.article(article, step.at_ms)
            case UserEvent() as event:
                player.event(event, step.at_ms)
            case Impression() as shown:
                columns = _candidates(player, shown, step.at_ms, number)
                if len(columns[0]):
                    taken.append(columns)
        if number % 1000 == 0:
            progress(number)
    if not taken:
        raise DataError(
            "the log has no impressions to learn from; expected articles shown and clicked: for a log of clicks alone,"
            " sample what was not clicked (training/negatives.py)"
        )
    columns = tuple(np.concatenate(column) for column in zip(*taken, strict=True))
    return Rows._make([*columns, player.vectors(), player.histories.table()])


def _candidates(player: Player, shown: Impression, at_ms: int, number: int) -> tuple[npt.NDArray[np.generic], ...]:
    """The columns of one impression, in the order of Rows, as things stand before it."""
    pairs, clicked, versions = player.candidates(shown, at_ms)
    count = len(pairs)
    languages = pairs.article("language").tolist()
    return (
        features(pairs, at_ms, player.policy.half_life_ms),
        clicked,
        np.full(count, number),
        pairs.users.indices(),
        np.full(count, at_ms),
        versions,
        np.full(count, player.history_of(shown.user_id)),
        np.array([language_code(language) for language in languages], np.int64),
    )
