"""Which candidates nothing else beats in everything, and which come next.

Layer 0 is the Pareto front of the columns, all to be minimised; layer 1 the front of what is left; and so on. Of
equal points each is in the same layer.
"""

import numpy as np
from numpy.typing import ArrayLike

from ...arrays import BoolArray, IntArray


def layers(costs: ArrayLike) -> IntArray:
    """The Pareto layer of each of N candidates by their costs (N, C), the smaller the better; (N,), 0 = the front."""
    cost = np.asarray(costs, np.float64)
    found = np.full(len(cost), -1, np.int64)
    while (left := np.flatnonzero(found < 0)).size:
        found[left[front(cost[left])]] = found.max() + 1
    return found


def front(costs: ArrayLike) -> BoolArray:
    """(N,) True where no other point is as good in all columns and better in one."""
    cost = np.asarray(costs, np.float64)
    as_good = (cost[:, None] <= cost[None]).all(axis=2)  # (N, N): i is as good as j everywhere
    better = (cost[:, None] < cost[None]).any(axis=2)
    return np.asarray(~(as_good & better).any(axis=0))
