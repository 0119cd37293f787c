"""What a search found, as it stands in search.json: facts only, the page and the table are drawn from them.

Every size says what it counts:

    file_bytes       the file of weights, as it is shipped and loaded (compression/size.py)
    resident_bytes   weights as the engine holds them in memory, without its library
    user_bytes       state a worker keeps per user for it to score: histories for the teacher, an interest for a student
"""

from typing import Literal

import msgspec

from ...models.machine import Machine
from ...models.manifest import Interval
from ...training.ladder import Ranking
from ...training.threshold import Threshold
from ..verdict import Verdict
from .latency import Speed
from .sensitivity import Probe
from .trial import Fidelity, Request, Trial

Metrics = dict[str, Interval]  # auc, mrr, ndcg_5, ndcg_10


class Sizes(msgspec.Struct, frozen=True):
    """Bytes of a model's file, in memory, and of each user."""

    file_bytes: int
    resident_bytes: int
    user_bytes: int


class Layer(msgspec.Struct, frozen=True):
    """What compression did to one weight matrix."""

    name: str
    weights: int
    zeros: float  # share
    error: float | None  # ||W - W'|| / ||W||; None where the teacher has no such layer


class Bin(msgspec.Struct, frozen=True):
    """One step of a calibration curve: the mean prediction of its rows, and the share of them that were clicked."""

    predicted: float
    clicked: float
    rows: int


class Agreement(msgspec.Struct, frozen=True):
    """int8 beside fp32 of the same weights, on the test window."""

    engine: str
    max_difference: float  # of logits
    overlap: float  # share of the top 1 % by fp32 that is in int8's top 1 %


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One model in one engine, judged on the test window."""

    recipe: str  # "" = the teacher as it is
    recipe_json: str = ""
    engine: str
    sizes: Sizes
    size_ratio: float  # teacher's file / this file
    engines: dict[str, dict[int, Speed]] = {}  # the same of every engine that can run it
    engines_refused: dict[str, str] = {}  # the others, with the reason
    speed: dict[int, Speed]  # against the teacher scoring whole rows in torch fp32, by batch size
    quality: Metrics
    slices: dict[str, Metrics]
    servable: bool = False  # by a worker; what has the teacher's shape is there to compare with
    verdict: Verdict | None = None  # on AUC, together with all that was judged here; None for the teacher
    verdict_ndcg_10: Verdict | None = None
    upper_one_look: float | None = None  # the AUC bound if this were the only model that was ever judged
    validation: Verdict | None = None  # on AUC of the validation window
    fidelity: Fidelity | None = None
    agreement: list[Agreement] = []
    calibration: list[Bin] = []
    importance: dict[str, float] = {}
    layers: list[Layer] = []
    log: list[str] = []
    on_front: bool = False


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a search has found and has to say: the content of search.json."""

    format: Literal[1] = 1
    request: Request
    machine: Machine
    impressions: dict[str, int]  # usable, of each window
    spans_ms: dict[str, tuple[int, int]] = {}  # the first and the last impression of each window
    teacher: Point
    teacher_head: dict[int, Speed]  # the teacher with user vectors given, against itself scoring whole rows
    points: list[Point]
    best: int | None  # index of points; None: nothing met the budget. One that can be served, if one did
    references_only: bool = False  # no recipe was asked for that could be served
    closest: int | None  # the point nearest to the budget where nothing met it
    probes: list[Probe]
    trials: list[Trial]
    left_out: list[str]
    slice_impressions: dict[str, int] = {}
    ladder: list[Ranking] = []  # beside the best, or what is closest to it
    threshold: Threshold | None = None  # of the best, where a worker can serve it
    seconds: float = 0.0

    @property
    def met(self) -> bool:
        """Whether there is what was asked for: a model that meets the budget and, unless none was asked, can serve."""
        return self.best is not None and (self.points[self.best].servable or self.references_only)
