"""Truncated SVD has exactly the error it says, splits only where that saves, and keeps the function otherwise."""

import numpy as np
import pytest
import torch
from benches import HELD_OUT, bench, trained_network, trained_teacher
from hypothesis import given
from hypothesis import strategies as st

from streamrec.compression.methods.layers import dense, linears
from streamrec.compression.methods.lowrank import LowRank, factors, rank_of, saves, split_stages
from streamrec.engine.predictor import COLUMNS
from streamrec.models.network import Network
from streamrec.training.model import logits_of


@given(rows=st.integers(1, 12), columns=st.integers(1, 12), rank=st.integers(1, 12), seed=st.integers(0, 99))
def test_the_error_is_what_was_dropped(rows: int, columns: int, rank: int, seed: int) -> None:
    """||W - W_r||_F ** 2 = sum of dropped s ** 2, and ||W - W_r||_2 = s_(r+1)."""
    weight = torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))
    s = torch.linalg.svdvals(weight.double())
    rank = min(rank, len(s))
    left, right = factors(weight, rank)
    error = weight.double() - left.double() @ right.double()
    assert float(error.square().sum()) == pytest.approx(float(s[rank:].square().sum()), abs=1e-4)
    expected = float(s[rank]) if rank < len(s) else 0.0
    assert float(torch.linalg.matrix_norm(error, 2)) == pytest.approx(expected, abs=1e-5)


@given(energy=st.floats(0.01, 0.99), seed=st.integers(0, 99))
def test_the_rank_is_the_smallest_with_the_energy(energy: float, seed: int) -> None:
    """One less would keep too little."""
    weight = torch.randn(9, 7, generator=torch.Generator().manual_seed(seed))
    kept = torch.linalg.svdvals(weight.double()).square().cumsum(0)
    rank = rank_of(weight, energy)
    assert float(kept[rank - 1]) >= energy * float(kept[-1]) * (1 - 1e-12)
    assert rank == 1 or float(kept[rank - 2]) < energy * float(kept[-1])


def test_a_full_rank_split_computes_the_same() -> None:
    """One stage becomes two, with an open and symmetric bound between them; columns and statistics go along."""
    network = trained_network()
    split = split_stages(network, {0: 24, 1: 12})
    assert split.sizes == (COLUMNS, 24, 24, 12, 12, 1)
    assert split.low.tolist() == [-np.inf, 0, -np.inf, 0]
    np.testing.assert_allclose(logits_of(split, HELD_OUT), logits_of(network, HELD_OUT), atol=1e-4)
    assert {name: tuple(matrix.shape) for name, matrix in dense(split).items()} == {
        name: tuple(layer.weight.shape) for name, layer in linears(network).items()
    }


def test_only_what_saves_is_split() -> None:
    """The output layer is one row, and at an energy near 1 no layer of a full-rank network is smaller in two."""
    assert not saves(torch.ones(1, 64), 1)
    assert saves(torch.ones(64, 64), 16)
    network = trained_network()
    kept = LowRank(0.9999).apply(network, bench(network))
    assert isinstance(kept, Network)
    assert kept.sizes == network.sizes


def test_bounds_are_finite_afterwards() -> None:
    """int8 engines need the range inside the pair, also where nothing was learned after the split."""
    network = trained_network()
    split = LowRank(0.5).apply(network, bench(network))
    assert isinstance(split, Network)
    assert len(split.sizes) > len(network.sizes)
    assert np.isfinite(split.arrays()["high"]).all()
    inner = split.low < 0
    assert bool(inner.any())
    assert torch.equal(split.low[inner], -split.high[inner])


def test_a_teachers_layers_become_pairs() -> None:
    """Wherever they are; the model still answers, near what it said."""
    teacher = trained_teacher()
    split = LowRank(0.9).apply(teacher, bench(teacher))
    assert sum(p.numel() for p in split.parameters()) < sum(p.numel() for p in teacher.parameters())
    assert "scorer.0.1" in linears(split)
    assert set(dense(split)) == set(linears(teacher))
    assert np.corrcoef(logits_of(split, HELD_OUT), logits_of(teacher, HELD_OUT))[0, 1] > 0.8
