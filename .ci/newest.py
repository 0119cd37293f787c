#!/usr/bin/env python3
"""Which releases our upper bounds keep out, and what breaks on them: `.ci/newest.py`, where `.[test]` is installed.

Requirements without an upper bound are no question: whoever installs takes their newest, and CI does so at each push.
Of the others the index is asked for the newest release. One that the bound keeps out is installed, with what it asks
for itself, in a virtual environment laid over this one, and the tests run there that pyproject.toml names for it under
`tool.newest`. What is here already (torch brings 5 GB) is not fetched again, and nothing here is changed.

A table, then JSON as the last line; exit code 1 if a test fails on a newer release. Options go to pytest:
`-m "not kafka and not slow"` leaves out what takes long.
"""

import json
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
import venv
from itertools import chain
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

WIDTHS = {"package": 31, "asked for": 10, "newest": 8, "result": 1}
KEEP_OUT = {"==", "===", "<", "<=", "~="}
PINNED = "tests/worker/test_private_names.py::test_versions_are_pinned"  # a release is new: nothing breaks by it


def main(root: Path, options: list[str]) -> int:
    """Try each in turn, so that what breaks has one cause."""
    told = tomllib.loads((root / "pyproject.toml").read_text())
    asked, tests = bounded(told["project"]), told["tool"]["newest"]
    releases, rows = newest(list(asked)), list[dict[str, Any]]()
    for name, requirement in asked.items():
        row: dict[str, Any] = {"package": name, "asked for": str(requirement.specifier), "newest": releases[name]}
        row["result"], row["broken"] = "let in", []
        if not requirement.specifier.contains(releases[name]):
            row["result"], row["broken"] = tried(f"{name}=={releases[name]}", root, tests[name], options)
        rows.append(row)
        table = (f"{row[key]:{width}}" for key, width in WIDTHS.items())
        print("  ".join(table), *row["broken"], sep="\n    ", flush=True)
    print(json.dumps(rows))
    return int(any(row["broken"] for row in rows))


def bounded(project: dict[str, Any]) -> dict[str, Requirement]:
    """What of a project's requirements, extras included, keeps newer releases out."""
    lists = (project["dependencies"], *project.get("optional-dependencies", {}).values())
    found = {each.name: each for each in map(Requirement, chain(*lists))}
    return {name: each for name, each in found.items() if {part.operator for part in each.specifier} & KEEP_OUT}


def newest(names: list[str]) -> dict[str, str]:
    """The newest stable releases that this Python can have."""
    asked = ("install", "--dry-run", "--no-deps", "--ignore-installed", "--quiet", "--report", "-", *names)
    done = subprocess.run([sys.executable, "-m", "pip", *asked], capture_output=True, text=True, check=True)
    found = {each["metadata"]["name"]: each["metadata"]["version"] for each in json.loads(done.stdout)["install"]}
    return {name: version for name in names for other, version in found.items() if _plain(other) == _plain(name)}


def tried(release: str, root: Path, tests: list[str], options: list[str]) -> tuple[str, list[str]]:
    """What its tests say of a release laid over what is installed: in words, and those that fail."""
    with tempfile.TemporaryDirectory() as folder:
        python = overlay(Path(folder))
        pip = [python, "-m", "pip", "install", "--quiet", release]
        done = subprocess.run(pip, capture_output=True, text=True, check=False)
        if done.returncode:
            return "cannot be installed", [done.stderr.strip().splitlines()[-1]]
        command = [python, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", "-rfE", f"--deselect={PINNED}"]
        done = subprocess.run([*command, *tests, *options], cwd=root, capture_output=True, text=True, check=False)
    broken = re.findall(r"^(?:FAILED|ERROR) (.*?)(?: - .*)?$", done.stdout, re.MULTILINE)
    if done.returncode and not broken:
        broken = [f"pytest ended with exit code {done.returncode}"]
    return done.stdout.rstrip().rpartition("\n")[2].strip("= "), broken


def overlay(folder: Path) -> str:
    """The Python of a new environment, in which all of this one is found after what is installed there."""
    venv.create(folder, with_pip=False)
    (library,) = folder.glob("lib/python*/site-packages")
    (library / "below.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    return os.fspath(folder / "bin" / "python")


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main(Path(__file__).parents[1], sys.argv[1:]))
