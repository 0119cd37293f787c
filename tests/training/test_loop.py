"""The training loop: keeps the best, repeats itself, goes on where it stopped, and refuses what cannot be learned."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from making_rows import HELD_OUT, TRAINING, impressions, small
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from streamrec.arrays import FloatArray
from streamrec.engine.predictor import COLUMNS
from streamrec.errors import DataError
from streamrec.training.loop import Progress, train, whole_impressions
from streamrec.training.loss import clicks_loss, distilled_loss
from streamrec.training.model import logits_of
from streamrec.training.rows import Rows


def held_out_loss(model: nn.Module) -> float:
    """Binary cross-entropy on the held-out rows."""
    logits = torch.from_numpy(logits_of(model, HELD_OUT))
    return bce(logits, torch.from_numpy(HELD_OUT.clicked.astype(np.float32))).item()


def same(one: nn.Module, other: nn.Module) -> bool:
    """Equal to the last bit."""
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("teacher", [False, True])
def test_the_seed_decides_everything(*, teacher: bool) -> None:
    """Same seed, same model; another seed, another; torch's own random state is left alone."""
    torch.manual_seed(99)
    before = torch.random.get_rng_state()
    runs = [train(small(teacher=teacher), TRAINING, HELD_OUT, seed=seed, epochs=2) for seed in (5, 5, 6)]
    torch.manual_seed(99)
    assert torch.equal(before, torch.random.get_rng_state())
    assert same(runs[0], runs[1])
    assert not same(runs[0], runs[2])


@pytest.mark.parametrize(("teacher", "average"), [(False, 0.0), (False, 0.9), (True, 0.0)])
def test_an_interrupted_training_ends_as_one_that_was_not(tmp_path: Path, *, teacher: bool, average: float) -> None:
    """Stopped in the middle of the third epoch and resumed: the same epochs told, the same model to the last bit."""
    whole, parts = list[Progress](), list[Progress]()
    learned = partial(train, rows=TRAINING, held_out=HELD_OUT, seed=4, epochs=5, batch_rows=100, average=average)
    steady = learned(small(teacher=teacher), progress=whole.append)

    def interrupt(_: nn.Module, step: int) -> None:
        if step == 14:
            raise KeyboardInterrupt

    path = tmp_path / "checkpoint.safetensors"
    with pytest.raises(KeyboardInterrupt):
        learned(small(teacher=teacher), save_to=path, after_step=interrupt, progress=parts.append)
    assert len(parts) == 2
    resumed = learned(small(teacher=teacher), save_to=path, resume=True, progress=parts.append)
    assert parts == whole
    assert same(steady, resumed)


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    """Other data, another plan, or a broken file: none of them can be gone on from."""
    path = tmp_path / "checkpoint.safetensors"
    train(small(), TRAINING, HELD_OUT, seed=1, epochs=1, save_to=path)
    with pytest.raises(DataError, match="another training"):
        train(small(), TRAINING, HELD_OUT, seed=2, epochs=1, save_to=path, resume=True)
    with pytest.raises(DataError, match="another training"):
        train(small(), impressions(600, 9), HELD_OUT, seed=1, epochs=1, save_to=path, resume=True)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match=r"expected a checkpoint .* --resume"):
        train(small(), TRAINING, HELD_OUT, seed=1, epochs=1, save_to=path, resume=True)


def test_resuming_without_a_checkpoint_starts(tmp_path: Path) -> None:
    """The same command line works before and after the first interruption."""
    path = tmp_path / "new" / "checkpoint.safetensors"
    resumed = train(small(), TRAINING, HELD_OUT, seed=1, epochs=1, save_to=path, resume=True)
    assert same(resumed, train(small(), TRAINING, HELD_OUT, seed=1, epochs=1))
    assert path.exists()


def test_no_step_is_better_than_a_worse_one() -> None:
    """A model that training only spoils comes back as it was."""
    good = train(small(), TRAINING, HELD_OUT, seed=1, epochs=20, learning_rate=1e-2)
    before = {name: tensor.clone() for name, tensor in good.state_dict().items()}
    train(good, TRAINING, HELD_OUT, seed=1, epochs=3, learning_rate=0.5)
    assert all(torch.equal(tensor, before[name]) for name, tensor in good.state_dict().items())
    assert not good.training


def test_the_best_epoch_is_kept() -> None:
    """What is returned has the least held-out loss of all epochs, and training ends soon after it."""
    told: list[Progress] = []
    model = train(small(), TRAINING, HELD_OUT, seed=1, epochs=60, learning_rate=3e-2, progress=told.append)
    best = min(told, key=lambda progress: progress.held_out_loss)
    assert held_out_loss(model) == pytest.approx(best.held_out_loss, rel=1e-6)
    assert told[-1].epoch == best.epoch + 2 < 60


def test_the_average_is_what_is_kept() -> None:
    """By hand: the decay grows from 1/11 to what was asked for, and the weights kept are the average."""
    moved = list[dict[str, torch.Tensor]]()

    def look(model: nn.Module, _: int) -> None:
        moved.append({name: tensor.clone() for name, tensor in model.state_dict().items()})

    expected = {name: tensor.clone() for name, tensor in small().state_dict().items()}
    made = train(small(), TRAINING, HELD_OUT, seed=4, epochs=1, batch_rows=200, average=0.15, after_step=look)
    for step, state in enumerate(moved, start=1):
        decay = min(0.15, step / (10 + step))
        expected = {name: decay * expected[name] + (1 - decay) * tensor for name, tensor in state.items()}
    assert len(moved) > 2
    for name, tensor in made.named_parameters():
        torch.testing.assert_close(tensor, expected[name])


