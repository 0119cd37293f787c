"""The one file that names what torch will remove: without it every command goes on, or says what to do."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from making import globo_clicks
from pages import ROOT
from trained import publish_small

from streamrec.models.engines import torch_int8

HOME = ROOT / "streamrec" / "models" / "engines" / "torch_int8.py"
DROPPED = ("quantize_dynamic", "ao.quantization", "torch.quantization", "qint8", "quint8", "ops.quantized")


def names(tree: ast.Module) -> Iterator[str]:
    """Every dotted name and every string of a program, but for its docstrings."""
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield ast.unparse(node)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            module = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
            yield from (module + alias.name for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def dropped(source: str) -> list[str]:
    """What a program names of that which torch drops."""
    return [name for name in names(ast.parse(source)) if any(word in name for word in DROPPED)]


def test_one_file_names_what_torch_drops() -> None:
    """Whoever else needs dynamic quantization asks it."""
    assert dropped(HOME.read_text())
    found = {file: dropped(file.read_text()) for file in (ROOT / "streamrec").rglob("*.py") if file != HOME}
    assert not {file: said for file, said in found.items() if said}


@pytest.mark.parametrize(
    "source",
    [
        "import torch\nx = torch.ao.quantization.quantize_dynamic",
        "from torch.ao.quantization import quantize_dynamic as q",
        "from torch.ao import quantization",
        "import torch.quantization",
        "x = getattr(torch, 'quint8')",
    ],
)
def test_the_scan_finds_each_way_to_name_it(source: str) -> None:
    """An attribute, an import, a string."""
    assert dropped(source)


def test_a_name_that_is_left_without_its_kernels_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a build of torch without a quantized engine: found out by one product, not by the first model."""

    def refuses(*_: object, **__: object) -> None:
        raise NotImplementedError("moved to torchao")

    monkeypatch.setattr(torch_int8, "_quantize_dynamic", lambda: refuses)
    assert "cannot quantize dynamically here (NotImplementedError)" in torch_int8.missing()
    monkeypatch.setattr(
        torch_int8, "_quantize_dynamic", lambda: lambda model, *_, **__: torch.nn.Sequential(model, model)
    )
    assert "product of 1 and 1, plus 1, is not 2 here" in torch_int8.missing()


def test_trying_it_moves_no_seed() -> None:
    """A training whose int8 is asked for in its midst draws the same numbers."""
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    assert not torch_int8._fault.__wrapped__(torch_int8._quantize_dynamic())
    assert torch.equal(torch.rand(3), expected)


WITHOUT = """
import sys, torch
sys.modules["torch.ao.quantization"] = None
vars(torch.ao).pop("quantization", None)
del torch.qint8, torch.quint8
from streamrec.__main__ import main
"""
"""The rest of a program whose torch has no part of dynamic quantization left."""


def typed(folder: Path, *arguments: str, engine: str = "auto") -> subprocess.CompletedProcess[str]:
    """A command where torch is without it."""
    code = f"{WITHOUT}sys.argv = {['streamrec', *arguments]!r}\nmain()"
    environment = {"STREAMREC_ENGINE": engine, "PATH": "", "PYTHONPATH": str(ROOT), "HOME": str(folder)}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_a_model_is_served_timed_and_exported_without_it(tmp_path: Path) -> None:
    """By the engine that stands in for the one asked for, which is told in one line; the others go on as they were."""
    publish_small(tmp_path / "model", 1)
    verified = typed(tmp_path, "model", "verify", "model", engine="torch_int8")
    assert verified.returncode == 0, verified.stderr
    assert "onednn_int8 serves because it was asked for" in verified.stdout
    assert "onednn_int8 serves in place of torch_int8" in verified.stderr
    timed = typed(tmp_path, "bench", "engines", "--model", "model", "--batch", "1,4", "--rounds", "2")
    assert timed.returncode == 0, timed.stderr
    assert "has no torch.ao.quantization.quantize_dynamic" in timed.stdout
    exported = typed(tmp_path, "model", "export", "model", "--onnx", "ranker.onnx", "--int8")
    assert exported.returncode == 0, exported.stderr


@pytest.mark.slow
@pytest.mark.timeout(1200)  # four commands, each with torch to load
def test_training_and_compressing_go_on_without_it(tmp_path: Path) -> None:
    """A ranker is compared in the int8 that is left, and what a search cannot time it names."""
    clicks = str(globo_clicks(tmp_path / "clicks.csv", n_users=400))
    student, log = "student(16) > distil(0) > int8", ("--log", "globo", clicks)
    trained = typed(tmp_path, "train", "globo", clicks, "--epochs", "4", "--out", "model")
    assert trained.returncode == 0, trained.stderr
    assert "this model in int8" in trained.stdout
    recipes = ("--recipe", student, "--recipe", "int8")
    found = typed(tmp_path, "compress", "search", *log, *recipes, "--budget", "1s", "--out", "found")
    assert found.returncode in {0, 1}, found.stderr
    assert "begin the recipe with a student" in found.stdout
    teacher = ("--teacher", "found/teacher")
    compressed = typed(tmp_path, "compress", "run", student, *log, *teacher, "--epochs", "4", "--out", "small")
    assert compressed.returncode == 0, compressed.stderr
