"""The comparison: every ranking on the same impressions, differences paired."""

from pathlib import Path

import numpy as np
import pytest
import torch
from dropped import drop_dynamic_quantization
from making_rows import HELD_OUT, TRAINING, impressions
from trained import publish_small

from streamrec import onnx_models
from streamrec.models.artifact import load
from streamrec.models.network import SIZES, Network
from streamrec.training.comparison import FP32, INT8, compare, compare_teacher, mean_cosine
from streamrec.training.loop import train
from streamrec.training.teacher import Teacher


def test_the_mean_cosine_by_hand() -> None:
    """Against the definition, row by row; who read nothing has 0."""
    scores = mean_cosine(TRAINING)
    for row in range(0, 600, 7):
        read = TRAINING.histories[TRAINING.history[row]]
        vectors = TRAINING.vectors[read[read >= 0]]
        article = TRAINING.vectors[TRAINING.article[row]]
        user = vectors.sum(axis=0) if len(vectors) else np.zeros(64)
        expected = user @ article / (np.linalg.norm(user) or 1)
        np.testing.assert_allclose(scores[row], expected, atol=1e-5)
    assert (scores[TRAINING.history == 0] == 0).all()


def test_int8_is_compared_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever it is, and the table goes without where none can run: by then the model has been written."""
    publish_small(tmp_path / "model", 1)
    artifact = load(tmp_path / "model")
    assert {INT8, "int8 - fp32"} < compare(HELD_OUT, artifact, seed=1).keys()
    drop_dynamic_quantization(monkeypatch)
    assert {INT8, "int8 - fp32"} < compare(HELD_OUT, artifact, seed=1).keys()
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    monkeypatch.setattr(onnx_models, "EXTRA", ("no_such_package",))
    without = compare(HELD_OUT, artifact, seed=1).keys()
    assert {FP32, "affinity"} < without
    assert not {INT8, "int8 - fp32"} & without


def test_a_teacher_sees_what_the_features_do_not_say() -> None:
    """Clicks depend on history and article; only the teacher is given them, and the paired difference shows it."""
    torch.manual_seed(1)
    rows = impressions(4000, 3)
    teacher, network = Teacher(width=32, heads=4), Network(SIZES)
    train(teacher, rows, HELD_OUT, seed=1, epochs=6, learning_rate=3e-3, batch_rows=128)
    train(network, rows, HELD_OUT, seed=1, epochs=6)
    table = compare_teacher(impressions(2000, 4), teacher, network, seed=1)
    gain = table["teacher - ranker"]["auc"]
    assert gain.low > 0
    assert gain.value == pytest.approx(table["teacher"]["auc"].value - table["ranker fp32"]["auc"].value)
    assert {"random", "popularity", "category share", "affinity", "mean cosine"} < table.keys()
