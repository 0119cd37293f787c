"""Run in a copy of the package with a rule `paywalled` on an article's field of that name: from the newsroom's record
to the push that is not made.
"""

import msgspec
from making import T0, Feed, click, partition, pushes, written
from prometheus_client import CollectorRegistry, generate_latest

from streamrec.content.encoder import HashedEncoder
from streamrec.content.pipeline import ContentPipeline
from streamrec.contracts.records import RawRecord
from streamrec.contracts.schema import schema
from streamrec.engine.policy.suppression_reasons import SUPPRESSION_REASONS
from streamrec.observability.metrics import Metrics
from streamrec.settings import load

TITLES = {"read": 0, "free": 0, "paid": 1}


def record(offset: int, article_id: str, paywalled: int) -> RawRecord:
    """As a CMS writes it."""
    value = {"article_id": article_id, "title": f"Strong quake hits Chile: {article_id}", "published_at_ms": T0,
             "story_id": article_id, "paywalled": paywalled}  # fmt: skip
    return RawRecord(offset, T0, article_id.encode(), msgspec.json.encode(value))


records = [record(offset, *title) for offset, title in enumerate(TITLES.items())]
done = ContentPipeline(load({}), HashedEncoder()).analyse(records)
assert not done.dead_letters, done.dead_letters
known = {each.key.decode(): each.value for each in written(done) if each.key and each.value}
feed = Feed(partition(min_affinity=0.0, min_score=0.0))
feed.articles(known["read"])
feed.events(click("reader", "read"))
paid, free = feed.articles(known["paid"]), feed.articles(known["free"])
assert not pushes(paid)
assert dict(paid.suppressed) == {"paywalled": 1}
assert [push.article_id for push in pushes(free)] == ["free"]
registry = CollectorRegistry()
Metrics(registry, SUPPRESSION_REASONS)
assert b'reason="paywalled"' in generate_latest(registry)
assert "paywalled" in str(schema("articles"))
