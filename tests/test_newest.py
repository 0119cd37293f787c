"""What checks the releases that our bounds keep out: each is tried, alone, and what it breaks is named."""

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from pages import ROOT

COMMAND = ROOT / ".ci" / "newest.py"


def wheel(folder: Path, name: str, version: str) -> None:
    """A release of a package that says its version."""
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as file:
        file.writestr(f"{name}.py", f"VERSION = {version!r}\n")
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", "")


def test_each_bound_names_the_tests_that_guard_it() -> None:
    """And they are there; nobody else stands in the list."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lists = (told["project"]["dependencies"], *told["project"]["optional-dependencies"].values())
    requirements = [Requirement(each) for requirements in lists for each in requirements]
    kept_out = {each.name for each in requirements if not each.specifier.contains("999999")}
    assert told["tool"]["newest"].keys() == kept_out
    assert all((ROOT / path).exists() for tests in told["tool"]["newest"].values() for path in tests)


@pytest.mark.slow
def test_what_a_newer_release_breaks_is_named(tmp_path: Path) -> None:
    """One that breaks a test, one that breaks none, one that the bound lets in; nothing is installed here."""
    for name, version in (("stern", "2.0"), ("mild", "2.0"), ("mild", "3.0rc1"), ("free", "1.4")):
        wheel(tmp_path, name, version)
    (tmp_path / "pyproject.toml").write_text(
        '[project]\ndependencies = ["stern==1.0", "mild<2", "numpy>=1"]\noptional-dependencies = {more = ["free<2"]}\n'
        '[tool.newest]\nstern = ["test_stern.py"]\nmild = ["test_mild.py"]\nfree = []\n'
    )
    (tmp_path / "test_mild.py").write_text(
        "def test_it():\n    import mild, streamrec\n    assert mild.VERSION == '2.0'\n"
    )
    (tmp_path / "test_stern.py").write_text("def test_it():\n    import stern\n    assert stern.VERSION == '1.0'\n")
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci" / "newest.py").write_text(COMMAND.read_text())
    environment = os.environ | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    command = [sys.executable, str(tmp_path / ".ci" / "newest.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    rows = {row["package"]: row for row in json.loads(done.stdout.splitlines()[-1])}
    assert rows.keys() == {"stern", "mild", "free"}
    assert rows["stern"]["broken"] == ["test_stern.py::test_it"]
    assert (rows["mild"]["newest"], rows["mild"]["broken"]) == ("2.0", [])
    assert rows["mild"]["result"].startswith("1 passed")
    assert rows["free"]["result"] == "let in"
    assert subprocess.run([sys.executable, "-c", "import mild"], capture_output=True, check=False).returncode
