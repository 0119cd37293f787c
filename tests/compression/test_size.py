"""Sizes are those of real bytes, and each method saves what it is said to save."""

import json

from benches import bench, trained_network

from streamrec.compression.recipe import parse, run
from streamrec.compression.size import Size, size_of
from streamrec.compression.store import encode
from streamrec.engine.predictor import COLUMNS
from streamrec.engine.profiles.layout import ROW
from streamrec.models.packed_tensors import FORMAT

WEIGHTS = 24 * COLUMNS + 12 * 24 + 12


def size(recipe: str) -> Size:
    """Of the small network after a recipe without learning."""
    return run(parse(recipe), trained_network(), bench(trained_network())).size()


def test_file_bytes_are_the_files() -> None:
    """Header and tensors, counted on the serialised file."""
    network = trained_network()
    raw, found = encode(network), size_of(network)
    header = int.from_bytes(raw[:8], "little")
    assert json.loads(json.loads(raw[8 : 8 + header])["__metadata__"][FORMAT])["sizes"] == [COLUMNS, 24, 12, 1]
    assert found.file_bytes == len(raw)
    assert found.weight_bytes == len(raw) - 8 - header


def test_each_way_of_writing_by_hand() -> None:
    """Weights, 37 biases, two numbers of standardisation and a byte a column, 4 bounds."""
    other = 4 * (37 + 2 * COLUMNS + 4) - 2 * 2 + COLUMNS  # the two zeros of `low` are float16
    assert abs(size("teacher").weight_bytes - (4 * WEIGHTS + other)) < 8
    assert abs(size("fp16").weight_bytes - (2 * WEIGHTS + other)) < 8
    assert abs(size("int8").weight_bytes - (WEIGHTS + 4 * 37 + other)) < 8
    assert abs(size("int8(tensor)").weight_bytes - (WEIGHTS + 4 * 3 + other)) < 8
    assert abs(size("prune(magnitude,.5)").weight_bytes - (4 * (WEIGHTS // 2) + WEIGHTS // 8 + other)) < 16


def test_counts_and_resident_bytes() -> None:
    """Zeros count in memory, not among the non-zeros; int8 in memory is a byte a weight and a scale a row."""
    whole, pruned = size("teacher"), size("prune(magnitude,.5)")
    assert whole.parameters == pruned.parameters == WEIGHTS + 37
    assert whole.nonzero - pruned.nonzero == WEIGHTS // 2
    assert whole.resident_bytes == pruned.resident_bytes == 4 * (WEIGHTS + 37 + 2 * COLUMNS + 4) + 8 * COLUMNS
    assert whole.resident_int8_bytes == whole.resident_bytes - 3 * WEIGHTS + 4 * 37


def test_user_vectors_are_counted_apart() -> None:
    """They are per user, and no part of the model's file; a profile keeps float16, whatever training computes in."""
    assert size("users(sq8)").per_user_bytes == 68
    assert size("users(sq8)").file_bytes == size("teacher").file_bytes
    assert size("users(fp16)").per_user_bytes == 128
    assert size("teacher").per_user_bytes == 128 == ROW["interest"].itemsize
