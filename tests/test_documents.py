"""The pages can be read and say what is so: links lead somewhere, names exist, tables are those of the program."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from pages import ROOT, anchors, links, name_of, pages, sentences, without_code

from streamrec.compression.recipe import METHODS
from streamrec.contracts.event import KINDS
from streamrec.contracts.records import REJECT_REASONS
from streamrec.contracts.schema import RECORDS, table
from streamrec.engine.features.features import GROUPS
from streamrec.engine.policy.suppression_reasons import SUPPRESSION_REASONS
from streamrec.models.engines import ENGINES
from streamrec.settings import PREFIX, Settings

README_WORDS = 1500
SENTENCE_WORDS = 35
HISTORY = "CHANGELOG.md"  # it says what was, in the words of its time
ALL = pages()
NAMES = [name_of(page) for page in ALL]


def text_of(page: str) -> str:
    """A page by its path from the root."""
    return (ROOT / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ALL, ids=NAMES)
def test_links_lead_somewhere(page: Path) -> None:
    """To a file or folder that is there, and where there is an anchor to a heading of that page."""
    for link in links(page.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), link


def test_the_readme_takes_five_minutes() -> None:
    """All its words, those in code and tables included."""
    assert len(text_of("README.md").split()) <= README_WORDS


@pytest.mark.parametrize("page", [page for page in NAMES if page != HISTORY])
def test_sentences_can_be_read_at_once(page: str) -> None:
    """None has more words than one reads without going back."""
    long = [sentence for sentence in sentences(text_of(page)) if len(sentence.split()) > SENTENCE_WORDS]
    assert not long


def test_a_long_sentence_is_found() -> None:
    """In prose and in a list item; what stands in code or in a table is none, and abbreviations end none."""
    long = "word " * 40
    shown = f"{long}end.\n\n* {long}end.\n  And on.\n\nShort, e.g. this. Then another one.\n"
    text = f"{shown}\n```sh\n{long}\n```\n| {long} |\n"
    counts = [len(sentence.split()) for sentence in sentences(text)]
    assert counts == [41, 41, 2, 3, 3]


@pytest.mark.parametrize("page", [page for page in NAMES if page != HISTORY])
def test_settings_exist(page: str) -> None:
    """A variable that a page names is one; with dots after it, it is the beginning of some."""
    for name, dots in re.findall(rf"\b{PREFIX}([A-Z0-9_]+)(\.\.\.)?", text_of(page)):
        field = name.lower()
        known = [other for other in Settings.model_fields if (other.startswith(field) if dots else other == field)]
        assert known, name


@pytest.mark.parametrize("topic", RECORDS)
def test_the_fields_of_a_record_are_those_of_its_schema(topic: str) -> None:
    """The page holds what the command prints."""
    heading = f"<!-- streamrec schema {topic} --markdown -->"
    _, found, after = text_of("streamrec/contracts/README.md").partition(heading + "\n\n")
    assert found
    assert after.partition("\n\n")[0] + "\n" == table(topic), f"paste what `{heading[5:-4]}` prints"


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("streamrec/contracts/README.md", REJECT_REASONS),
        ("streamrec/engine/README.md", SUPPRESSION_REASONS),
        ("streamrec/models/README.md", ENGINES),
        ("streamrec/compression/README.md", METHODS),
    ],
)
def test_closed_sets_are_all_there(page: str, words: Iterable[str]) -> None:
    """A reason, an engine or a method that is added is explained where its reader looks."""
    missing = [word for word in words if f"`{word}`" not in text_of(page)]
    assert not missing


def test_what_actions_teach_is_what_the_page_says() -> None:
    """Each action in a row with its worth."""
    rows = re.findall(r"^\| (`[^|]+`) \| (-?[\d.]+) \|", text_of("streamrec/engine/README.md"), re.MULTILINE)
    stated = {action: float(worth) for names, worth in rows for action in re.findall(r"`(\w+)`", names)}
    assert stated == {action: kind.worth for action, kind in KINDS.items()}


def test_groups_of_features_are_all_there() -> None:
    """The ladder of features names each group."""
    stated = re.findall(r"^\| ([^|`]+?) \|", text_of("streamrec/engine/README.md"), re.MULTILINE)
    assert not GROUPS.keys() - set(stated)


def test_every_page_is_found_from_the_readme() -> None:
    """In two steps at most."""
    first = {(ROOT / link.partition("#")[0]).resolve() for link in links(text_of("README.md"))}
    near = {page for page in first if page.suffix == ".md"}
    second = {
        (page.parent / link.partition("#")[0]).resolve() for page in near for link in links(page.read_text("utf-8"))
    }
    assert set(ALL) <= {ROOT / "README.md", *first, *second}


def test_every_fenced_block_is_closed() -> None:
    """One that is not would hide the rest of its page from these tests."""
    for page in ALL:
        assert "```" not in without_code(page.read_text(encoding="utf-8")), name_of(page)
