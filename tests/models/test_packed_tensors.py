"""Packed weights that mean harm: what a small file can make of itself."""

import json
import tracemalloc

import numpy as np
import pytest
from safetensors.numpy import save

from streamrec.arrays import AnyArray
from streamrec.errors import ArtifactError
from streamrec.models.packed_tensors import FORMAT, MOST, unpacked


@pytest.mark.parametrize(
    ("shapes", "parts", "words"),
    [
        ({"w": [20_000, 1]}, {"w.int8": (20_000, np.int8), "w.scale": (20_000, np.float32)}, "scales"),
        ({"w": [MOST + 8]}, {"w": (0, np.float32), "w.kept": (MOST // 8 + 1, np.uint8)}, "expected at most"),
        ({"w": [MOST + 1], "v": [-1]}, {"w": (0, np.float32), "v": (1, np.float32)}, "expected at most"),
        ({"w": [-1]}, {"w": (5, np.float32)}, "expected at most"),
    ],
)
def test_a_small_file_does_not_grow(shapes: object, parts: dict[str, tuple[int, type]], words: str) -> None:
    """20,000 weights and as many scales were a table of 1.6 GB, a bit for each weight 32 times the file."""
    arrays: dict[str, AnyArray] = {name: np.zeros(count, kind) for name, (count, kind) in parts.items()}
    raw = save(arrays, {FORMAT: json.dumps({"sizes": [1], "shapes": shapes})})
    tracemalloc.start()
    with pytest.raises(ArtifactError, match=words):
        unpacked(raw, "the-path")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * len(raw) + (1 << 20)


def test_what_is_nested_without_end_is_refused() -> None:
    """In words, as all else."""
    with pytest.raises(ArtifactError, match="not a compressed model"):
        unpacked(save({"w": np.zeros(1)}, {FORMAT: "[" * 100_000}), "the-path")
