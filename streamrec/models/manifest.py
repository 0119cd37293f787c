"""What a model artifact says of itself: `manifest.json`, read and written strictly.

`version` is the first 12 hex digits of a SHA-256 over everything else in the manifest but `created_at` and `engine`,
which are of the moment and the machine; the SHA-256 of the other files are part of that. So the same training gives the
same version, and an edited manifest gives itself away.
"""

import hashlib
import math
import re
from typing import Any, Self, TypeVar

import msgspec

from ..contracts.framing import UNDECODABLE
from ..errors import ArtifactError
from .calibration import Calibration

FORMAT = 2
COPY_AGAIN = "copy the folder again from where it was trained"
RETRAIN = "train the model again with this release, or point STREAMREC_MODEL_DIR at another folder"


class Interval(msgspec.Struct, frozen=True):
    """A measured value with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


class ChosenEngine(msgspec.Struct, frozen=True):
    """The engine that was the best where a model was made; what serves is decided where it is loaded (admission.py)."""

    name: str
    ratio: float  # times as fast as torch fp32 with the same weights, 256 rows a call
    processor: str

    def says(self, recipe: str) -> str:
        """In one cell of a table."""
        return f"{runs_in(self.name, recipe)}, {self.ratio:.2f} x torch_fp32"


def runs_in(engine: str, recipe: str) -> str:
    """An engine, and where it multiplies in fp32 what the recipe, as text or JSON, keeps in int8, that too."""
    both = re.search(r"\b(int8|qat)\b", recipe) is not None and not engine.endswith("int8")
    return f"{engine} (int8 on disk, fp32 at run time)" if both else engine


class Sealed(msgspec.Struct, frozen=True, omit_defaults=True):
    """What any trained folder says of itself. A field with a default is newer than its format, and not written."""

    version: str  # a hash of everything else but created_at, and what is `apart`
    created_at: str  # ISO 8601, for people

    def content_version(self) -> str:
        """The version that follows from the content: 12 hex digits of its SHA-256."""
        content = msgspec.structs.replace(self, version="", created_at="", **self.apart())
        return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()[:12]

    def apart(self) -> dict[str, Any]:
        """Fields of which the version says nothing, as they are before anything is known of them."""
        return {}

    def sealed(self) -> Self:
        """This manifest with the version that follows from its content."""
        return msgspec.structs.replace(self, version=self.content_version())


S = TypeVar("S", bound=Sealed)


class Manifest(Sealed, frozen=True, omit_defaults=True):
    """The contract of one artifact folder."""

    format: int
    name: str
    space_id: str  # the vector space the features were computed in
    encoder: str  # the name of what made the article vectors
    feature_fingerprint: str
    sizes: tuple[int, ...]  # of the network's stages, input first
    recipe: str  # how it was compressed, as JSON; empty if it was not
    calibration: Calibration
    min_score: float  # suggested threshold on P(click)
    metrics: dict[str, Interval]
    int8_tolerance: float  # largest |P int8 - P fp32| on the probe rows; parity.py's limit holds, too
    files: dict[str, str]  # SHA-256 by file name
    log: str = ""  # what it was trained on; empty: not recorded
    test_from_ms: int | None = None  # nothing from here on was learned from; None: not recorded
    half_life_h: float | None = None  # STREAMREC_INTEREST_HALF_LIFE_H of the profiles it saw; None: not recorded
    file_bytes: dict[str, int] = {}  # size by file name, known before one is fetched; empty: not recorded
    engine: ChosenEngine | None = None  # None: not recorded

    def apart(self) -> dict[str, Any]:
        """A speed is of a machine and a moment: the same training gives the same version wherever it runs."""
        return {"engine": None}


def encode(manifest: Sealed) -> bytes:
    """The bytes of manifest.json: indented, because people read it, with sorted keys."""
    return msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=2) + b"\n"


def decode(raw: bytes, path: str) -> Manifest:
    """The manifest in `raw`; ArtifactError naming `path` if it is broken, of another format, edited or impossible."""
    manifest = unsealed(Manifest, raw, path, FORMAT, RETRAIN)
    _check_numbers(manifest, path)
    return manifest


def unsealed(kind: type[S], raw: bytes, path: str, form: str | int, retrain: str) -> S:
    """A manifest of this kind and format; ArtifactError naming `path` if it is broken, of another format or edited."""
    try:
        found = msgspec.json.decode(raw, type=dict[str, msgspec.Raw]).get("format", msgspec.Raw(b"null"))
        if bytes(found) != msgspec.json.encode(form):
            raise ArtifactError(f"{path}: format is {bytes(found).decode()[:20]}, expected {form!r}; {retrain}")
        manifest = msgspec.json.decode(raw, type=kind)
    except UNDECODABLE as error:
        raise ArtifactError(f"{path}: not a manifest ({error}); {COPY_AGAIN}, or {retrain}") from None
    if manifest.version != manifest.content_version():
        raise ArtifactError(
            f"{path}: version is {manifest.version[:12]!r}, but its content gives {manifest.content_version()!r};"
            f" it was edited after it was saved: {COPY_AGAIN}"
        )
    return manifest


def check_half_life(recorded_h: float | None, path: str, serving_h: float) -> None:
    """ArtifactError for a model that has learned from profiles that forget faster, or slower, than those it is for."""
    if recorded_h not in (None, serving_h):
        raise ArtifactError(
            f"{path}: half_life_h is {recorded_h:g}, expected {serving_h:g}: what was learned from profiles of one"
            f" half-life is wrong about those of another; set STREAMREC_INTEREST_HALF_LIFE_H={recorded_h:g}, or train"
            " the model again"
        )


def _check_numbers(manifest: Manifest, path: str) -> None:
    calibration = manifest.calibration
    if not calibration.is_usable():
        raise ArtifactError(
            f"{path}: calibration is a={calibration.a:g}, b={calibration.b:g}, expected a > 0; {RETRAIN}"
        )
    if not 0 <= manifest.int8_tolerance <= 1 or math.isnan(manifest.int8_tolerance):
        raise ArtifactError(f"{path}: int8_tolerance is {manifest.int8_tolerance:g}, expected 0 to 1; {RETRAIN}")
    if not 0 <= manifest.min_score <= 1:
        raise ArtifactError(f"{path}: min_score is {manifest.min_score:g}, expected 0 to 1; {RETRAIN}")
    if len(manifest.sizes) < 2 or min(manifest.sizes) < 1 or manifest.sizes[-1] != 1:
        raise ArtifactError(f"{path}: sizes are {list(manifest.sizes)}, expected inputs, hidden stages, 1; {RETRAIN}")
