"""Rows on disk: a log is played once, whichever commands learn from it and are judged on it.

    played_once(log, settings, encoder, folder, progress) -> Rows

A file is named by all that decides its rows: every step of the log, what the player reads of the settings, the vector
space, and the code that plays. So it is never out of date, and wherever the steps come from, they are played once. The
KEPT files used last stay. A file that cannot be read or written costs a replay, and nothing else.
"""

import hashlib
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from ..content.encoder import Encoder
from ..datasets.records import Log
from ..engine.policy.config import Policy
from ..settings import Settings
from .code import code_hash
from .rows import Rows, rows_of

KEPT = 8
PLAYING = (
    "contracts/**/*.py",
    "engine/**/*.py",
    "content/**/*.py",
    *(f"training/{name}.py" for name in ("rows", "player", "history")),
)


def default_cache() -> Path:
    """In the user's cache folder."""
    return Path.home() / ".cache" / "streamrec" / "rows"


def played_once(
    log: Log, settings: Settings, encoder: Encoder, folder: Path, progress: Callable[[int], object] = lambda _: None
) -> Rows:
    """The log's rows, from the folder or played now and kept there; DataError where the log teaches nothing."""
    path = folder / f"{_name(log, settings, encoder)}.npz"
    found = _read(path)
    if found is None:
        found = rows_of(log, settings, encoder, progress)
        _keep(path, found)
    return found


def _name(log: Log, settings: Settings, encoder: Encoder) -> str:
    digest = hashlib.sha256(f"{encoder.space_id} {code_hash(PLAYING)} {np.__version__}".encode())
    digest.update(repr(_settings_read(settings)).encode())
    encode = msgspec.json.Encoder().encode
    for at_ms, record in log:
        digest.update(encode((at_ms, type(record).__name__, record)))
    return digest.hexdigest()[:24]


def _settings_read(settings: Settings) -> tuple[object, ...]:
    """What `Player` takes of them; no push is made while playing, so a threshold decides nothing."""
    policy = Policy.of(settings)._replace(min_score=0.0, breaking_bypasses=frozenset())
    names = settings.category_map.read_bytes() if settings.category_map else b""
    return policy, settings.max_articles, settings.vector_days, settings.eligible_h, names


def _read(path: Path) -> Rows | None:
    try:
        with np.load(path) as file:
            rows = Rows(**{name: file[name] for name in Rows._fields})
        path.touch()
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
        return None
    return rows


def _keep(path: Path, rows: Rows) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            np.savez(file, **rows._asdict())
        Path(file.name).replace(path)
        for old in sorted(path.parent.glob("*.npz"), key=lambda kept: -kept.stat().st_mtime)[KEPT:]:
            old.unlink(missing_ok=True)
    except OSError:
        return
