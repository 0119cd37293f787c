"""Run in a copy of the package with an action `bookmark`, with the stored ordinals of the others as argument: it is
read, it teaches, at once and after waiting in a stored row, and everything names it.
"""

import json
import sys

import msgspec
import numpy as np
from making import T0, Feed, article, click, partition
from prometheus_client import CollectorRegistry, generate_latest

from streamrec.contracts.event import CODE
from streamrec.contracts.schema import schema
from streamrec.engine.policy.suppression_reasons import SUPPRESSION_REASONS
from streamrec.observability.metrics import Metrics
from streamrec.partition.changelog_meta import Meta


def bookmark(user_id: str, article_id: str) -> bytes:
    """As an app writes it."""
    value = {"user_id": user_id, "article_id": article_id, "action": "bookmark", "at_ms": T0}
    return msgspec.json.encode(value)


def length(of: Feed, user_id: str) -> float:
    """How much is known of a reader."""
    row = of.to.profiles.row(user_id)
    assert row is not None
    return float(np.linalg.norm(of.to.profiles["interest"][row].astype(np.float32)))


before = json.loads(sys.argv[1])
assert {name: code for name, code in CODE.items() if name != "bookmark"} == before
feed = Feed(partition())
feed.articles(article("a1"))
feed.events(bookmark("u1", "a1"), bookmark("u2", "a2"), click("u3", "a1"))
assert abs(length(feed, "u1") - 1.25 * length(feed, "u3")) < 0.01
assert length(feed, "u2") == 0
successor = Feed(partition())
rows = [record for record in feed.to.encode(np.arange(3)) if record[0].startswith(b"u")]
successor.to.restore(rows, Meta({}, T0), [])
successor.articles(article("a2"))
assert abs(length(successor, "u2") - 1.25) < 0.01, "what waited in the row was this action"
assert "bookmark" in str(schema("events"))
registry = CollectorRegistry()
Metrics(registry, SUPPRESSION_REASONS)
assert b'action="bookmark"' in generate_latest(registry)
