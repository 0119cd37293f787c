"""content/words.py."""

import subprocess
import sys
import unicodedata
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from streamrec.content.words import entities, is_han, pieces, words


def test_words_of_three_languages() -> None:
    """Words are lower-cased, keep their apostrophe, and Chinese is cut into dictionary words."""
    assert words("Trump\u2019s plan DIVIDES the G20") == ["trump's", "plan", "divides", "the", "g20"]
    assert words("Ældreplejen får færre penge") == ["ældreplejen", "får", "færre", "penge"]
    assert words("量子芯片 iPhone") == ["量子", "芯片", "iphone"]


def test_full_width_letters_are_plain_letters() -> None:
    """The same word in full width gives the same word, so it hashes alike."""
    assert words("\uff21\uff29 2026") == words("AI 2026")  # full-width A and I


def test_a_script_change_ends_a_piece() -> None:
    """Han runs and other words are never mixed, with or without a space between them."""
    assert pieces("发布iPhone手机") == ["发布", "iphone", "手机"]
    assert [is_han(piece) for piece in pieces("发布iPhone手机")] == [True, False, True]


def test_entities_need_contrast() -> None:
    """Capitals mark a name only where the line is not capitalised throughout."""
    assert entities("Novo Nordisk fyrer ansatte i Kalundborg") >= {"nordisk", "kalundborg"}
    assert entities("Why the iPhone Beats NASA") == {"iphone", "nasa"}
    assert entities("MARKETS FALL AGAIN") == frozenset()


def test_the_segmenter_is_silent_lazy_and_leaves_no_file(tmp_path: Path) -> None:
    """Nothing is loaded before the first Chinese text, nothing printed, no cache left in the temp folder."""
    script = (
        "import sys, logging; from streamrec.content.words import words; logging.basicConfig(level=logging.DEBUG);"
        "words('plain words'); assert 'jieba' not in sys.modules; assert words('量子芯片') == ['量子', '芯片']"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        env={"TMPDIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


@settings(deadline=None)  # the first text loads a model
@given(st.text())
def test_words_are_pieces_of_the_text(text: str) -> None:
    """No word is invented: each stands in the normalised, lower-cased text."""
    plain = unicodedata.normalize("NFKC", text).lower().replace("\u2019", "'")
    assert all(word and word in plain for word in words(text))
    assert "".join(words(text)) == "".join(pieces(text))
