"""The record of a step: how many zeros and how much error, layer by layer."""

import pytest
from benches import bench, trained_network, trained_teacher

from streamrec.compression.methods.int8 import Int8
from streamrec.compression.methods.lowrank import LowRank
from streamrec.compression.methods.prune import Prune
from streamrec.compression.methods.prune_structured import Neurons
from streamrec.compression.methods.student import Student
from streamrec.compression.result import layer_changes
from streamrec.engine.predictor import COLUMNS


def test_pruned_layers_show_zeros_and_what_they_were_worth() -> None:
    """Error is that of the dropped weights, relative to the layer."""
    network = trained_network()
    pruned = Prune("magnitude", 0.5, layers="stages.0").apply(network, bench(network))
    first, second, _ = layer_changes(network, pruned)
    assert (first.name, first.shape, first.sparsity) == ("stages.0", (24, COLUMNS), 0.5)
    dropped = network.linears()[0].weight[pruned.get_parameter("stages.0.weight") == 0]
    assert first.error == pytest.approx(float(dropped.norm() / network.linears()[0].weight.norm()))
    assert (second.sparsity, second.error) == (0, 0)


def test_pairs_are_compared_as_products() -> None:
    """A layer keeps its name and shape when it is split, and its error is 1 - energy at most."""
    for model in (trained_network(), trained_teacher()):
        changes = layer_changes(model, LowRank(0.8).apply(model, bench(model)))
        assert [change.name for change in changes] == [change.name for change in layer_changes(model, model)]
        assert all(change.error is not None and change.error**2 <= 0.2 + 1e-5 for change in changes)


def test_a_pairs_zeros_are_those_of_its_factors() -> None:
    """Their product has none: what counts is what is stored."""
    network = trained_network()
    split = LowRank(0.5, layers="stages.0").apply(network, bench(network))
    rank = split.get_parameter("stages.0.weight").shape[0]
    assert layer_changes(network, split)[0].sparsity == pytest.approx(1 - rank * (24 + COLUMNS) / (24 * COLUMNS))
    pruned = Prune("magnitude", 0.5, layers="stages.0").apply(split, bench(network))
    assert layer_changes(split, pruned)[0].sparsity == pytest.approx(
        1 - rank * (24 + COLUMNS / 2) / (24 * COLUMNS), abs=1e-3
    )


def test_smaller_layers_count_what_is_missing() -> None:
    """Half the rows and half the columns gone are three quarters; other shapes have no error."""
    network = trained_network()
    changes = layer_changes(network, Neurons("magnitude", 0.5).apply(network, bench(network)))
    assert [change.sparsity for change in changes] == [0.5, 0.75, 0.5]
    assert {change.error for change in changes} == {None}


def test_a_student_has_no_layer_to_compare() -> None:
    """Its layers are new."""
    teacher = trained_teacher()
    student = Student(8).apply(teacher, bench(teacher))
    assert {change.error for change in layer_changes(teacher, student)} == {None}
    assert all(change.error is not None for change in layer_changes(student, Int8().apply(student, bench(teacher))))
