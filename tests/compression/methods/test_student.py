"""Students have the shape they are asked for, and read the columns that carry most."""

import numpy as np
import pytest
from benches import TRAINING, bench, trained_teacher

from streamrec.compression.methods.student import Student, columns_read
from streamrec.engine.predictor import COLUMNS
from streamrec.models.network import Network


@pytest.mark.parametrize(
    ("student", "sizes"),
    [
        (Student(16, 1, 64), (COLUMNS, 16, 1)),
        (Student(16, 2, 16), (COLUMNS - 48, 16, 16, 1)),
        (Student(16, 0, 0), (COLUMNS - 64, 1)),
    ],
)
def test_width_depth_and_vector(student: Student, sizes: tuple[int, ...]) -> None:
    """Sizes follow; the standardisation is learned, the weights depend on the seed alone."""
    work = bench(trained_teacher())
    network = student.apply(trained_teacher(), work)
    assert isinstance(network, Network)
    assert network.sizes == sizes
    np.testing.assert_allclose(network.mean.numpy(), TRAINING.x[:, network.columns.numpy()].mean(axis=0), atol=1e-5)
    again = student.apply(trained_teacher(), work)
    assert isinstance(again, Network)
    assert all(np.array_equal(array, again.arrays()[name]) for name, array in network.arrays().items())


def test_the_products_that_vary_most_are_read() -> None:
    """And all scalar features, in ascending order."""
    x = np.zeros((10, COLUMNS), np.float32)
    x[:, [5, 40]] = np.arange(10)[:, None]
    assert columns_read(x, 2) == [5, 40, *range(64, COLUMNS)]
    assert len(columns_read(x, 0)) == COLUMNS - 64
