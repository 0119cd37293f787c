"""The comparison is paired, and of what was made."""

from benches import bench, clicked_rows, trained_network

from streamrec.compression.comparison import compare
from streamrec.compression.recipe import parse, run

LATER = clicked_rows(2000, 3)  # readers enough for a verdict


def test_nothing_done_is_no_difference() -> None:
    """The teacher against itself: zero with certainty, and a pass."""
    network = trained_network()
    found = compare(network, run(parse("teacher"), network, bench(network)), LATER, 0.005, seed=1)
    assert found.size.file_bytes == found.teacher_size.file_bytes
    assert set(found.quality) == {"auc", "mrr", "ndcg_5", "ndcg_10"}
    assert all(of.difference.low == of.difference.high == 0 for of in found.quality.values())
    assert {verdict.outcome for verdict in found.verdicts.values()} == {"pass"}


def test_what_ruins_a_model_fails() -> None:
    """Every logit turned round."""
    network = trained_network()
    made = run(parse("fp16"), network, bench(network))
    made.model.get_parameter("stages.2.weight").neg_()
    found = compare(network, made, LATER, 0.005, seed=1)
    assert found.verdicts["auc"].outcome == "fail"
    assert found.quality["auc"].difference.high < 0
    assert found.size.file_bytes < found.teacher_size.file_bytes
    assert found.quality["auc"].rounded()["difference"][0] < -0.05
