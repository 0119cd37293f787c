"""ONNX Runtime does what it is asked, and nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import streamrec

PROGRAM = """
import numpy as np
from streamrec.onnx_models import Graph, missing, session_of
assert not missing(), missing()
graph = Graph()
model = graph.model("same", {"x": ["N"]}, {graph.node("Identity", "x"): ["N"]})
(answer,) = session_of(model.SerializeToString()).run(None, {"x": np.ones(3, np.float32)})
assert (answer == 1).all()
"""


def test_nobody_is_told_that_it_runs(tmp_path: Path) -> None:
    """Its packages report to their maker, under an id that they keep in the home folder, unless told not to."""
    environ = os.environ | {"HOME": str(tmp_path)}
    environ.pop("XDG_CACHE_HOME", None)
    ended = subprocess.run([sys.executable, "-c", PROGRAM], check=False, env=environ, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_nothing_else_loads_it() -> None:
    """It could be loaded before it is told."""
    sources = Path(streamrec.__file__).parent.rglob("*.py")
    assert [path.name for path in sources if "import onnxruntime" in path.read_text()] == ["onnx_models.py"]
