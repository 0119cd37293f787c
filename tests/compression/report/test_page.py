"""The page is one file that loads nothing, reads without eyes, and lacks no figure."""

from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from compression.search.finished import finished

from streamrec.compression.report.page import page, read, write
from streamrec.errors import DataError


class Elements(HTMLParser):
    """All elements with their attributes, and all text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """Attributes of all elements of a tag."""
        return [attributes for name, attributes in self.found if name == tag]


TEXT = page(finished())
PAGE = Elements(TEXT)


def test_nothing_is_loaded() -> None:
    """No script, no link, no image, no address that a browser would fetch."""
    tags = {tag for tag, _ in PAGE.found}
    assert not tags & {"script", "link", "img", "iframe"}
    fetched = [v for _, attributes in PAGE.found for k, v in attributes.items() if k in {"src", "href", "xlink:href"}]
    assert all(value is not None and value.startswith("#") for value in fetched)


def test_every_picture_speaks() -> None:
    """Each has an alternative text with figures in it, and its drawing is hidden from readers of screens."""
    drawings = [a for _, a in PAGE.found if a.get("role") == "img"]
    assert len(drawings) == len(PAGE.named("figure")) >= 6
    assert all(any(c.isdigit() for c in a.get("aria-label") or "") for a in drawings)
    assert all(a.get("aria-hidden") == "true" for a in PAGE.named("svg"))


def test_tables_have_headers() -> None:
    """Every header cell says whether it heads a row or a column."""
    assert len(PAGE.named("table")) >= 5
    assert all(a.get("scope") in {"col", "row", "colgroup"} for a in PAGE.named("th"))
    assert PAGE.named("html")[0]["lang"] == "en"


def test_every_model_and_every_metric_is_there() -> None:
    """Recipes, verdicts, slices, AUC to four digits."""
    for point in finished().points:
        assert point.recipe in PAGE.text
        assert f"{point.quality['auc'].value:.4f}" in PAGE.text
    for words in ("MRR", "nDCG@5", "nDCG@10", "top 1 % in common", "not decidable", *finished().slice_impressions):
        assert words in PAGE.text


def test_the_same_facts_give_the_same_bytes() -> None:
    """A report can be compared with the one before."""
    assert page(finished()) == TEXT


def test_text_of_facts_is_not_markup() -> None:
    """What stands in a file is shown, not run."""
    point = msgspec.structs.replace(finished().points[0], recipe="<script>alert(1)</script>")
    assert "<script>" not in page(msgspec.structs.replace(finished(), points=[point], best=0))


def test_nothing_found_is_a_page_too() -> None:
    """All recipes refused: the teacher alone, and the sentence that says so."""
    empty = msgspec.structs.replace(finished(), points=[], best=None, closest=None)
    assert "all recipes were refused" in page(empty)


def test_a_folder_without_a_finished_search_is_named(tmp_path: Path) -> None:
    """Nothing there, an unfinished search, a broken file: each with its cure."""
    with pytest.raises(DataError, match="no search"):
        read(tmp_path)
    (tmp_path / "request.json").write_text("{}")
    with pytest.raises(DataError, match="go on with --resume"):
        write(tmp_path, tmp_path / "r.html")
    (tmp_path / "search.json").write_text("{}")
    with pytest.raises(DataError, match="search again"):
        read(tmp_path)
