"""The verdict keeps its promises: level, power, monotony, and the number of impressions it asks for."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from streamrec.arrays import DoubleArray
from streamrec.compression.verdict import MAX_NEEDED, Verdict, judge, judge_together, verdicts
from streamrec.errors import DataError
from streamrec.training.evaluate import MIN_USERS, Quality, resampled

aucs = arrays(np.float64, st.shared(st.integers(MIN_USERS, MIN_USERS + 40), key="m"), elements=st.floats(0.05, 1))


def world(
    rng: np.random.Generator, users: int, loss: float, spread: float = 0.05
) -> tuple[DoubleArray, DoubleArray, DoubleArray]:
    """Teacher and candidate AUC of three impressions a user, the candidate worse by `loss` on average."""
    user = np.repeat(np.arange(users), 3)
    teacher = rng.uniform(0.5, 0.9, len(user))
    noise = np.repeat(rng.normal(0, spread, users), 3)  # of a user: his impressions lean the same way
    return teacher, teacher - loss * 0.7 + noise, user.astype(float)


@settings(max_examples=20, deadline=None)
@given(teacher=aucs, candidate=aucs, budget=st.floats(0, 0.2), seed=st.integers(0, 5))
def test_the_outcome_follows_from_the_bounds(
    teacher: DoubleArray, candidate: DoubleArray, budget: float, seed: int
) -> None:
    """pass, fail and not decidable are exactly the three places the budget can have, and bounds are in order."""
    found = judge(teacher, candidate, np.arange(len(teacher)), budget, seed)
    assert found.lower_95 <= found.upper_95
    expected = "pass" if found.upper_95 <= budget else "fail" if found.lower_95 > budget else "not decidable"
    assert found.outcome == expected
    assert (found.impressions_needed is None) == (expected != "not decidable")
    assert found.impressions_needed is None or found.impressions_needed > len(teacher)


@settings(max_examples=10, deadline=None)
@given(teacher=aucs, candidate=aucs, seed=st.integers(0, 5))
def test_a_larger_budget_never_turns_pass_into_fail(teacher: DoubleArray, candidate: DoubleArray, seed: int) -> None:
    """The outcome is monotone in the budget."""
    order = {"fail": 0, "not decidable": 1, "pass": 2}
    found = [order[judge(teacher, candidate, np.arange(len(teacher)), b, seed).outcome] for b in (0, 0.01, 0.1, 0.9)]
    assert found == sorted(found)


@settings(max_examples=10, deadline=None)
@given(teacher=aucs, seed=st.integers(0, 5))
def test_a_copy_passes_and_has_no_loss(teacher: DoubleArray, seed: int) -> None:
    """The same scores are within any budget, 0 included."""
    found = judge(teacher, teacher.copy(), np.arange(len(teacher)), 0.0, seed)
    assert (found.outcome, found.loss, found.upper_95) == ("pass", 0, 0)


@settings(max_examples=10, deadline=None)
@given(teacher=aucs, candidate=aucs, scale=st.floats(0.1, 10), seed=st.integers(0, 5))
def test_the_loss_is_relative(teacher: DoubleArray, candidate: DoubleArray, scale: float, seed: int) -> None:
    """Another unit of the metric changes nothing."""
    users = np.arange(len(teacher)) // 2
    one, other = (judge(a * teacher, a * candidate, users, 0.01, seed) for a in (1, scale))
    assert one.loss == pytest.approx(other.loss)
    assert one.upper_95 == pytest.approx(other.upper_95)


def sampled_losses(teacher: DoubleArray, candidate: DoubleArray, users: DoubleArray, seed: int) -> DoubleArray:
    """Losses over the bootstrap's samples of whole users, written a second time."""
    of = np.array([[teacher[users == user].sum(), candidate[users == user].sum()] for user in np.unique(users)])
    drawn = np.array([weights @ of for weights in resampled(len(of), seed)])
    return np.asarray(1 - drawn[:, 1] / drawn[:, 0])