def test_a_hook_may_hold_weights_at_zero() -> None:
    """Pruning puts its mask back after each step, so masked weights are zero in what is kept."""
    steps: list[int] = []
    model = small()
    mask = (torch.arange(8 * COLUMNS).reshape(8, COLUMNS) % 2).float()

    def prune(pruned: nn.Module, step: int) -> None:
        steps.append(step)
        with torch.no_grad():
            pruned.get_parameter("stages.0.weight").mul_(mask)

    prune(model, 0)
    train(model, TRAINING, HELD_OUT, seed=1, epochs=2, after_step=prune)
    assert steps == [0, 1, 2, 3, 4]  # 600 rows are two batches of 512
    assert (model.get_parameter("stages.0.weight")[mask == 0] == 0).all()
    assert (model.get_parameter("stages.0.weight")[mask == 1] != 0).any()


def test_a_student_learns_from_the_teacher_alone() -> None:
    """With alpha 1 the clicks do not count: the student follows a teacher that contradicts them."""
    teacher = (-3 * TRAINING.x[:, 0]).astype(np.float32)
    against = HELD_OUT._replace(clicked=HELD_OUT.x[:, 0] < 0)
    student = train(
        small(), TRAINING, against, seed=1, epochs=15, learning_rate=1e-2, teacher_logits=teacher, alpha=1,
        temperature=2,
    )  # fmt: skip
    assert np.corrcoef(logits_of(student, HELD_OUT), -HELD_OUT.x[:, 0])[0, 1] > 0.4


def test_the_distillation_loss_by_hand() -> None:
    """(1 - alpha) clicks + alpha T^2 BCE(z / T, sigmoid(t / T)), one row on paper."""
    logits, said = torch.tensor([0.8]), torch.tensor([-1.2])
    p, q = 1 / (1 + np.exp(-0.4)), 1 / (1 + np.exp(0.6))
    by_hand = 0.7 * 0.5 + 0.3 * 4 * -(q * np.log(p) + (1 - q) * np.log(1 - p))
    assert distilled_loss(torch.tensor(0.5), logits, said, 0.3, 2.0).item() == pytest.approx(by_hand, rel=1e-5)


def test_the_listwise_loss_by_hand() -> None:
    """-log softmax of the clicked within its impression, mean over clicks; other impressions do not count."""
    logits = torch.tensor([1.0, 0.0, 2.0, 500.0, 499.0])
    clicked = torch.tensor([1.0, 0.0, 0.0, 0.0, 1.0])
    groups = torch.tensor([7, 7, 7, 3, 3])
    by_hand = (np.log(np.e + 1 + np.e**2) - 1 + np.log(1 + np.e)) / 2
    assert clicks_loss(logits, clicked, groups, 1.0).item() == pytest.approx(by_hand, rel=1e-5)
    assert clicks_loss(logits, clicked, groups, 0.0).item() == pytest.approx(bce(logits, clicked).item())


@given(sizes=st.lists(st.integers(1, 30), min_size=1, max_size=40), size=st.integers(1, 60), seed=st.integers(0, 9))
def test_batches_hold_whole_impressions(sizes: list[int], size: int, seed: int) -> None:
    """Each row once, no impression in two batches, none empty, and none over the size by more than an impression."""
    impression = np.repeat(np.arange(len(sizes)) * 3, sizes)
    batches = whole_impressions(impression, size, np.random.default_rng(seed))
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(impression)))
    met = [set(impression[batch].tolist()) for batch in batches]
    assert sum(map(len, met)) == len(sizes)
    assert all(0 < len(batch) < size + max(sizes) for batch in batches)


def nan_rows() -> Rows:
    """Good rows with one bad value."""
    x = TRAINING.x.copy()
    x[17, 5] = np.nan
    return TRAINING._replace(x=x)


@pytest.mark.parametrize(
    ("training", "held_out", "message"),
    [
        (TRAINING.take(np.zeros(600, bool)), HELD_OUT, "no training rows"),
        (TRAINING.take(TRAINING.clicked), HELD_OUT, "training rows hold only clicks"),
        (TRAINING.take(~TRAINING.clicked), HELD_OUT, "training rows hold no click"),
        (TRAINING, HELD_OUT.take(~HELD_OUT.clicked), "held-out rows hold no click"),
        (TRAINING, HELD_OUT.take(np.zeros(300, bool)), "no training rows"),
        (nan_rows(), HELD_OUT, "NaN or infinity in feature column 5"),
    ],
)
def test_rows_nothing_can_be_learned_from_are_refused(training: Rows, held_out: Rows, message: str) -> None:
    """Empty, one-class and NaN rows, each with what was expected."""
    with pytest.raises(DataError, match=message):
        train(small(), training, held_out, seed=1, epochs=1)


def test_a_diverging_training_ends_at_once() -> None:
    """A loss that is not a number is an error with the cure, not a model full of NaN."""

    def spoil(model: nn.Module, step: int) -> None:
        with torch.no_grad():
            model.get_parameter("stages.1.weight").fill_(torch.nan)

    with pytest.raises(DataError, match=r"loss is nan.*diverged; lower the learning rate"):
        train(small(), TRAINING, HELD_OUT, seed=1, epochs=1, after_step=spoil)


@pytest.mark.parametrize(
    ("teacher", "message"),
    [
        (None, "without a teacher"),
        (np.zeros(7, np.float32), "expected 600 finite"),
        (np.full(600, np.inf, np.float32), "expected 600 finite"),
    ],
)
def test_a_teacher_that_does_not_fit_is_refused(teacher: FloatArray | None, message: str) -> None:
    """Logits are those of the training rows, all of them."""
    with pytest.raises(DataError, match=message):
        train(small(), TRAINING, HELD_OUT, seed=1, epochs=1, teacher_logits=teacher, alpha=0.5)
