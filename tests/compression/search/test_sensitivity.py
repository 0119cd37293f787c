"""What the layers of a teacher stand alone says what to try first."""

from streamrec.compression.search.sensitivity import PROBES, Probe, by_promise, probe
from streamrec.compression.search.trial import Fidelity, Trial


def trial(recipe: str, fidelity: Fidelity) -> Trial:
    """Pruning the second layer costs a lot, anything else nothing."""
    loss = 0.1 if recipe.startswith("prune") and "layers=b" in recipe else 0.0
    return Trial(recipe, fidelity, 1, 1, 0.7, loss, loss, loss, 0.0)


def test_each_method_meets_each_layer_alone() -> None:
    """Untuned: the layer itself is asked, not what fine-tuning can repair."""
    found = probe(["a", "b"], trial)
    assert {(p.method, p.layer) for p in found} == {(m, layer) for m in PROBES for layer in ("a", "b")}
    assert [p.loss for p in found if p.loss] == [0.1]


def test_what_layers_stand_is_tried_first() -> None:
    """Students keep their place in front; among the rest the promise decides, and equal ones keep their order."""
    probes = [Probe("prune", "b", 0.1), Probe("int8", "b", 0.0), Probe("lowrank", "b", -0.01)]
    recipes = ["prune(magnitude,.5) > int8", "int8", "student(64) > distil > prune(magnitude,.5)", "lowrank > int8"]
    assert by_promise(recipes, probes) == [recipes[2], recipes[1], recipes[3], recipes[0]]


def test_probing_ends_when_its_time_is_over() -> None:
    """Sensitivity is a hint; the search must not spend itself on it."""
    left = iter([False, False, True])
    assert len(probe(["a", "b"], trial, lambda: next(left))) == 2
