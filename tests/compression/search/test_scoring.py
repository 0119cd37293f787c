"""What is timed is what scores, and each engine scores what the model does."""

import numpy as np
import pytest
from compression.search.finished import taught

from streamrec.compression.search.scoring import TEACHER_BLOCK, head, scorers
from streamrec.compression.search.trial import Fidelity
from streamrec.training.model import logits_of
from streamrec.training.teacher import Teacher


def test_a_network_runs_in_every_engine() -> None:
    """All that this machine has, each close to the network itself."""
    of = taught()
    network = of.compressed("student(width=8) > distil(alpha=.3)", Fidelity(1, 0.25)).model
    expected = logits_of(network, of.cut.test)
    found = scorers(network, of.cut.test)
    assert {"torch_fp32", "numpy_fp32"} <= set(found)
    for name, scorer in found.items():
        assert np.abs(scorer.logits(of.cut.test) - expected).max() < (0.5 if name.endswith("int8") else 1e-4)


def test_a_teacher_runs_in_torch_alone() -> None:
    """fp32, and int8 where torch can still quantize; one user a row gives the logits that shared users give."""
    of = taught()
    found = scorers(of.teacher, of.cut.test)
    assert next(iter(found)) == "torch_fp32"
    expected = logits_of(of.teacher, of.cut.test)
    for scorer in found.values():
        assert np.abs(scorer.logits(of.cut.test) - expected).max() < 0.3


@pytest.mark.parametrize("count", [1, TEACHER_BLOCK + 1])
def test_any_number_of_rows_can_be_timed(count: int) -> None:
    """More than a block, more than there are."""
    of = taught()
    assert isinstance(of.teacher, Teacher)
    head(of.teacher, of.cut.test)(count)
    for scorer in scorers(of.teacher, of.cut.test).values():
        scorer.run(count)
