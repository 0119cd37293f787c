"""contracts/article.py: fields pass on and become columns where they are declared."""

from typing import Annotated

import making
import msgspec
import numpy as np

from streamrec.contracts.article import AnalysedArticle, Article, Column, columns_of, passed_on
from streamrec.contracts.ids import key_of
from streamrec.engine.catalog import Catalog


def test_a_marked_field_is_a_column() -> None:
    """With the name, type and value its mark says."""

    class Paid(msgspec.Struct):
        """An article somebody has to pay for."""

        paywalled: Annotated[bool, Column("?")] = False
        desk: Annotated[str, msgspec.Meta(max_length=9), Column("u1", len, "desk_slot")] = ""
        title: str = ""

    assert columns_of(Paid) == {
        "paywalled": Column("?", name="paywalled"), "desk": Column("u1", len, "desk_slot")
    }  # fmt: skip


def test_the_catalog_holds_what_the_article_says() -> None:
    """Each column of an article's slot is the value its field became."""
    catalog, article = Catalog(), making.article("a1", embargo_until_ms=making.T0 + 5, breaking=2)
    catalog.apply(article, making.T0)
    for field, column in columns_of(AnalysedArticle).items():
        expected = column.of(getattr(article, field))
        assert np.array_equal(catalog[column.name][0], np.array(expected, np.dtype(column.dtype)))
    assert catalog["key"][0] == key_of("a1")


def test_what_passes_on_is_in_both_records() -> None:
    """A field of `Article` reaches the partitions without another word."""
    assert set(passed_on(making.article())) == set(Article.__struct_fields__) < set(AnalysedArticle.__struct_fields__)
