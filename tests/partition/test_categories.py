"""A newsroom's own sections from the pipeline to the push: what a reader is told, and what rests after a dislike."""

import msgspec
import numpy as np
import pytest
from making import HOUR, T0, AffinityScores, applied, click, policy, pushes

from streamrec.content.encoder import HashedEncoder
from streamrec.content.pipeline import ContentPipeline
from streamrec.contracts.event import Action, UserEvent
from streamrec.contracts.ids import SHARED_CATEGORY
from streamrec.contracts.push import Push
from streamrec.contracts.records import RawRecord, Topic
from streamrec.engine.features.inputs import Inputs
from streamrec.engine.pairs import Pairs
from streamrec.engine.profiles.store import Users
from streamrec.partition.changes import Changes
from streamrec.partition.intake import Batch
from streamrec.partition.partition import Partition, PartitionContext
from streamrec.settings import load
from streamrec.terminal.push_sentence import sentence

GERMAN = (
    "politik", "wirtschaft", "kultur", "sport", "meinung", "inland", "ausland", "panorama", "wissen", "reise",
    "digital", "gesundheit", "auto", "karriere", "lokales", "feuilleton", "medien", "wetter", "geld", "leben",
)  # fmt: skip
SECTIONS = (*GERMAN, *(f"ressort {number}" for number in range(14)))


class Newsroom:
    """A pipeline, and one partition that reads what it writes; whoever meets an article may get it."""

    def __init__(self) -> None:
        self.pipeline = ContentPipeline(load({}), HashedEncoder())
        everything = policy(min_score=0)._replace(min_affinity=-100, daily_cap=99)
        self.partition = Partition(PartitionContext(0, everything, AffinityScores()))
        self.articles = 0

    def publish(self, category: str) -> list[Push]:
        """An article of no words but its own, about nothing else."""
        article_id = f"a{self.articles}"
        value = {"article_id": article_id, "title": f"xq{self.articles}", "published_at_ms": T0, "category": category}
        self.articles += 1
        done = self.pipeline.analyse([RawRecord(0, T0, article_id.encode(), msgspec.json.encode(value))])
        return pushes(self._apply("catalog", [RawRecord(0, T0, *record) for record in done.catalog]))

    def offer(self, category: str, *acts: tuple[Action, str]) -> Push | None:
        """An article of this section meets a reader who is new but for what they did in these sections."""
        user = f"u{self.articles}"
        self.hear(
            *(UserEvent(user_id=user, action=what, at_ms=T0, article_id=f"a{SECTIONS.index(at)}") for what, at in acts)
        )
        return next((push for push in self.publish(category) if push.user_id == user), None)

    def hear(self, *events: UserEvent) -> None:
        """Of readers."""
        self._apply("events", [RawRecord(0, T0, None, msgspec.json.encode(event)) for event in events])

    def _apply(self, topic: Topic, records: list[RawRecord]) -> Changes:
        first = self.partition.cursor.get(topic, 0)
        numbered = [record._replace(offset=first + n) for n, record in enumerate(records)]
        return applied(self.partition, Batch(topic, numbered, first + len(numbered)))


@pytest.fixture
def newsroom() -> Newsroom:
    """Every section has one article, in order; nobody has read anything yet."""
    made = Newsroom()
    for section in SECTIONS:
        made.publish(section)
    return made


def test_reads_are_counted_by_the_name_of_their_category(newsroom: Newsroom) -> None:
    """Whoever read culture and sport is told of none but the section at hand, even where sections share a slot."""
    read = ("kultur", "sport", SECTIONS[-1])
    found = {name: newsroom.offer(name, *(("click", section) for section in read)) for name in SECTIONS}
    reasons = {name: push.reason for name, push in found.items() if push}
    assert {name for name, reason in reasons.items() if reason.code == "recent_reads"} == set(read)
    assert reasons["kultur"].args == {"category": "kultur", "count": 1}
    assert {name for name, reason in reasons.items() if reason.code == "similar_interest"} == {*SECTIONS} - {*read}


def test_no_category_is_no_reason(newsroom: Newsroom) -> None:
    """Two articles without one have nothing in common, and no sentence ends in the air."""
    newsroom.publish("")
    newsroom.hear(click("u", f"a{len(SECTIONS)}"))
    (push,) = newsroom.publish("")
    assert push.reason.code == "similar_interest"
    assert "similar to earlier reads (no category)" in sentence(push, 1)


@pytest.mark.parametrize("action", ["dislike", "dismiss"])
def test_a_dislike_rests_its_own_section_alone(newsroom: Newsroom, action: Action) -> None:
    """Not home news for an opinion piece."""
    found = {name: newsroom.offer(name, ("click", "politik"), (action, "meinung")) for name in SECTIONS}
    assert {name for name, push in found.items() if not push} == {"meinung"}


def test_a_shared_slot_never_rests(newsroom: Newsroom) -> None:
    """Neither does a dislike of one of its categories take a place among the few that do."""
    assert all(newsroom.offer(name, ("click", "politik"), ("dislike", SECTIONS[-1])) for name in SECTIONS)
    assert not newsroom.partition.profiles["negatives"]["until_s"].any()


def test_the_ranker_sees_no_reads_in_a_shared_slot(newsroom: Newsroom) -> None:
    """They may be of any section; those in a slot of its own it does see."""
    newsroom.hear(*(click("u", f"a{number}") for number in (0, len(SECTIONS) - 2)))
    slots = np.array([0, 1, len(SECTIONS) - 1])
    users = Users(newsroom.partition.profiles, np.zeros(len(slots), np.intp))
    pairs = Pairs(users, newsroom.partition.catalog, slots, np.zeros(len(slots), np.float32))
    assert Inputs(pairs, T0, HOUR).category.tolist() == [1, 0, 0]


def test_affinities_are_kept_by_section(newsroom: Newsroom) -> None:
    """One read of each: one in every slot, the rest in the shared one."""
    newsroom.hear(*(click("u", f"a{number}") for number in range(len(SECTIONS))))
    affinity = newsroom.partition.profiles["category_affinity"][0].astype(np.float32)
    assert affinity[:SHARED_CATEGORY].tolist() == [1.0] * SHARED_CATEGORY
    assert affinity[SHARED_CATEGORY] == len(SECTIONS) - SHARED_CATEGORY
