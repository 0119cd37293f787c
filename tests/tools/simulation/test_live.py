"""What simulated readers do beside clicking."""

from streamrec.contracts.event import UserEvent
from streamrec.datasets.simulated.newsroom import Newsroom
from streamrec.tools.simulation.live import search_after

NOW_MS = 1_767_225_600_000


def test_a_search_is_for_the_subject_of_what_was_clicked() -> None:
    """By the same reader, then and there; its words stand in the headline, so that what follows up is found."""
    newsroom = Newsroom(seed=1)
    for _ in range(50):
        article = newsroom.publish(NOW_MS).event
        search = search_after(UserEvent("u1", "click", NOW_MS, article.article_id, tz="Asia/Shanghai"), newsroom)
        assert (search.user_id, search.action, search.at_ms, search.tz) == ("u1", "search", NOW_MS, "Asia/Shanghai")
        assert search.query
        assert search.query in article.title
