"""content/headline_match.py."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamrec.content.headline_match import headline_of, likeness, without_labels

WORD = st.sampled_from("Court convicts convicted minister Leeds Bristol snow not 12 14 dead up down hit hits".split())  # noqa: SIM905
TITLE = st.one_of(st.text(), st.lists(WORD, max_size=9).map(" ".join))


@pytest.mark.parametrize(
    ("title", "bare"),
    [
        ("UPDATE 1-Court convicts minister", "Court convicts minister"),
        ("BREAKING: UPDATE 2 - (LIVE) Court convicts minister", "Court convicts minister"),
        ("Court convicts minister (updated)", "Court convicts minister"),
        ("OPDATERING: Retten dømmer minister", "Retten dømmer minister"),
        ("快讯\uff1a法院判决前部长", "法院判决前部长"),
        ("【速報】首相が辞任", "首相が辞任"),
        ("Live music returns to Leeds", "Live music returns to Leeds"),
        ("LIVE:", "LIVE:"),
    ],
)
def test_labels_are_no_part_of_a_headline(title: str, bare: str) -> None:
    """What agencies put around it goes, as often as it stands there; a word of the headline stays."""
    assert without_labels(title) == bare


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Quake in Chile kills 12 people", "Quake in Chile kills 14 people", True),
        ("Quake of 5.1 shakes northern Chile", "Quake of 6.1 shakes northern Chile", False),
        ("Storm Boris hits Poland and Austria", "Poland and Austria hit by storm Boris", True),
        ("Storm Boris hits Poland and Austria", "Storm Boris hits Poland and Australia", False),
        ("President of Niger visits Paris today", "President of Nigeria visits Paris today", False),
        ("Share prices go up after vote", "Share prices go down after vote", False),
        ("Court convicts minister", "Court convicts minister", True),
        ("Weather in Odense", "Weather in Odense", False),
    ],
)
def test_what_tells_one_event(one: str, other: str, same: bool) -> None:
    """Growing numbers of casualties and inflected words are the same; names, numbers and opposites are not."""
    assert bool(likeness(headline_of(one), headline_of(other))) is same


@settings(deadline=None)
@given(TITLE, TITLE)
def test_likeness_is_symmetric(one: str, other: str) -> None:
    """Which article came first does not matter, and a headline is never less like itself than another."""
    here, there = headline_of(one), headline_of(other)
    assert likeness(here, there) == likeness(there, here) <= max(likeness(here, here), likeness(there, there)) <= 1


@given(TITLE)
def test_labels_are_taken_off_once(title: str) -> None:
    """Without labels there are none to take off."""
    assert without_labels(without_labels(title)) == without_labels(title)
