"""Commands read a second time, plainly: what is stopped and held, and who may be sent a retraction or a correction.

Of the statements on one target the last one counts; at equal times the one that says no, and of these the longest. No
code is shared with engine/control.py and partition/steering.py. Whether everybody got what was taken back is judged for
articles that the partition knew when that was said: of others nothing can be taken back.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ...contracts.article import AnalysedArticle
from ...contracts.control import Command
from ...contracts.push import Push

NO = ("stop", "hold", "retract", "pin")
FOR_EVER = 10**18


@dataclass
class Commands:
    """What one partition was commanded, and what it has sent because of that. `two_persons`: the setting."""

    two_persons: str = "off"
    approved: dict[tuple[str, int], set[str]] = field(default_factory=dict)  # version of an article -> by whom
    said: dict[str, Command] = field(default_factory=dict)  # by what it is about
    got: dict[str, dict[str, int]] = field(default_factory=dict)  # article -> reader -> version of the push
    sent: set[tuple[str, str, str, str]] = field(default_factory=set)  # kind, reader, article, push id
    to_have: dict[str, dict[str, int]] = field(
        default_factory=dict
    )  # retracted article -> its readers when that was said

    def take(self, command: Command, known: bool) -> None:
        """Apply one command; `known`: the partition knows its article."""
        if command.action in ("preferences", "erasure"):
            return  # they say who asked for what stands in other topics
        if command.action == "approve":
            version = command.article_id, command.digest
            self.approved.setdefault(version, set()).add(command.who.casefold())
            return
        if command.action == "retract" and known and "retract" + command.article_id not in self.said:
            self.to_have[command.article_id] = dict(self.got.get(command.article_id, {}))
        about = {
            "retract": "retract" + command.article_id, "correct": "correct" + command.article_id,
            "hold": "hold" + command.article_id, "release": "hold" + command.article_id,
            "stop": "stop" + command.category, "resume": "stop" + command.category,
        }.get(command.action, command.setting)  # fmt: skip
        before = self.said.get(about)
        if before is None or _rank(command) > _rank(before):
            self.said[about] = command

    def against(self, article: AnalysedArticle, at_ms: int) -> Iterator[str]:
        """What stands against a push of this article at this moment."""
        for about, words in (
            ("stop", "a stop of everything"),
            ("stop" + article.category, "a stop of its category"),
            ("hold" + article.article_id, "a hold"),
            ("retract" + article.article_id, "a retraction"),
        ):
            command = self.said.get(about)
            if command is not None and command.action in NO and at_ms < (command.until_ms or FOR_EVER):
                yield words
        if self.waits(article):
            yield "a second person's approval that is missing"

    def waits(self, article: AnalysedArticle) -> bool:
        """Whether two persons have to approve this version, and have not."""
        audience = article.audience
        if audience is None or self.two_persons == "off":
            return False
        lists = audience.languages, audience.zones, audience.countries, audience.categories, audience.followers
        is_asked_for = self.two_persons == "audience" or all(names is None for names in lists)
        return is_asked_for and len(self.approved.get((article.article_id, article.digest), ())) < 2

    def pushed(self, push: Push) -> None:
        """A push left."""
        self.got.setdefault(push.article_id, {})[push.user_id] = push.article_version

    def erased(self, user_id: str) -> None:
        """A reader is forgotten: nothing can be taken back from them any more."""
        for readers in (*self.got.values(), *self.to_have.values()):
            readers.pop(user_id, None)
        self.sent = {each for each in self.sent if each[1] != user_id}

    def refuse(self, push: Push) -> Iterator[str]:
        """What is wrong with a record that takes back or corrects; in words."""
        what, one = f"{push.user_id} was sent {push.kind} of {push.article_id}", (push.user_id, push.article_id)
        if push.user_id not in self.got.get(push.article_id, {}):
            yield f"{what}, which it never got"
        if (push.kind, *one, push.push_id) in self.sent:
            yield f"{what} twice"
        if f"{push.kind}{push.article_id}" not in self.said:
            yield f"{what}, which nobody has commanded"
        self.sent.add((push.kind, *one, push.push_id))

    def missing(self, of: set[str]) -> Iterator[str]:
        """Retractions that these readers are to have when all is done, and have not; in words."""
        for article_id, readers in self.to_have.items():
            have = {user_id for kind, user_id, article, _ in self.sent if (kind, article) == ("retract", article_id)}
            if missing := (readers.keys() & of) - have:
                yield f"{len(missing)} readers were sent no retraction of {article_id}"


def _rank(command: Command) -> tuple[int, bool, int, float]:
    says_no = command.action in NO
    return command.at_ms, says_no, (command.until_ms or FOR_EVER) if says_no else 0, command.value