@pytest.mark.parametrize("loss", [-0.01, 0.004, 0.02])
def test_bounds_of_one_are_quantiles_of_its_samples(loss: float) -> None:
    """Of one candidate the bounds are the 5 % and 95 % quantiles of the loss over samples, and the error its spread."""
    teacher, candidate, users = world(np.random.default_rng(8), 120, loss)
    samples = sampled_losses(teacher, candidate, users, 3)
    found = judge(teacher, candidate, users, 0.005, 3)
    assert (found.lower_95, found.upper_95) == pytest.approx(tuple(np.quantile(samples, [0.05, 0.95])), rel=1e-6)
    assert found.standard_error == pytest.approx(samples.std(), rel=1e-6)
    assert found.loss == pytest.approx(1 - candidate.mean() / teacher.mean())


def test_above_the_budget_the_lower_bound_says_how_many_are_needed() -> None:
    """The formula of the docstring on its other side, where the two bounds are not equally far."""
    rng = np.random.default_rng(9)
    teacher = rng.uniform(0.5, 0.9, 200)
    candidate = teacher - 0.006 + 0.9 * (np.arange(200) == 0)  # one large gain: the distribution leans
    found = judge(teacher, candidate, np.arange(200), 0.0, 1)
    assert (found.outcome, found.loss > 0) == ("not decidable", True)
    reach = found.loss - found.lower_95 + 0.8416 * found.standard_error
    assert found.loss - found.lower_95 != pytest.approx(found.upper_95 - found.loss, rel=0.02)
    assert found.impressions_needed == pytest.approx(200 * (reach / found.loss) ** 2, rel=0.01)


def test_few_users_need_as_many_impressions_as_enough_users_show() -> None:
    """Half of the users that are needed: at least twice the impressions, and one more than there are."""
    teacher = np.full(200, 0.6)
    found = judge(teacher, teacher + 0.1, np.arange(200) % 50, 0.005, 1)
    assert found.impressions_needed == 401


def test_a_loss_at_the_budget_itself_is_never_decided() -> None:
    """No number of impressions is enough where the measured loss is the budget; the number is bounded."""
    teacher, candidate, users = world(np.random.default_rng(10), 120, 0.01)
    loss = judge(teacher, candidate, users, 0.005, 1).loss
    assert judge(teacher, candidate, users, loss, 1).impressions_needed == MAX_NEEDED
    assert judge(teacher, candidate, users, loss + 1e-12, 1).impressions_needed == MAX_NEEDED


def test_the_upper_bound_covers_at_its_level() -> None:
    """Of 100 samples the true loss lies below the bound in about 95 % (binomial limits: 88 to 99 %)."""
    rng = np.random.default_rng(1)
    held = 0
    for seed in range(100):
        teacher, candidate, users = world(rng, 150, loss=0.01)
        held += judge(teacher, candidate, users, 0.005, seed).upper_95 >= 0.01
    assert 88 <= held <= 99


def test_a_loss_above_the_budget_is_rarely_passed() -> None:
    """At a true loss of the budget itself at most about 5 % pass (binomial limit 12 of 100)."""
    rng = np.random.default_rng(2)
    passed = sum(judge(*world(rng, 150, loss=0.005), 0.005, seed).outcome == "pass" for seed in range(100))
    assert passed <= 12


def test_as_many_impressions_as_it_asked_for_decide() -> None:
    """The named number is the documented formula's, and so many from the same world decide in four cases of five."""
    rng = np.random.default_rng(3)
    found = judge(*world(rng, 100, loss=0.0, spread=0.02), 0.003, 1)
    needed = found.impressions_needed
    assert needed is not None
    reach = found.upper_95 - found.loss + 0.8416 * found.standard_error
    assert needed == pytest.approx(300 * (reach / (0.003 - found.loss)) ** 2, rel=0.01)
    users = round(((1.645 + 0.8416) * 0.02 / 0.7 / 0.003) ** 2)  # the formula with the world's own spread and loss
    decided = sum(judge(*world(rng, users, loss=0.0, spread=0.02), 0.003, s).outcome == "pass" for s in range(50))
    assert 32 <= decided <= 47  # binomial limits of 80 %


def test_impressions_of_one_user_are_not_independent() -> None:
    """Ten copies of each impression by the same users leave the bounds where they were."""
    teacher, candidate, users = world(np.random.default_rng(4), 100, loss=0.0)
    one = judge(teacher, candidate, users, 0.005, 1)
    ten = judge(np.tile(teacher, 10), np.tile(candidate, 10), np.tile(users, 10), 0.005, 1)
    assert ten.upper_95 == pytest.approx(one.upper_95)


