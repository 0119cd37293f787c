"""The judge shares no rule with what it judges: each of these mistakes in the product is found by simulation."""

import inspect
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from streamrec import decide as deciding
from streamrec.engine import audience, learn, unprofiled
from streamrec.engine.catalog import Catalog
from streamrec.engine.policy.gates import GATES
from streamrec.engine.policy.rules import RULES
from streamrec.engine.profiles import history, interest, searches, statements
from streamrec.engine.profiles.store import ProfileStore
from streamrec.partition.erasures import Erasures
from streamrec.partition.partition import Partition
from streamrec.partition.steering import Steering
from streamrec.tools.chaos.simulate import quietly

SEEDS = range(20_000, 20_150)
MISTAKES: list[tuple[str, Callable[..., Any] | str, str, str]] = [
    ("newest waiting slot overwritten", history.after_unknown, ".argmin(", ".argmax("),
    ("unversioned update stale", Catalog.apply, "article.version < known.version", "article.version <= known.version"),
    ("no eviction by age", Catalog._evict, "full or old", "full"),
    ("cooldown shortened", history.after_dislike, 'until_s > negatives["until_s"][rows, place]', "until_s > 0"),
    ("no _restore_due", Partition.restore, "self._restore_due()", "pass"),
    ("consent by arrival", learn._consent, "(at_ms > before_ms) | (at_ms == before_ms) & out", "at_ms > 0"),
    ("zone by arrival", learn._remember_zones, 'at_s >= profiles.columns["zone_at_s"][rows]', "at_s > 0"),
    ("a repeated act counts", learn._after_one_each, "(events.worth != 0) & ~repeated", "events.worth != 0"),
    ("a full row has no floor", history._room, 'np.maximum(store.columns["floor_s"][rows], floor_s)', "0"),
    ("a repeated search counts", searches.after_search, "np.abs(at_s - before_s) < AGAIN_S", "(at_s < 0)"),
    ("searches by arrival", searches.after_search, "(at_s > before_s)", "(at_s > 0)"),
    ("a search is worth a read", learn._search, "_WORTH[some.code]", "np.ones(len(new), np.float32)"),
    ("patches by arrival", statements.merged, "_rank(name, new) > _rank(name, known)", "True"),
    ("a tombstone is ignored", statements.merged, "max(reset_ms, patch.at_ms)", "0"),
    ("a mute of a source is lost", "muted_source", '"sources"', '"stories"'),
    ("the unprofiled teach", unprofiled._bare, "UserEvent(", "(lambda *_, **__: event)("),
    ("another half-life", interest.decay, "-elapsed_ms / half_life_ms", "-elapsed_ms / half_life_ms / 2"),
    ("late events wake", learn.after_events, "<= policy.late_event_ms", "<= 10 * policy.late_event_ms"),
    ("an audience of all", "outside_audience", "~members(", "False & members("),
    ("a ramp that ends at once", audience.share_at, "now_ms < article.widens_at_ms", "False"),
    ("no interval", "min_interval", "until > now_s", "until > now_s + policy.min_interval_s"),
    ("older events of the erased", Erasures.forgets, "at_ms <= receipt.at_ms", "at_ms < receipt.at_ms - 999"),
    ("receipts lost with the owner", Erasures.restore, "Receipt(**orjson.loads(value))", "Receipt(0)"),
    ("preferences survive an erasure", ProfileStore.forget, "self._unwritten[self.users[row]] = row", "pass"),
    ("a correction waits for nobody", Steering.may_correct, "not any(", "True or not any("),
    ("one push more than the cap", "daily_cap", ">= cap", "> cap"),
]  # fmt: skip
FOUND_BY = {  # the seed that found what few seeds find: tried first, so that a run takes no minutes
    "cooldown shortened": 20_059,
    "consent by arrival": 20_015,
    "a full row has no floor": 20_136,
    "searches by arrival": 20_107,
    "patches by arrival": 20_037,
    "a mute of a source is lost": 20_031,
    "the unprofiled teach": 20_009,
    "a ramp that ends at once": 20_015,
}


def planted(function: Callable[..., Any], old: str, new: str) -> Callable[..., Any]:
    """The function with other words in its source."""
    source = textwrap.dedent(inspect.getsource(function))
    assert old in source, f"{function.__qualname__} no longer says {old!r}: plant this mistake elsewhere"
    names: dict[str, Any] = dict(vars(sys.modules[function.__module__]))
    exec(compile(source.replace(old, new), f"<{function.__name__} with a mistake>", "exec"), names)  # noqa: S102
    wrong: Callable[..., Any] = names[function.__name__]
    return wrong


def plant(monkeypatch: pytest.MonkeyPatch, where: Callable[..., Any] | str, old: str, new: str) -> None:
    """In a class, a module, or, by its reason, among the gates and rules."""
    if isinstance(where, str):
        gates = [
            gate._replace(opens_at=planted(gate.opens_at, old, new)) if gate.reason == where else gate for gate in GATES
        ]
        rules = [
            rule._replace(suppresses=planted(rule.suppresses, old, new)) if rule.reason == where else rule
            for rule in RULES
        ]
        monkeypatch.setattr(deciding, "GATES", gates)
        monkeypatch.setattr(deciding, "RULES", rules)
        return
    wrong = planted(where, old, new)
    if "." in where.__qualname__:
        owner = getattr(sys.modules[where.__module__], where.__qualname__.split(".")[0])
        monkeypatch.setattr(owner, where.__name__, wrong)
        return
    users = (module for name, module in sys.modules.items() if name.startswith("streamrec"))
    for module in [module for module in users if vars(module).get(where.__name__) is where]:
        monkeypatch.setattr(module, where.__name__, wrong)


@pytest.mark.slow
@pytest.mark.parametrize(("mistake", "where", "old", "new"), MISTAKES, ids=[mistake for mistake, *_ in MISTAKES])
def test_a_mistake_in_the_product_is_found(
    monkeypatch: pytest.MonkeyPatch, mistake: str, where: Callable[..., Any] | str, old: str, new: str
) -> None:
    """Within some seeds, by the judge alone."""
    plant(monkeypatch, where, old, new)
    first = [FOUND_BY[mistake]] if mistake in FOUND_BY else []
    assert any(not quietly(seed).holds for seed in (*first, *SEEDS)), mistake
