"""The reason of a push in words."""

import pytest

from streamrec.contracts.push import Reason, ReasonCode
from streamrec.terminal.push_sentence import because


@pytest.mark.parametrize(
    ("code", "args", "words"),
    [
        ("recent_reads", {"count": 1, "category": "science"}, "1 recent read in science"),
        ("recent_reads", {"count": 3, "category": "science"}, "3 recent reads in science"),
        ("recent_reads", {"count": 1, "category": ""}, "1 recent read"),
        ("recent_reads", {"count": 2}, "2 recent reads"),
        ("similar_interest", {"category": ""}, "similar to earlier reads (no category)"),
        ("searched", {"words": "Iceland volcano", "category": "world"}, "you searched for Iceland volcano"),
        ("searched", {"words": "Ice\x1b[31mland"}, "you searched for Ice\\x1b[31mland"),
        ("breaking", {"category": "world"}, "breaking news in world"),
        ("breaking", {}, "breaking news"),
    ],
)
def test_a_category_without_a_name_is_not_named(code: ReasonCode, args: dict[str, str | int], words: str) -> None:
    """No sentence ends in the middle."""
    assert because(Reason(code, args)) == words
