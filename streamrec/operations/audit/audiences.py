"""Audiences of the articles in `catalog`: what is certain of them without any row, which may say something else by now.

    share and ramp   each reader draws once and for ever, so a push to one outside was wrong when it was made
    nobody           an empty list, or a share of 0

Languages, zones, categories and followers are those of the moment of the push: simulated runs judge them. That somebody
inside got no push is no finding: quiet hours, caps, sessions and consent of that moment are in no topic any more, and
whoever a gate kept back may have met another article when it opened. How many are left is counted while it runs
(`streamrec audience`), and `streamrec explain` says of one reader what stood in the way.
"""

import zlib

import numpy as np

from ...contracts.audience import is_nobody
from ...engine.audience import draws, share_at
from .facts import Facts
from .push_history import report


def check_audiences(facts: Facts) -> None:
    """Judge every push of an article with an audience, and report into the tally of `facts`."""
    table, users = facts.pushes.table, facts.pushes.users
    against, can_tell = np.zeros(len(table), np.bool_), np.zeros(len(table), np.bool_)
    for key, article in facts.articles.certain().items():
        if article.audience is None:
            continue
        its = np.flatnonzero(table["article"] == key)
        salts = np.array([zlib.crc32(users[user].encode()) for user in table["user"][its].tolist()], np.uint32)
        early = table["created_ms"][its] < article.widens_at_ms
        share = np.where(early, share_at(article, 0), share_at(article, article.widens_at_ms))
        can_tell[its] = True
        against[its] = is_nobody(article.audience) | (draws(salts, key) >= share * 2.0**32)
    report(facts, "outside_audience", against, can_tell)
