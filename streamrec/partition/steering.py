"""What commands do to one partition: the policy and the articles decisions see, what meets its readers again, waves.

    stop, resume      everything: nobody meets anything meanwhile, and articles wait; a category: its articles are not
                      fresh, and meet their readers when it is resumed
    hold, release     an article is not fresh; released, it meets its readers as after an embargo
    approve           a version for which two persons are asked meets its readers when the second has approved it; a
                      later one waits again, and so does its correction of what was pushed
    pin, unpin        the policy with another number
    retract           the article is never pushed again, and a wave takes back what was pushed (waves.py)
    correct           a wave replaces what was pushed of earlier versions by the newest version, which is the newest one
                      that reached `articles` until the command was given, and may reach the partition after it; one
                      that comes while the wave is on its way begins it anew

All of it is in the changelog, a record for each statement, wave and so on, written when it changes, in the transaction
of the cursor. Keys begin with 0xFF "control/".
"""

from collections.abc import Iterable
from typing import Any, cast

import msgspec
import numpy as np

from ..arrays import UIntArray
from ..contracts.article import AnalysedArticle
from ..contracts.control import Command
from ..engine.catalog import Catalog, Change
from ..engine.control import ControlState, Statement, Target, is_approved
from ..engine.policy.config import Policy
from .article_queue import ArticleQueue
from .changelog_meta import CONTROL_PREFIX
from .changes import Changes
from .waves import Wave, Waves

SKEW_MS = 5_000  # a desk's clock may be so far behind the brokers': a version of that moment is still meant
MOST_EDITIONS = 4096


class Edition(msgspec.Struct, frozen=True):
    """The newest version of an article of which there was an earlier one."""

    at_s: int  # policy time at which it was taken in
    digest: int
    corrected: bool = False  # it was sent to those who had got an earlier one


