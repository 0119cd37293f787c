"""Who would get an article that is not out: counted by asking `decide` about every reader, with nothing written.

    draft = await follower.draft({"title": "..."})
    preview(partitions, draft, at_ms)              now, or at another time
    preview(partitions, draft, at_ms, min_score=.15)  were the threshold another

The partitions stay as they are: the draft stands in a catalog of its own. What is named are readers as of the
follower's state; who clicks meanwhile, or is pushed something else, is another reader by then.
"""

from collections import Counter
from collections.abc import Sequence

import msgspec
import numpy as np

from ..arrays import FloatArray, IndexArray
from ..contracts.article import AnalysedArticle
from ..engine.policy.config import NEVER
from ..engine.policy.suppression_reasons import SUPPRESSION_REASONS
from ..models.serving import lineup_of
from ..partition.partition import Partition
from .clicks import Clicks, expected_clicks
from .displaced import Displaced, displaced
from .groups import Groups, added, grouped
from .stepwise import Steps, stepwise
from .verdicts import Verdicts, verdicts
from .world import policy_of

SAMPLE = 10  # readers that are named
HOURS = (1, 2, 4, 8, 12, 24)


class Named(msgspec.Struct, frozen=True):
    """One reader who would get it."""

    user_id: str
    relevance: float


class Preview(msgspec.Struct, frozen=True):
    """What would become of a draft that is published at `at_ms`."""

    article_id: str
    title: str
    category: str
    language: str
    story_id: str
    tags: tuple[str, ...]
    at_ms: int
    readers: int
    pushes: int  # readers who would get it at once
    reasons: dict[str, int]  # the others, by the first reason that said no
    later: dict[str, int]  # of those behind a gate that opens: how many are open within so many hours
    clicks: Clicks
    groups: Groups  # by language, zone, local hour and segment
    displaced: Displaced  # pushes that its readers lose by it
    sample: list[Named]  # the likeliest to click
    min_score: float


class Compared(msgspec.Struct, frozen=True):
    """Two previews, and the readers in whom they differ."""

    first: Preview
    second: Preview
    both: int
    only_first: int
    only_second: int


Asked = tuple[AnalysedArticle, int, float | None]  # a draft, when it is published, and the threshold if another


@stepwise
def preview(
    partitions: Sequence[Partition], draft: AnalysedArticle, at_ms: int, min_score: float | None = None
) -> Steps[Preview]:
    """All readers of these partitions meet the draft, each as their partition's owner would decide it."""
    found = _Found((draft, at_ms, min_score))
    for partition in partitions:
        found.add(partition)
        yield
    return found.preview()


@stepwise
def recipients(partitions: Sequence[Partition], draft: AnalysedArticle, at_ms: int) -> Steps[list[Named]]:
    """All who would get it, by partition and row."""
    found, named = _Found((draft, at_ms, None)), list[Named]()
    for partition in partitions:
        rows, scores = found.add(partition)
        named += [
            Named(partition.profiles.users[row], round(float(score), 4))
            for row, score in zip(rows.tolist(), scores.tolist(), strict=True)
        ]
        yield
    return named


@stepwise
def compare(partitions: Sequence[Partition], first: Asked, second: Asked) -> Steps[Compared]:
    """Two drafts, times or thresholds (None: as the settings say), side by side: both meet a partition in one state."""
    one, other, both = _Found(first), _Found(second), 0
    for partition in partitions:
        both += len(np.intersect1d(one.add(partition)[0], other.add(partition)[0], True))
        yield
    previews = one.preview(), other.preview()
    return Compared(*previews, both, *(each.pushes - both for each in previews))


class _Found:
    """What was found of one draft in the partitions so far."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._counts, self._later, self._groups = Counter[str](), Counter[int](), list[Groups]()
        self._scores, self._names, self._lost = list[FloatArray](), list[Named](), Displaced(0, 0, {})
        self._min_scores = list[float]()  # by partition

    def add(self, partition: Partition) -> tuple[IndexArray, FloatArray]:
        """The readers of a partition meet the draft; the rows of those who would get it, and their scores."""
        draft, at_ms, min_score = self._asked
        profiles, policy = partition.profiles, policy_of(partition)
        policy = policy if min_score is None else policy._replace(min_score=min_score)
        self._min_scores.append(policy.min_score)
        catalog = partition.catalog.alone(draft, at_ms)
        found = verdicts(profiles, catalog, 0, at_ms, lineup_of(partition.context.ranker), policy)
        self._counts.update(found.counts())
        self._later.update(_opening(found, at_ms))
        self._groups.append(grouped(profiles, found, at_ms, policy))
        rows = found.rows()
        scores = found.scores[rows]
        self._scores.append(scores)
        self._names += _likeliest(partition, rows, found)
        self._lost = self._lost.plus(displaced(partition, draft, rows, scores, at_ms, policy))
        return rows, scores

    def preview(self) -> Preview:
        """All partitions together."""
        draft, at_ms, _ = self._asked
        counts = self._counts
        names = sorted(self._names, key=lambda named: (-named.relevance, named.user_id))
        reasons: dict[str, int] = {reason: counts[reason] for reason in SUPPRESSION_REASONS if counts[reason]}
        return Preview(
            draft.article_id, draft.title, draft.category, draft.language, draft.story_id, draft.tags, at_ms,
            counts.total(), counts["push"], reasons, {f"{hours} h": self._later[hours] for hours in HOURS},
            expected_clicks(np.concatenate(self._scores)), added(self._groups), self._lost, names[:SAMPLE],
            self._min_scores[0],
        )  # fmt: skip


def _opening(found: Verdicts, at_ms: int) -> Counter[int]:
    """Readers behind a gate that is open within so many hours."""
    opens_s = found.opens_s[(found.opens_s > 0) & (found.opens_s != NEVER)].astype(np.int64)
    within = np.searchsorted(np.sort(opens_s), [at_ms // 1000 + hours * 3600 for hours in HOURS], side="right")
    return Counter(dict(zip(HOURS, within.tolist(), strict=True)))


def _likeliest(partition: Partition, rows: IndexArray, found: Verdicts) -> list[Named]:
    scores = found.scores[rows]
    best = np.argpartition(-scores, SAMPLE - 1)[:SAMPLE] if len(rows) > SAMPLE else np.arange(len(rows))
    return [Named(partition.profiles.users[rows[at]], round(float(scores[at]), 4)) for at in best.tolist()]
