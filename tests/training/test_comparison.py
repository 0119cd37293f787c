"""The comparison: every ranking on the same impressions, differences paired."""

import numpy as np
import torch
from making_rows import HELD_OUT, TRAINING, impressions

from streamrec.ranking.network import SIZES, Network
from streamrec.training.comparison import compare_teacher, mean_cosine
from streamrec.training.learn import learn
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


def test_a_teacher_sees_what_the_features_do_not_say() -> None:
    """Clicks depend on history and article; only the teacher is given them, and the paired difference shows it."""
    torch.manual_seed(1)
    rows = impressions(4000, 3)
    teacher, network = Teacher(width=32, heads=4), Network(SIZES)
    learn(teacher, rows, HELD_OUT, seed=1, epochs=6, learning_rate=3e-3, batch_rows=128)
    learn(network, rows, HELD_OUT, seed=1, epochs=6)
    table = compare_teacher(impressions(2000, 4), teacher, network, seed=1)
    gain = table["teacher - ranker"]["auc"]
    assert gain.low > 0
    assert gain.value == table["teacher"]["auc"].value - table["ranker fp32"]["auc"].value
    assert {"random", "popularity", "category share", "affinity", "mean cosine"} < table.keys()
