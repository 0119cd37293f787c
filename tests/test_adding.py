"""The table of CONTRIBUTING.md: each thing, added to a copy of the package in as many files as stand there, works."""

import filecmp
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from streamrec.contracts.event import CODE
from streamrec.engine.features.fingerprint import PACKAGE, fingerprint

TESTS = Path(__file__).parent
TABLE = (TESTS.parent / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")


class Patch(NamedTuple):
    """Text put after an anchor in a file; without an anchor it is the whole of a new one."""

    file: str
    text: str
    after: str = ""


class Addition(NamedTuple):
    """A row of the table, how it is done, and what must then be true: tests/adding/<script>.py."""

    row: str
    script: str
    patches: tuple[Patch, ...]
    argument: str = ""


RULE = '''"""What a reader would have to pay for is not pushed."""

from ....arrays import BoolArray
from ..config import Policy
from ..types import Pairs


def paywalled(pairs: Pairs, now_ms: int, policy: Policy) -> BoolArray:
    """True for articles behind the wall."""
    flags: BoolArray = pairs.article("paywalled") > 0
    return flags
'''
FEATURE = '''

@feature("freshness")
def withheld(of: Inputs) -> FloatArray:
    """The article is under embargo."""
    return _f32(of.pairs.article("embargo_ms") > of.now_ms)
'''
COLUMN = "Annotated[int, msgspec.Meta(ge=0, le=1), Column('u1')]"
LAST_FEATURE = "log1p(1000 * of.reach))\n"
ADDITIONS = [
    Addition(
        "a rule on a new field of the article",
        "rule",
        (
            Patch(
                "contracts/article.py",
                f"    paywalled: {COLUMN} = 0\n",
                after='ordinary news"), Column("u1")] = 0\n',
            ),
            Patch("engine/policy/suppression_reasons.py", '    "paywalled",\n', after='    "embargo",\n'),
            Patch("engine/policy/rules/paywalled.py", RULE),
        ),
    ),
    Addition(
        "an action",
        "action",
        (Patch("contracts/event.py", f'    "bookmark": Kind({max(CODE.values()) + 1}, worth=1.25),\n', "KINDS = {\n"),),
        json.dumps(CODE),
    ),
    Addition(
        "a candidate feature", "feature", (Patch("engine/features/features.py", FEATURE, LAST_FEATURE),), fingerprint()
    ),
    Addition(
        "a setting",
        "setting",
        (Patch("settings.py", '    quiet_dogs: int = _s(2, "dogs", "how many may bark", ge=0)\n', "    # fmt: off\n"),),
    ),
]


def files_of(row: str) -> int:
    """What the table says."""
    found = re.search(rf"^\| {re.escape(row)} \| (\d+) \|", TABLE, re.MULTILINE)
    assert found, f"the table of CONTRIBUTING.md has no row {row!r} with a number of files"
    return int(found[1])


def added(folder: Path, patches: tuple[Patch, ...]) -> Path:
    """A copy of the package with these patches."""
    copy = Path(shutil.copytree(PACKAGE, folder / "streamrec", ignore=shutil.ignore_patterns("__pycache__")))
    for patch in patches:
        file = copy / patch.file
        before = file.read_text(encoding="utf-8") if patch.after else ""
        assert patch.after in before, f"{patch.file} no longer says {patch.after!r}: anchor this patch elsewhere"
        head, anchor, tail = before.rpartition(patch.after) if patch.after else ("", "", "")
        file.write_text(f"{head}{anchor}{patch.text}{tail}", encoding="utf-8")
    return copy


def touched(copy: Path) -> list[str]:
    """Files that are not as they were."""
    files = [path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file()]
    same, changed, new = filecmp.cmpfiles(copy, PACKAGE, files, shallow=False)
    assert len(same) > 100
    return [*changed, *new]


@pytest.mark.slow
@pytest.mark.parametrize("addition", ADDITIONS, ids=[addition.script for addition in ADDITIONS])
def test_it_takes_as_many_files_as_the_table_says(addition: Addition, tmp_path: Path) -> None:
    """And all that should follow does."""
    copy = added(tmp_path, addition.patches)
    assert len(touched(copy)) == files_of(addition.row)
    done = subprocess.run(
        [sys.executable, TESTS / "adding" / f"{addition.script}.py", addition.argument],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (tmp_path, TESTS)))},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
