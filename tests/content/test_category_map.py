"""content/category_map.py: what a newsroom calls its sections, and what a file may not say."""

from pathlib import Path

import pytest

from streamrec.content.category_map import read_category_map
from streamrec.content.encoder import HashedEncoder
from streamrec.content.pipeline import ContentPipeline
from streamrec.errors import SettingsError
from streamrec.settings import load

TOML = """
[aliases]            # other names
Politik = "politics"
"bühne" = "Theater"
[groups]
kultur = ["feuilleton", "theater", "kultur"]
"""
JSON = """{"aliases": {"Politik": "politics", "bühne": "Theater"},
 "groups": {"kultur": ["feuilleton", "theater", "kultur"]}}"""


def named(tmp_path: Path, text: str, suffix: str = "toml") -> Path:
    """A map file."""
    path = tmp_path / f"sections.{suffix}"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(("suffix", "text"), [("toml", TOML), ("json", JSON)])
def test_sections_have_the_names_the_newsroom_gives_them(tmp_path: Path, suffix: str, text: str) -> None:
    """Aliases and groups, an alias of a name that is grouped, any case; without a file all stay as they are."""
    assert read_category_map(named(tmp_path, text, suffix)) == {
        "politik": "politics",
        "bühne": "kultur",
        "feuilleton": "kultur",
        "theater": "kultur",
        "kultur": "kultur",
    }
    assert read_category_map(None) == {}


@pytest.mark.parametrize(
    ("suffix", "text", "said"),
    [
        ("toml", '[aliases]\npolitik = "politics"\ninland = \n', "line 3"),
        ("json", '{"aliases":\n {"politik": }}', "line 2"),
        ("json", "[]", "expected an object with aliases and groups"),
        ("json", '{"aliases": {"inland": "a", "inland": "b"}}', "'inland' stands twice"),
        ("toml", '[alias]\npolitik = "politics"', "'alias' is not known; expected aliases or groups"),
        ("toml", "aliases = 3", "aliases: expected names"),
        ("toml", "[aliases]\npolitik = 3", "aliases.politik: expected a name of 1 to 64 characters, got 3"),
        ("toml", '[aliases]\n" " = "politics"', "aliases. : expected a name"),
        ("toml", f'[aliases]\npolitik = "{"x" * 65}"', "aliases.politik: expected a name"),
        ("toml", '[groups]\nkultur = "theater"', "groups.kultur: expected a list of sections"),
        ("toml", "[groups]\nkultur = [[]]", "groups.kultur: expected a name"),
        ("toml", '[groups]\na = ["x"]\nb = ["X"]', "groups.b: 'x' is already 'a'"),
        ("toml", '[aliases]\nx = "a"\n[groups]\nb = ["x"]', "groups.b: 'x' is already 'a'"),
        ("toml", '[aliases]\na = "b"\nb = "c"\nc = "a"', "a -> b -> c -> a: names that lead in a circle"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, suffix: str, text: str, said: str) -> None:
    """The variable, the file, and the line or the key: at the start, before any article."""
    path = named(tmp_path, text, suffix)
    with pytest.raises(SettingsError) as raised:
        ContentPipeline(load({}, category_map=path), HashedEncoder())
    assert str(raised.value).startswith(f"STREAMREC_CATEGORY_MAP: {path}: ")
    assert said in str(raised.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """Missing, or not UTF-8."""
    with pytest.raises(SettingsError, match=r"STREAMREC_CATEGORY_MAP: .*none\.toml cannot be read: No such file"):
        read_category_map(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes("[aliases]\nbühne = 'theater'".encode("latin-1"))
    with pytest.raises(SettingsError, match=r"STREAMREC_CATEGORY_MAP: .*latin\.toml: .*utf-8"):
        read_category_map(tmp_path / "latin.toml")
