"""The schedule rises to its share and the masks keep what is most important."""

from itertools import pairwise

import torch
from hypothesis import given
from hypothesis import strategies as st

from streamrec.compression.methods.pruning_importance import LEAST_LEFT, empties_a_layer, kept, share_at, strongest

shares = st.floats(0, 0.99)


@given(share=shares, steps=st.integers(1, 500))
def test_the_schedule_is_cubic_and_monotone(share: float, steps: int) -> None:
    """From 0 to the share, never back, and most of it early."""
    path = [share_at(step, steps, share) for step in range(steps + 1)]
    assert path[0] == 0
    assert path[-1] == share_at(steps + 9, steps, share) == share
    assert all(a <= b for a, b in pairwise(path))
    assert share_at(1, 2, share) >= share * 7 / 8 - 1e-12  # 1 - (1/2) ** 3


@given(share=shares, sizes=st.lists(st.integers(1, 20), min_size=1, max_size=4), seed=st.integers(0, 99))
def test_exactly_that_share_goes_and_the_least_important_first(share: float, sizes: list[int], seed: int) -> None:
    """Counted over all layers together, rounded down; nothing kept is less important than anything dropped."""
    generator = torch.Generator().manual_seed(seed)
    importance = {f"layer{i}": torch.randint(0, 5, (size, 1), generator=generator) for i, size in enumerate(sizes)}
    masks = kept(importance, share)
    flat = torch.cat([values.flatten() for values in importance.values()])
    mask = torch.cat([masks[name].flatten() for name in importance])
    assert int((~mask).sum()) == int(share * len(flat))
    if bool((~mask).any()):
        assert int(flat[~mask].max()) <= int(flat[mask].min())


@given(share=shares, scale=st.floats(1e-3, 1e3), seed=st.integers(0, 99))
def test_no_layer_is_emptied(share: float, scale: float, seed: int) -> None:
    """Of two layers whose weights differ in size each keeps its part; as many go as were asked for."""
    generator = torch.Generator().manual_seed(seed)
    importance = {
        "small": torch.rand(40, 50, generator=generator),
        "large": scale * torch.rand(20, 50, generator=generator),
    }
    masks = kept(importance, share, by_layer=empties_a_layer(importance, share))
    for name, mask in masks.items():
        assert float(mask.double().mean()) >= LEAST_LEFT * (1 - share), name
    dropped = sum(int((~mask).sum()) for mask in masks.values())
    assert dropped == int(share * 3000) or dropped == int(share * 2000) + int(share * 1000)


def test_layers_that_can_be_compared_are() -> None:
    """Where no layer is emptied, the weakest go wherever they are."""
    importance = {"a": torch.arange(10.0), "b": torch.arange(5.0, 15.0)}
    assert not empties_a_layer(importance, 0.5)
    assert [int(mask.sum()) for mask in kept(importance, 0.5).values()] == [2, 8]


@given(share=shares, count=st.integers(1, 30))
def test_something_is_always_left(share: float, count: int) -> None:
    """A layer without units would be no layer; the indices come in order."""
    found = strongest(torch.arange(count).float(), share).tolist()
    assert len(found) == max(1, count - int(share * count))
    assert found == list(range(count - len(found), count))
