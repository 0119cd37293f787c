"""A torch module of one's own: built by a function in a file, asked whether it is what a recipe can work on.

    FILE.py:FUNCTION      FUNCTION() -> torch.nn.Module, trained; its code is run

The module is called with (n, F) float32 and answers with a logit a row, (n,) or (n, 1). Which columns, in which order,
its attribute `columns` says; without one it reads all that are left of the rows.
"""

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from ...arrays import FloatArray
from ...errors import DataError
from ...terminal.printable import note

ASKED = 256  # rows


def built(spec: str) -> nn.Module:
    """The module; DataError where there is no such file or function, or it makes no module."""
    file, colon, function = spec.rpartition(":")
    path = Path(file)
    if not (colon and path.suffix == ".py" and path.is_file()):
        raise DataError(f"--model is {spec!r}; expected FILE.py:FUNCTION, a file that is there")
    found = importlib.util.spec_from_file_location(path.stem, path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[path.stem] = module  # copies of its classes are looked for there
    found.loader.exec_module(module)
    build = getattr(module, function, None)
    if not callable(build):
        raise DataError(f"{path} has no function {function!r}; expected one that gives a torch.nn.Module")
    model = build()
    if not isinstance(model, nn.Module):
        raise DataError(f"{spec} gives a {type(model).__name__}; expected a torch.nn.Module")
    return model.float().eval().requires_grad_(requires_grad=False)


def columns_of(model: nn.Module) -> list[str] | None:
    """The columns a module says it reads, in its order; None: it says nothing of it."""
    columns = getattr(model, "columns", None)
    if columns is None:
        return None
    if not isinstance(columns, Sequence) or not columns or not all(isinstance(name, str) for name in columns):
        raise DataError("the model's `columns` are no list of names; expected the columns it reads, in their order")
    return list(columns)


@torch.inference_mode()
def check(model: nn.Module, x: FloatArray) -> None:
    """DataError unless the module answers rows (N, F) with a finite number each; says so if these look like none."""
    x = x[:ASKED]
    try:
        found = model(torch.from_numpy(x))
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        said = str(error).splitlines()[0][:200]
        raise DataError(f"the model cannot read rows of {x.shape[1]} columns ({said}); give it a `columns`") from None
    shape = tuple(getattr(found, "shape", ()))
    if shape not in {(len(x),), (len(x), 1)}:
        raise DataError(f"the model answers {len(x)} rows with shape {shape}; expected a logit each")
    logits = found.numpy()
    if not np.isfinite(logits).all():
        raise DataError("the model answers with NaN or infinity; expected finite logits")
    if ((logits >= 0) & (logits <= 1)).all():
        note("the model's answers lie within 0 and 1: expected logits, from before the sigmoid")
