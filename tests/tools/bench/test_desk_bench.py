"""`bench desk` in small: it ends when its time is over, and no answer is one that the desk had kept."""

from streamrec.tools.bench.desk import ROUNDS, measure


def test_each_page_is_asked_anew_until_the_time_is_over() -> None:
    """However many rounds are allowed; an answer that was kept would take no time."""
    taken, rounds = measure(users=300, articles=100, rounds=1000, seconds=0.0)
    assert rounds == ROUNDS
    assert {"now", "articles", "article, all readers", "preview while typing", "reader", "audit trail"} <= taken.keys()
    for page in taken.values():
        assert 0 < page.p50_ms <= page.p99_ms
        assert page.bytes > 500
