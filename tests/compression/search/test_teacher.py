"""A search's own teacher keeps to its half of the time."""

from pathlib import Path

import pytest
import torch
from compression.search.worlds import readers

from streamrec.clock import simulated
from streamrec.compression.search.teacher import fit_within
from streamrec.training.fit import fit_teacher

ROWS = readers(60)


@pytest.mark.parametrize(("seconds", "expected", "said"), [(25, 2, 2), (1, 1, 1), (100, 3, None)])
def test_the_teacher_stops_in_time(tmp_path: Path, seconds: int, expected: int, said: int | None) -> None:
    """Epochs of ten seconds: two end in 25 and three would not; one is made in any case, and no checkpoint is left."""
    now = [0]

    def ten_seconds(_: int) -> None:
        now[0] += 10 * 10**9

    with simulated(lambda: now[0]):
        fitted, stopped = fit_within(ROWS, 1, seconds, tmp_path / "out", ten_seconds, epochs=3)
    assert stopped == said
    assert list((tmp_path / "out").iterdir()) == []
    short = fit_teacher(ROWS, 1, expected).teacher.state_dict()
    for name, tensor in fitted.teacher.state_dict().items():
        assert torch.equal(tensor, short[name])