class Steering:
    """What was commanded, and what of it is still to be done, for one partition."""

    def __init__(self, policy: Policy, catalog: Catalog, queue: ArticleQueue) -> None:
        self.state, self.waves = ControlState(), Waves()
        self.policy = self._of_settings = policy
        self._catalog, self._queue = catalog, queue
        self._reopened: set[Target] = set()  # whose articles are to meet their readers again
        self._editions: dict[str, Edition] = {}
        self._changed: dict[str, Any] = {}  # reopened and editions: log key -> what is written, None: a tombstone

    @property
    def stopped(self) -> bool:
        """Whether everything is stopped."""
        return self.policy.stopped_until_s > 0

    def apply(self, commands: Iterable[Command], now_ms: int, changes: Changes) -> None:
        """Take commands in, in the order of the log."""
        for command in commands:
            applied = self.state.apply(command)
            changes.commands[command.action, applied.new] += 1
            if applied.new:
                was_on = applied.was is not None and applied.was.on
                self._take_effect(applied.target, was_on, now_ms)
                if is_approved(applied.said) > is_approved(applied.was) and self._of_settings.two_persons != "off":
                    self._reopen(applied.target)
        self.lift_ended(now_ms)
        self.state.prune(now_ms, lambda article_id: self._catalog.slot(article_id) is not None)

    def lift_ended(self, now_ms: int) -> None:
        """Lift what has ended by itself. To be told the time now and then; not logged, as it follows from the time."""
        for target in self.state.lift_ended(now_ms):
            self._take_effect(target, True, now_ms)

    def _take_effect(self, target: Target, was_on: bool, now_ms: int) -> None:
        is_on = self.state.is_on(*target)
        match target.kind:
            case "everything" | "setting":
                self.policy = self.state.policy(self._of_settings)
            case "category" | "article" | "approve":
                self.mark(self._articles_of(target))
                if was_on and not is_on:
                    self._reopen(target)
            case "retract":
                self.mark(self._articles_of(target))
                self.waves.drop("correct", target.name)
                if not was_on:
                    self._start("retract", target, 0)
            case "correct":
                self._correct(target, now_ms)

    # --- articles -----------------------------------------------------------------------------------------------------

    def took_in(self, article: AnalysedArticle, change: Change, now_ms: int) -> None:
        """A version of an article has come; the newest one counts, which may be another."""
        self.mark(self._articles_of(Target("article", article.article_id)))
        if change == "updated":
            self._note_edition(article.article_id, Edition(now_ms // 1000, article.digest))
            target = Target("correct", article.article_id)
            said = self.state[target]
            meant = said is not None and article.known_at_ms <= said.at_ms + SKEW_MS
            if meant or self.waves.is_on("correct", article.article_id):
                self._correct(target, now_ms)
        elif change == "withdrawn":
            self.waves.drop("correct", article.article_id)

    def _correct(self, target: Target, now_ms: int) -> None:
        slot, edition = self._catalog.slot(target.name), self._editions.get(target.name)
        article = None if slot is None else self._catalog.articles[slot]
        if article is None or article.status == "withdrawn" or self.state.is_on("retract", target.name):
            return
        if edition is None and 0 < article.first_known_at_ms < article.known_at_ms:
            edition = Edition(now_ms // 1000, article.digest)  # taken in by a release that noted nothing
        if edition is not None and not edition.corrected:
            self._note_edition(target.name, msgspec.structs.replace(edition, corrected=True))
            self._start("correct", target, edition.at_s)

    def _start(self, kind: Any, target: Target, before_s: int) -> None:
        said = self.state[target]
        assert said is not None
        if self._catalog.slot(target.name) is not None:
            self.waves.start(Wave(kind, target.name, said.command_id, said.at_ms, before_s))

    def _note_edition(self, article_id: str, edition: Edition) -> None:
        if len(self._editions) >= MOST_EDITIONS and article_id not in self._editions:
            gone = [known for known in self._editions if self._catalog.slot(known) is None]
            for known in gone or [next(iter(self._editions))]:
                del self._editions[known]
                self._changed[f"edition/{known}"] = None
        self._editions[article_id] = edition
        self._changed[f"edition/{article_id}"] = edition

    def _articles_of(self, target: Target) -> list[AnalysedArticle]:
        if target.kind == "category":
            return [known for known in self._catalog.articles if known and known.category == target.name]
        slot = self._catalog.slot(target.name)
        article = None if slot is None else self._catalog.articles[slot]
        return [] if article is None else [article]

    def mark(self, articles: Iterable[AnalysedArticle]) -> None:
        """Write into the catalog's columns what holds for these articles, all of which it knows."""
        is_on, columns = self.state.is_on, self._catalog
        for article in articles:
            slot = columns.slot(article.article_id)
            assert slot is not None
            awaited = self.state.is_awaited(article, self._of_settings.two_persons)
            columns["held"][slot] = awaited or is_on("article", article.article_id)
            columns["retracted"][slot] = is_on("retract", article.article_id)
            columns["stopped"][slot] = is_on("category", article.category)

    def mark_known(self, article_ids: Iterable[str]) -> None:
        """The same of the newest versions of these, as far as the catalog has them: what came without `took_in`."""
        for article_id in dict.fromkeys(article_ids):
            self.mark(self._articles_of(Target("article", article_id)))

    def _reopen(self, target: Target) -> None:
        self._reopened.add(target)
        self._changed[f"open/{target.path}"] = True
        self._queue_again(target)

    def _queue_again(self, target: Target) -> None:
        for article in sorted(self._articles_of(target), key=lambda one: (one.known_at_ms, one.article_id)):
            self._queue.reopened(article.article_id, target)

    def may_correct(self, article_id: str) -> bool:
        """Whether the newest version may replace what was pushed: not while it waits for a second person."""
        newest = self._articles_of(Target("article", article_id))
        return not any(self.state.is_awaited(article, self._of_settings.two_persons) for article in newest)

    # --- waves and waiting --------------------------------------------------------------------------------------------

    def sooner(self, opens_s: UIntArray) -> UIntArray:
        """When to look again at users whom a gate keeps back until `opens_s`: no later than when a pinned cap ends."""
        pinned = self.state.pins().get("daily_cap")
        if pinned is None:
            return opens_s
        return np.where(opens_s > 0, np.minimum(opens_s, np.uint32(-(-pinned.until_ms // 1000))), np.uint32(0))

    # --- the log ------------------------------------------------------------------------------------------------------

    def records(self) -> list[tuple[bytes, bytes | None]]:
        """Changelog records of all that has changed since this was last asked."""
        waiting = self._queue.reopened_targets() if self._reopened else ()
        for target in [target for target in self._reopened if target not in waiting]:
            self._reopened.discard(target)
            self._changed[f"open/{target.path}"] = None
        changed: dict[str, Any] = {f"said/{target.path}": said for target, said in self.state.take_changed()}
        changed |= {f"wave/{kind}/{article_id}": wave for (kind, article_id), wave in self.waves.take_changed()}
        changed |= self._changed
        self._changed = {}
        return [
            (CONTROL_PREFIX + name.encode(), None if value is None else msgspec.json.encode(value))
            for name, value in changed.items()
        ]

    def follow(self, records: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Take from the log what is written there, once the catalog is as it was; None: it is over."""
        records = list(records)
        for key, value in records:
            what, _, rest = key.removeprefix(CONTROL_PREFIX).decode().partition("/")
            kind, _, name = rest.partition("/")
            if what == "said":
                said = None if value is None else msgspec.json.decode(value, type=Statement)
                self.state.restore(Target.at(rest), said)
            elif what == "wave":
                self.waves.restore(
                    cast(Any, kind), name, None if value is None else msgspec.json.decode(value, type=Wave)
                )
            elif what == "edition" and value is not None:
                self._editions[rest] = msgspec.json.decode(value, type=Edition)
            elif what == "open" and value is not None:
                self._reopened.add(Target.at(rest))
        if records:
            self.policy = self.state.policy(self._of_settings)
            self.mark([known for known in self._catalog.articles if known])
        for target in sorted(self._reopened):
            self._queue_again(target)
