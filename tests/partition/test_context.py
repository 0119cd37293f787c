"""What a partition is given for life, in its units."""

from making import AffinityScores, policy

from streamrec.content.encoder import HashedEncoder
from streamrec.content.query import Queries
from streamrec.contracts.records import TOPICS
from streamrec.engine.policy.config import Policy
from streamrec.partition.context import PartitionContext
from streamrec.settings import load


def test_each_setting_has_its_unit() -> None:
    """Days become milliseconds, and so do seconds of a tick, where policy time is the events'."""
    settings = load(
        {}, vector_days=2.5, due_scan_s=1.5, chunk_users=64, max_articles=500, partitions=3, topic_prefix="x."
    )
    scores, queries = AffinityScores(), Queries(HashedEncoder())
    wall, event = (PartitionContext.of(settings.changed(policy_time=time), 2, scores) for time in ("wall", "event"))
    assert wall.keep_ms == 216_000_000
    assert (wall.tick_ms, event.tick_ms) == (0, 1500)
    assert (wall.number, wall.partitions, wall.chunk_users, wall.max_articles) == (2, 3, 64, 500)
    assert wall.topics == {topic: f"x.{topic}" for topic in TOPICS}
    assert (wall.policy, wall.ranker, wall.space_id) == (Policy.of(settings), scores, "")
    assert PartitionContext.of(settings, 2, scores, queries=queries).space_id == queries.space_id


def test_what_nobody_says_is_as_the_settings_have_it() -> None:
    """Wall time, every user, any space, and the sizes a worker has."""
    plain, scores = policy(), AffinityScores()
    usual = PartitionContext.of(load({}), 0, scores)
    assert PartitionContext(0, plain, scores) == usual._replace(policy=plain, partitions=None)
