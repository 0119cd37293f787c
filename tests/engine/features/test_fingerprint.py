"""The fingerprint follows what a model sees: each change of that in the source changes it, and no other change does."""

import shutil
from pathlib import Path

import pytest

from streamrec.contracts.event import KINDS
from streamrec.engine.features.fingerprint import PACKAGE, fingerprint, fingerprint_of

NO_CHANGE = [
    ("engine/features/features.py", "Dot product of interest and article vector: decayed reads,", "Other words,"),
    ("engine/features/features.py", "    return of.dot\n", "    return of.dot  # a comment\n"),
    ("engine/features/features.py", "def affinity(of: Inputs) -> FloatArray:", "def affinity(of: 'Inputs') -> object:"),
    ("engine/profiles/interest.py", "def decay(", "def unused() -> None: ...\n\n\ndef decay("),
    ("engine/profiles/interest.py", "half_life_ms: float) -> FloatArray:\n", "half_life_ms: float) -> FloatArray:\n\n"),
    ("engine/catalog.py", '"""Count articles, (N,) keys', '"""Counts articles, (N,) keys'),
    ("decide.py", "relevance >= policy.min_score", "relevance > policy.min_score"),
]
CHANGES = [
    ("a feature", "engine/features/features.py", "    return of.dot\n", "    return of.dot + 1\n"),
    ("a constant of one", "engine/features/features.py", "DAY_S = 86_400", "DAY_S = 43_200"),
    (
        "what it calls",
        "engine/features/features.py",
        "np.asarray(values, np.float32)",
        "np.asarray(values, np.float16)",
    ),
    ("the products", "engine/features/inputs.py", "self.interest * self", "self.interest + self"),
    ("where products stand", "engine/features/features.py", "x[:, :VECTOR_DIMS] = inputs.product", "pass"),
    ("the law of decay", "engine/profiles/interest.py", "np.exp2(-elapsed_ms / half_life_ms)", "np.exp(-elapsed_ms)"),
    ("what a read adds", "engine/profiles/interest.py", "+ gain[:, None] * vectors", "+ gain[:, None] * vectors * 2"),
    ("what is gathered", "engine/pairs.py", "self.catalog[field][self.slots]", "self.catalog[field][self.slots[::-1]]"),
    ("category slots", "contracts/ids.py", "CATEGORY_SLOTS = 30", "CATEGORY_SLOTS = 40"),
    ("shared slots", "content/category_slots.py", "else SHARED_CATEGORY)", "else 0)"),
    ("source slots", "contracts/ids.py", "SOURCE_SLOTS = 16", "SOURCE_SLOTS = 15"),
    ("dimensions", "contracts/limits.py", "VECTOR_DIMS = 64", "VECTOR_DIMS = 32"),
    ("what is credited", "engine/learn.py", "liked = (events.worth > 0)", "liked = (events.worth > 1)"),
    ("a threshold of an action", "engine/learn.py", "MIN_DWELL_S = 10.0", "MIN_DWELL_S = 20.0"),
    ("who counts as a reader", "engine/catalog.py", "step * times[known]", "times[known]"),
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package's source, to be changed."""
    return Path(shutil.copytree(PACKAGE, tmp_path / "streamrec", ignore=shutil.ignore_patterns("*.pyc", "*.txt")))


def changed(package: Path, module: str, old: str, new: str) -> str:
    """The fingerprint after a change of the source."""
    source = (package / module).read_text()
    assert old in source, f"{module} no longer says {old!r}: plant this change elsewhere"
    (package / module).write_text(source.replace(old, new))
    return fingerprint_of(package)


@pytest.mark.parametrize(("what", "module", "old", "new"), CHANGES, ids=[what for what, *_ in CHANGES])
def test_another_meaning_is_another_fingerprint(copy: Path, what: str, module: str, old: str, new: str) -> None:
    """Whatever defines a row of features, however many modules away."""
    assert changed(copy, module, old, new) != fingerprint(), what


@pytest.mark.parametrize(("module", "old", "new"), NO_CHANGE)
def test_the_same_meaning_is_the_same_fingerprint(copy: Path, module: str, old: str, new: str) -> None:
    """Words, annotations and code that no feature depends on refuse no model."""
    assert changed(copy, module, old, new) == fingerprint()


def test_the_order_of_features_counts(copy: Path) -> None:
    """It is that of the columns."""
    module = copy / "engine/features/features.py"
    head, *features = module.read_text().split("@feature(")
    features[3], features[4] = features[4], features[3]
    module.write_text("@feature(".join([head, *features]))
    assert fingerprint_of(copy) != fingerprint()


def test_what_a_folder_itself_defines_counts(copy: Path) -> None:
    """A name may come from the `__init__` of a package, and is followed there."""
    module, package = copy / "engine/features/features.py", copy / "engine/features/__init__.py"
    source = module.read_text()
    module.write_text(source.replace("from .inputs", "from . import LEAST\nfrom .inputs").replace("1e-3", "LEAST"))
    package.write_text("LEAST = 1e-3\n")
    before = fingerprint_of(copy)
    package.write_text("LEAST = 1e-2\n")
    assert fingerprint_of(copy) != before


@pytest.mark.slow
@pytest.mark.parametrize("action", sorted(KINDS))
def test_what_actions_teach_counts(monkeypatch: pytest.MonkeyPatch, action: str) -> None:
    """Their worths, readings and refusals make the profile."""
    before, kind = fingerprint_of(PACKAGE), KINDS[action]
    for other in (kind._replace(worth=kind.worth + 1), kind._replace(reading=not kind.reading)):
        monkeypatch.setitem(KINDS, action, other)
        assert fingerprint_of(PACKAGE) != before


def test_an_action_that_teaches_nothing_refuses_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does its place in the list, or what else it means."""
    before = fingerprint_of(PACKAGE)
    monkeypatch.setitem(KINDS, "wave", KINDS["impression"]._replace(ordinal=200))
    assert fingerprint_of(PACKAGE) == before


def test_it_is_short_and_does_not_depend_on_where_the_package_lies(copy: Path) -> None:
    """12 hex digits."""
    assert fingerprint_of(copy) == fingerprint()
    assert len(fingerprint()) == 12
