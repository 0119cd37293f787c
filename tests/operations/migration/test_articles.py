"""Where the new catalog is read on from: no article is left out, and at most some are met again."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from making import article

from streamrec.content.pipeline import CatalogRecord
from streamrec.contracts.article import AnalysedArticle
from streamrec.contracts.decode import Typed
from streamrec.operations.migration.articles import kept, met_until


def versions(numbers: list[int]) -> list[AnalysedArticle]:
    """One article a number; the same number again is a later version of it."""
    seen: dict[int, int] = {}
    made = []
    for number in numbers:
        seen[number] = seen.get(number, 0) + 1
        made.append(article(f"a{number}", version=seen[number]))
    return made


@given(st.lists(st.integers(0, 5), max_size=12), st.data())
def test_what_was_not_met_lies_behind_the_offset(numbers: list[int], data: st.DataObject) -> None:
    """The source read a part of the articles, and compaction took earlier versions from its catalog."""
    everything = versions(numbers)
    read = everything[: data.draw(st.integers(0, len(everything)))]
    last = {found.article_id: found for found in read}
    compacted = [found for found in read if last[found.article_id] is found or data.draw(st.booleans())]
    target = [Typed(10 + i, 0, found) for i, found in enumerate(everything)]
    offset = met_until([*target], compacted)
    assert offset == (10 + len(read) if read else 0)


def test_all_but_vector_and_category_stays_as_it_was() -> None:
    """Story, language and the time it became known are the source's; an article it never had is the new pipeline's."""
    old = article("a", story_id="a-story", known_at_ms=7, space_id="old")
    anew: dict[str, Any] = {"space_id": "new", "category": "kultur", "category_slot": 3}
    new = article("a", topic="other", story_id="a", known_at_ms=9, **anew)
    record = CatalogRecord(b"a", msgspec.json.encode(new))
    made = msgspec.json.decode(kept(record, {("a", 1): old}).value or b"", type=AnalysedArticle)
    assert made == msgspec.structs.replace(old, vector=new.vector, **anew)
    assert kept(record, {("a", 2): old}) == record
    assert kept(CatalogRecord(b"mark", b""), {("a", 1): old}) == CatalogRecord(b"mark", b"")
