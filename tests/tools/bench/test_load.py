"""The load of the benches."""

from collections import Counter
from itertools import pairwise

import orjson

from streamrec.tools.bench.load import CLICKS_PER_USER, SPREAD_USERS, click


def users(clicks: int) -> list[str]:
    """Of the first clicks of a phase."""
    return [orjson.loads(click(number, 0, "p")[1])["user_id"] for number in range(clicks)]


def test_every_twentieth_click_is_the_first_of_a_new_user_from_the_start_on() -> None:
    """5 % of the clicks lead to a push, at any time of a phase."""
    found = users(120_000)

    seen: set[str] = set()
    firsts = [number for number, user in enumerate(found) if not (user in seen or seen.add(user))]  # type: ignore[func-returns-value]
    assert firsts == list(range(0, 120_000, CLICKS_PER_USER))


def test_a_user_clicks_twenty_times_far_apart() -> None:
    """Seconds at the rates of the benches."""
    found = users(320_000)

    whole = [f"p{number}" for number in range(5_500, 6_000)]  # came when there were users enough before them
    count = Counter(found)
    assert {count[user] for user in whole} == {CLICKS_PER_USER}
    places = [number for number, user in enumerate(found) if user == "p5700"]
    assert {b - a for a, b in pairwise(places)} == {SPREAD_USERS * CLICKS_PER_USER + 1}