def test_a_verdict_that_names_no_others_is_of_one() -> None:
    """Kept results of a candidate that was judged alone."""
    teacher, candidate, users = world(np.random.default_rng(4), 100, loss=0.0)
    found = judge(teacher, candidate, users, 0.005, 1)
    kept = {name: value for name, value in msgspec.to_builtins(found).items() if name != "together"}
    assert msgspec.convert(kept, Verdict) == found


def test_a_handful_of_users_decides_nothing() -> None:
    """Below MIN_USERS even a clear gain is not decidable, and the message says how much more there must be."""
    teacher = np.full(2 * MIN_USERS, 0.6)
    found = judge(teacher, teacher + 0.1, np.arange(2 * MIN_USERS) % (MIN_USERS - 1), 0.005, 1)
    assert found.outcome == "not decidable"
    assert found.says() == (
        "not decidable: 99 readers, and under 100 nothing is decided; needs about 200 impressions for a decision with a"
        " chance of 80 %"
    )


def several(rng: np.random.Generator, count: int, loss: float) -> tuple[DoubleArray, list[DoubleArray], DoubleArray]:
    """Candidates of one teacher, each with noise of its own."""
    teacher, _, users = world(rng, 120, loss)
    noise = (np.repeat(rng.normal(0, 0.05, 120), 3) for _ in range(count))
    return teacher, [teacher - loss * 0.7 + own for own in noise], users


def test_the_best_of_many_is_rarely_passed_at_the_budget() -> None:
    """Nine candidates that all lose the budget itself: in at most about 5 % of the cases does even one of them pass."""
    rng = np.random.default_rng(6)
    passed = alone = 0
    for seed in range(100):
        teacher, candidates, users = several(rng, 9, loss=0.005)
        found = judge_together(teacher, candidates, users, 0.005, seed)
        passed += any(verdict.outcome == "pass" for verdict in found)
        alone += any(verdict.loss + 1.645 * verdict.standard_error <= 0.005 for verdict in found)
    assert passed <= 12  # binomial limit of 5 %
    assert alone > 20  # each at its own 5 %


def test_bounds_that_hold_together_are_wider() -> None:
    """Who judges ten candidates on the same users must be surer of each; ten times the same one is one."""
    teacher, candidates, users = several(np.random.default_rng(5), 10, loss=0.0)
    together = judge_together(teacher, candidates, users, 0.005, 1)
    same = judge_together(teacher, candidates[:1] * 10, users, 0.005, 1)
    for candidate, verdict in zip(candidates, together, strict=True):
        one = judge(teacher, candidate, users, 0.005, 1)
        assert verdict.upper_95 > one.upper_95
        assert verdict.lower_95 < one.lower_95
        assert (verdict.loss, verdict.together, one.together) == (one.loss, 10, 1)
    assert same[0].upper_95 == pytest.approx(judge(teacher, candidates[0], users, 0.005, 1).upper_95)


def test_a_copy_among_others_costs_them_nothing() -> None:
    """What cannot vary takes no share of the 5 %, and passes still."""
    teacher, (candidate,), users = several(np.random.default_rng(7), 1, loss=0.0)
    found = judge_together(teacher, [candidate, teacher.copy()], users, 0.005, 1)
    assert found[0].upper_95 == pytest.approx(judge(teacher, candidate, users, 0.005, 1).upper_95)
    assert (found[1].outcome, found[1].upper_95) == ("pass", 0)


def test_what_does_not_pair_is_refused() -> None:
    """Columns of different lengths, other impressions, a teacher of quality 0: each says what was expected."""
    a = np.full(30, 0.5)
    with pytest.raises(DataError, match="pairs impressions"):
        judge(a, a[:20], np.arange(30), 0.005, 1)
    with pytest.raises(DataError, match="mean quality is 0"):
        judge(a * 0, a, np.arange(30), 0.005, 1)
    with pytest.raises(DataError, match="different impressions"):
        verdicts(Quality(np.arange(30), a, a, a, a), [Quality(np.arange(1, 31), a, a, a, a)], np.arange(30), 0.005, 1)
