"""Magnitude: dropping the smallest weights is the nearest point with that many non-zeros."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from streamrec.compression.methods.pruning_importance import input_magnitude, kept, unit_magnitude


@given(seed=st.integers(0, 999), share=st.floats(0, 0.95))
def test_no_other_choice_of_as_many_weights_is_nearer(seed: int, share: float) -> None:
    """||theta - theta'||_2 is minimal at this ||theta'||_0, and equals the norm of what was dropped."""
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(6, 5, generator=generator)
    mask = kept({"": weight.abs()}, share)[""]
    other = mask.flatten()[torch.randperm(mask.numel(), generator=generator)].view_as(mask)
    distance = (weight - weight * mask).norm()
    assert distance <= (weight - weight * other).norm() + 1e-6
    torch.testing.assert_close(distance, weight[~mask].norm() if bool((~mask).any()) else torch.tensor(0.0))


@given(factor=st.floats(0.01, 100))
def test_a_units_importance_does_not_depend_on_how_it_is_scaled(factor: float) -> None:
    """Through a ReLU, incoming weights times f and outgoing ones over f are the same unit."""
    generator = torch.Generator().manual_seed(3)
    incoming, bias, outgoing = (torch.randn(*shape, generator=generator) for shape in ((4, 3), (4,), (2, 4)))
    torch.testing.assert_close(
        unit_magnitude(incoming * factor, bias * factor, outgoing / factor),
        unit_magnitude(incoming, bias, outgoing),
    )


def test_a_unit_nobody_reads_is_worth_nothing() -> None:
    """Whatever goes into it."""
    found = unit_magnitude(torch.ones(2, 3), torch.zeros(2), torch.tensor([[0.0, 1.0]]))
    assert found.tolist()[0] == 0 < found.tolist()[1]
    assert input_magnitude(torch.tensor([[0.0, 2.0]])).tolist() == [0, 2]
