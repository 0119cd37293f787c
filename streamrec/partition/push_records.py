"""Pushes as bytes, with the reason a person can read: what somebody read or searched for that made it the one.

    breaking           it is breaking news
    searched           it has at least half of the words of the reader's latest search, which still counts half or more
    recent_reads       the reader read others of its category
    audience           the newsroom chose its readers, and this is one of them
    similar_interest   none of these; it is like what was read

The first that is true is given; a search is named by words of the article.
"""

import numpy as np
import orjson

from ..content.query import words_shared
from ..contracts.article import AnalysedArticle
from ..contracts.push import Envelope, ModelStamp, Trigger, encoded
from ..decide import Decision
from ..engine.catalog import Catalog
from ..engine.policy.config import Policy
from ..engine.profiles.layout import READ
from ..engine.profiles.store import ProfileStore
from .changes import PushRecord


def push_records(
    decision: Decision,
    profiles: ProfileStore,
    catalog: Catalog,
    trigger: Trigger,
    now_ms: int,
    policy: Policy,
    stamp: ModelStamp,
) -> list[PushRecord]:
    """The decision's K pushes as bytes, in its order; to be made before `after_push`, which changes the reasons."""
    similar_reads = _reads_in_category(decision, profiles, catalog)
    searched = _searched(decision, profiles, now_ms, policy)
    caused_ms = _caused_ms(decision, profiles, catalog, trigger, now_ms, policy)
    known, said = dict[int, Envelope](), dict[tuple[int, ...], bytes]()
    envelopes, reasons = list[Envelope](), list[bytes]()
    for slot, similar, words in zip(decision.slots.tolist(), similar_reads.tolist(), searched, strict=True):
        envelope = known.get(slot)
        if envelope is None:
            article = catalog.articles[slot]
            assert article is not None
            envelope = known[slot] = Envelope(article, stamp, trigger, now_ms, policy.push_ttl_ms)
        reason = said.get((slot, similar, *words))
        if reason is None:
            reason = said[slot, similar, *words] = orjson.dumps(_reason(envelope.article, similar, words))
        envelopes.append(envelope)
        reasons.append(reason)
    user_ids, event_at_ms = [profiles.users[row] for row in decision.rows.tolist()], caused_ms.tolist()
    values = encoded(envelopes, user_ids, decision.relevance.tolist(), reasons, event_at_ms)
    return [
        PushRecord(user_id, value, trigger, "breaking" if envelope.article.breaking else "normal", at_ms)
        for user_id, value, envelope, at_ms in zip(user_ids, values, envelopes, event_at_ms, strict=True)
    ]


def _reason(article: AnalysedArticle, similar: int, searched: list[int]) -> dict[str, object]:
    category = article.category
    if article.breaking:
        return {"code": "breaking", "args": {"category": category}}
    if words := words_shared(searched, article.title, article.keywords):
        return {"code": "searched", "args": {"words": words, "category": category}}
    if similar:
        return {"code": "recent_reads", "args": {"category": category, "count": similar}}
    if article.audience is not None:
        return {"code": "audience", "args": {"category": category}}
    return {"code": "similar_interest", "args": {"category": category}}


def _searched(decision: Decision, profiles: ProfileStore, now_ms: int, policy: Policy) -> list[list[int]]:
    """Words of each user's latest search, K of them; none where it counts less than half by now."""
    at_ms = profiles.columns["searched_at_s"][decision.rows].astype(np.int64) * 1000
    words = profiles.columns["searched"][decision.rows] * (now_ms - at_ms <= policy.half_life_ms)[:, None]
    return [[word for word in row if word] for row in words.tolist()] if words.any() else [[]] * len(words)


def _reads_in_category(
    decision: Decision, profiles: ProfileStore, catalog: Catalog
) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """How many of the user's recent reads are of the article's category, by its name, (K,); 0 if it has none."""
    slots = catalog.slots_of(profiles.columns["seen"][decision.rows])  # (K, S)
    read = (profiles.columns["seen_acts"][decision.rows] & READ) > 0
    category = catalog["category_key"][decision.slots][:, None]
    same = (catalog["category_key"][slots] == category) & (category > 0)
    return np.asarray((same & read & (slots >= 0)).sum(axis=1))


def _caused_ms(
    decision: Decision, profiles: ProfileStore, catalog: Catalog, trigger: Trigger, now_ms: int, policy: Policy
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """When what caused each push happened, (K,) ms: latency is counted from here.

    An article: when it became known, or when its embargo ended. A user who is due: when the waiting was over.
    """
    if trigger == "article":
        slots, which = np.unique(decision.slots, return_inverse=True)
        known_ms = np.array([article.known_at_ms for slot in slots if (article := catalog.articles[slot])])[which]
        out_ms = catalog.opens_ms()[decision.slots]
        return np.asarray(np.minimum(np.maximum(known_ms, out_ms), now_ms))
    gap_over_ms = profiles.columns["active_ms"][decision.rows] + policy.session_gap_s * 1000
    due_ms = profiles.columns["due_at_s"][decision.rows].astype(np.int64) * 1000
    from_activity = due_ms // 1000 == gap_over_ms // 1000
    return np.asarray(np.minimum(np.where(from_activity, gap_over_ms, np.where(due_ms > 0, due_ms, now_ms)), now_ms))
