"""What a model is given: its own row's features, article and history, whatever stands beside it in a batch."""

import numpy as np
import pytest
import torch
from making_rows import TRAINING, small

from streamrec.errors import DataError
from streamrec.models.network import Network
from streamrec.training.history import HISTORY
from streamrec.training.model import Batch, batch_of, logits_of
from streamrec.training.teacher import Teacher


def test_a_batch_holds_what_its_rows_say() -> None:
    """Features, candidate and history of each row, against the tables; empty places are zero and not seen."""
    order = np.random.default_rng(1).permutation(len(TRAINING.x))
    count = 0
    for at in range(0, len(order), 37):
        batch = batch_of(TRAINING, order[at : at + 37])
        assert batch.user is not None
        history, seen = batch.history[batch.user].numpy(), batch.seen[batch.user].numpy()
        for i, row in enumerate(order[at : at + 37].tolist()):
            places = TRAINING.histories[TRAINING.history[row]]
            assert (seen[i] == (places >= 0)).all()
            assert (history[i][places >= 0] == TRAINING.vectors[places[places >= 0]]).all()
            assert not history[i][places < 0].any()
            assert (batch.x[i].numpy() == TRAINING.x[row]).all()
            assert (batch.candidate[i].numpy() == TRAINING.vectors[TRAINING.article[row]]).all()
        count += len(batch.x)
    assert count == len(TRAINING.x)


@pytest.mark.parametrize("teacher", [False, True])
def test_a_logit_does_not_depend_on_its_neighbours(*, teacher: bool) -> None:
    """In any order and company a row scores the same, and dropout is off."""
    model = small(teacher=teacher).train()
    order = np.random.default_rng(2).permutation(len(TRAINING.x))
    together = logits_of(model, TRAINING)
    assert together.dtype == np.float32
    assert together.shape == (len(TRAINING.x),)
    np.testing.assert_allclose(logits_of(model, TRAINING.take(order)), together[order], atol=1e-5)
    np.testing.assert_allclose(logits_of(model, TRAINING.take(order[:1])), together[order[:1]], atol=1e-5)
    assert model.training


@pytest.mark.parametrize("teacher", [False, True])
def test_a_constant_column_changes_no_logit(*, teacher: bool) -> None:
    """What never varied in training (pushes, in a log without any) moves no score when it does: in both models."""
    model = small(teacher=teacher)
    x = TRAINING.x.copy()
    x[:, 91] = np.log1p(9000)
    model.learn_standardisation(x)
    live = x.copy()
    live[::2, 91] = 2
    np.testing.assert_array_equal(logits_of(model, TRAINING._replace(x=live)), logits_of(model, TRAINING._replace(x=x)))


def test_histories_may_be_given_once_or_for_each_row() -> None:
    """Sharing them saves time and changes nothing."""
    teacher = small(teacher=True).eval()
    shared = batch_of(TRAINING, np.arange(len(TRAINING.x)))
    each = Batch(shared.x, shared.candidate, shared.history[shared.user], shared.seen[shared.user])
    torch.testing.assert_close(teacher(each), teacher(shared), atol=1e-5, rtol=1e-5)


def test_no_rows_have_no_logits() -> None:
    """An empty slice of a report is not an error here."""
    assert logits_of(small(), TRAINING.take(np.zeros(600, bool))).shape == (0,)


def test_logits_that_are_no_numbers_are_an_error() -> None:
    """A model that diverged is not measured."""
    model = small()
    with torch.no_grad():
        model.get_parameter("stages.1.bias").fill_(torch.nan)
    with pytest.raises(DataError, match=r"logits hold NaN .* diverged"):
        logits_of(model, TRAINING)


def test_the_teacher_has_about_a_million_parameters() -> None:
    """The size every ratio of compression refers to."""
    assert sum(parameter.numel() for parameter in Teacher().parameters()) == pytest.approx(970_000, rel=0.01)


def test_an_empty_history_is_a_newcomer() -> None:
    """Who read nothing gets the learned vector, not NaN, also beside users with histories."""
    teacher = small(teacher=True).eval()
    with torch.no_grad():
        teacher.get_parameter("newcomer").fill_(0.5)
        history, seen = torch.randn(2, HISTORY, 64), torch.zeros(2, HISTORY, dtype=torch.bool)
        seen[1, -3:] = True
        assert isinstance(teacher, Teacher)
        users = teacher.user(history, seen)
    assert (users[0] == 0.5).all()
    assert torch.isfinite(users[1]).all()


def test_empty_places_of_a_history_do_not_count() -> None:
    """Whatever stands where nothing was read, the user is the same."""
    teacher = small(teacher=True).eval()
    assert isinstance(teacher, Teacher)
    history, seen = torch.randn(1, HISTORY, 64), torch.zeros(1, HISTORY, dtype=torch.bool)
    seen[0, -3:] = True
    other = history.clone()
    other[0, :-3] = 7
    torch.testing.assert_close(teacher.user(history, seen), teacher.user(other, seen))


def test_gradients_reach_every_parameter() -> None:
    """No part of the teacher is idle: each learns from a batch with readers and newcomers."""
    teacher = small(teacher=True)
    with torch.no_grad():
        teacher.get_parameter("scale").fill_(1.0)
    batch = batch_of(TRAINING, np.arange(len(TRAINING.x)))
    teacher(batch).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in teacher.parameters())


def test_the_network_sees_features_only() -> None:
    """It serves without histories, so it is not trained with them."""
    assert isinstance(small(), Network)
    empty = TRAINING._replace(histories=np.full_like(TRAINING.histories, -1))
    np.testing.assert_array_equal(logits_of(small(), TRAINING), logits_of(small(), empty))
