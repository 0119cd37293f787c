"""The compressed file gives back the model that was measured, to the bit, in the fewest bytes it knows."""

from pathlib import Path

import numpy as np
import pytest
from benches import HELD_OUT, bench, trained_network, trained_teacher
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from streamrec.arrays import FloatArray
from streamrec.compression.methods.layers import copied
from streamrec.compression.recipe import parse, run
from streamrec.compression.store import FILE, encode, load_model, smallest
from streamrec.engine.predictor import COLUMNS
from streamrec.errors import ArtifactError
from streamrec.models.packed_tensors import is_packed, restored, unpacked
from streamrec.training.model import logits_of

values = st.sampled_from([0.0, 0.0, 0.0, 1.0, -127.0, 0.1, 3e-5, 1e6])


@given(array=arrays(np.float32, (3, 9), elements=values))
def test_every_way_of_writing_is_exact(array: FloatArray) -> None:
    """Whatever is chosen, the array comes back, and never in more bytes than it had."""
    parts = smallest(array)
    np.testing.assert_array_equal(restored(parts, array.shape, whole=False), array)
    assert sum(part.nbytes for part in parts.values()) <= array.nbytes


@pytest.mark.parametrize(
    "recipe",
    [
        "teacher",
        "int8",
        "int8(tensor)",
        "fp16",
        "prune(magnitude,.9)",
        "prune(gradient,.5) > int8",
        "lowrank(.6) > int8",
        "neurons(magnitude,.5) > columns(gradient,.5) > fp16",
        "student(16,2,16) > distil(0) > qat",
    ],
)
def test_a_loaded_network_says_the_same(recipe: str, tmp_path: Path) -> None:
    """Logits equal to the last bit, whatever was done to it."""
    network = trained_network()
    made = run(parse(recipe), network, bench(network, 1))
    assert (tmp_path / FILE).write_bytes(encode(made.model)) == made.size().file_bytes
    np.testing.assert_array_equal(logits_of(load_model(tmp_path / FILE, network), HELD_OUT), made.logits(HELD_OUT))


@pytest.mark.parametrize(
    "recipe",
    [
        "teacher",
        "prune(magnitude,.5) > int8",
        "lowrank(.6) > int8",
        "neurons(magnitude,.5) > lowrank(.5)",
        "qat",
        "student(16) > distil(0)",
    ],
)
def test_a_model_is_given_back_by_one_built_like_it_was(recipe: str, tmp_path: Path) -> None:
    """A teacher has no chain of sizes to be rebuilt from; layers that were split or shrunk come back so."""
    teacher = trained_teacher()
    made = run(parse(recipe), teacher, bench(teacher, 1))
    (tmp_path / FILE).write_bytes(encode(made.model))
    again = load_model(tmp_path / FILE, teacher)
    np.testing.assert_array_equal(logits_of(again, HELD_OUT), made.logits(HELD_OUT))


def test_another_model_is_refused(tmp_path: Path) -> None:
    """Nothing a network could be filled from."""
    (tmp_path / FILE).write_bytes(encode(trained_teacher()))
    with pytest.raises(ArtifactError, match="another model"):
        load_model(tmp_path / FILE, trained_network())


def test_the_same_model_gives_the_same_bytes() -> None:
    """So a hash of the file names the model."""
    assert encode(trained_network()) == encode(copied(trained_network()))


@pytest.mark.parametrize("raw", [b"", b"no safetensors", b"\x02\0\0\0\0\0\0\0{}"])
def test_what_is_no_such_file_is_refused(raw: bytes, tmp_path: Path) -> None:
    """One sentence that names the file."""
    (tmp_path / FILE).write_bytes(raw)
    with pytest.raises(ArtifactError, match=FILE):
        load_model(tmp_path / FILE, trained_network())


def test_bits_for_other_weights_are_refused() -> None:
    """A file that says it holds more than it does would be filled up with zeros, whatever memory that takes."""
    raw = encode(run(parse("prune(magnitude,.9)"), trained_network(), bench(trained_network(), 1)).model)
    assert is_packed(raw)
    with pytest.raises(ArtifactError, match="bytes of bits"):
        unpacked(raw.replace(b"[24,%d]" % COLUMNS, b"[96,%d]" % COLUMNS), "file")
