"""Structured pruning makes matrices smaller, drops what matters least first, and says where it cannot work."""

import numpy as np
import pytest
import torch
from benches import HELD_OUT, bench, held_out_loss, trained_network, trained_teacher

from streamrec.compression.methods.layers import copied
from streamrec.compression.methods.lowrank import LowRank
from streamrec.compression.methods.prune_structured import Columns, Neurons, reading
from streamrec.compression.methods.pruning_importance import By
from streamrec.engine.predictor import COLUMNS
from streamrec.errors import RecipeError
from streamrec.models.network import ABSENT, Network, network_of
from streamrec.training.model import logits_of

BY: tuple[By, ...] = ("magnitude", "gradient")


@pytest.mark.parametrize("by", BY)
def test_half_of_the_units(by: By) -> None:
    """Hidden sizes halve, and the network can be written and read like any other."""
    network = trained_network()
    smaller = Neurons(by, 0.5).apply(network, bench(network, 1))
    assert isinstance(smaller, Network)
    assert smaller.sizes == (COLUMNS, 12, 6, 1)
    assert held_out_loss(smaller) < held_out_loss(network) + 0.15
    again = network_of(smaller.sizes, smaller.arrays())
    np.testing.assert_array_equal(logits_of(again, HELD_OUT), logits_of(smaller, HELD_OUT))


@pytest.mark.parametrize("by", BY)
def test_units_nobody_reads_go_first_and_change_nothing(by: By) -> None:
    """Half of each layer is made useless: exactly that half goes, and every logit stays."""
    network = trained_network()
    crippled = copied(network)
    assert isinstance(crippled, Network)
    with torch.no_grad():
        for stage in crippled.linears()[1:]:
            stage.weight[:, ::2] = 0
    smaller = Neurons(by, 0.5).apply(crippled, bench(network))
    np.testing.assert_allclose(logits_of(smaller, HELD_OUT), logits_of(crippled, HELD_OUT), atol=1e-5)


def test_a_constant_unit_goes_into_the_bias() -> None:
    """A unit that always says the same is replaced by its mean without any error."""
    network = copied(trained_network())
    assert isinstance(network, Network)
    with torch.no_grad():
        first, second, _ = network.linears()
        first.weight[3], first.bias[3] = 0, 0.5
        second.weight[:, 3] = 0.01
    smaller = Neurons("magnitude", 1 / 24).apply(network, bench(network))
    assert isinstance(smaller, Network)
    assert smaller.sizes == (COLUMNS, 23, 12, 1)
    np.testing.assert_allclose(logits_of(smaller, HELD_OUT), logits_of(network, HELD_OUT), atol=1e-5)


@pytest.mark.parametrize("by", BY)
def test_columns_the_clicks_depend_on_stay(by: By) -> None:
    """Three of all columns decide here; after three quarters are gone they are still read, under their own numbers."""
    network = trained_network()
    smaller = Columns(by, 0.75).apply(network, bench(network))
    assert isinstance(smaller, Network)
    assert smaller.sizes == (COLUMNS - int(0.75 * COLUMNS), 24, 12, 1)
    assert {0, 70, 90} <= set(smaller.columns.tolist())


@pytest.mark.parametrize("by", BY)
def test_columns_that_never_varied_go_first(by: By) -> None:
    """Untrained weights may be the largest of all; they say nothing."""
    network = copied(trained_network())
    assert isinstance(network, Network)
    network.std[[3, 91]] = ABSENT
    network.linears()[0].weight[:, [3, 91]] = 10
    smaller = Columns(by, 2 / COLUMNS).apply(network, bench(network))
    assert isinstance(smaller, Network)
    assert not {3, 91} & set(smaller.columns.tolist())


def test_a_dropped_column_counts_as_its_mean() -> None:
    """Reading fewer columns equals reading all with the others at their training mean."""
    network = trained_network()
    keep = torch.arange(0, COLUMNS, 2)
    x = HELD_OUT.x.copy()
    x[:, 1::2] = network.mean.numpy()[1::2]
    np.testing.assert_allclose(
        logits_of(reading(network, keep), HELD_OUT), logits_of(network, HELD_OUT._replace(x=x)), atol=1e-5
    )


def test_the_teachers_scorer_is_a_chain_too() -> None:
    """Its hidden layers halve; its inputs are tied to attention, so columns are refused with the way out."""
    teacher = trained_teacher()
    smaller = Neurons("gradient", 0.5).apply(teacher, bench(teacher))
    assert smaller.get_parameter("scorer.1.weight").shape == (8, 16)
    assert np.corrcoef(logits_of(smaller, HELD_OUT), logits_of(teacher, HELD_OUT))[0, 1] > 0.5
    with pytest.raises(RecipeError, match=r"put student\(\.\.\.\)"):
        Columns("magnitude", 0.5).apply(teacher, bench(teacher))


def test_split_layers_are_no_chain_of_units() -> None:
    """A factorized teacher is refused; a factorized network keeps its ranks and loses units."""
    teacher, network = trained_teacher(), trained_network()
    with pytest.raises(RecipeError, match="before it"):
        Neurons("magnitude", 0.5).apply(LowRank(0.5).apply(teacher, bench(teacher)), bench(teacher))
    split = LowRank(0.5, layers="stages.0").apply(network, bench(network))
    smaller = Neurons("magnitude", 0.5).apply(split, bench(network))
    assert isinstance(split, Network)
    assert isinstance(smaller, Network)
    assert smaller.sizes == (COLUMNS, split.sizes[1], 12, 6, 1)
