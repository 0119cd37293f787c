"""content/encoder.py."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamrec.content.encoder import Encoder, HashedEncoder, Text
from streamrec.contracts.ids import CATEGORIES

ENCODER = HashedEncoder()
SAMPLE = [
    Text("Quantum chip breaks record", "A laboratory reports", "technology"),
    Text("量子芯片打破纪录", "", "technology"),
    Text("Kongehuset sender hilsen til folket"),
]


def cosine(one: Text, other: Text) -> float:
    """Cosine of two texts' vectors."""
    left, right = ENCODER.encode([one, other])
    return float(left @ right)


@settings(deadline=None)
@given(st.lists(st.builds(Text, st.text(), st.text(), st.text(max_size=64)), max_size=4))
def test_rows_are_unit_or_zero_and_depend_on_their_own_text_only(texts: list[Text]) -> None:
    """Any text gives a finite row of length one, or zero; a batch gives the same bits as one text at a time."""
    rows = ENCODER.encode(texts)
    assert rows.shape == (len(texts), 64)
    assert rows.dtype == np.float32
    norms = np.linalg.norm(rows.astype(np.float64), axis=1)
    assert all(norm == 0 or abs(norm - 1) < 1e-6 for norm in norms)
    alone = [HashedEncoder().encode([text])[0] for text in texts]
    assert [row.tobytes() for row in rows] == [row.tobytes() for row in alone]


@pytest.mark.parametrize("title", ["", "?!", " ", "the and of"])
def test_no_words_no_vector(title: str) -> None:
    """A text without telling words and without category is the zero vector, not noise."""
    assert not ENCODER.encode([Text(title)]).any()


def test_the_space_is_fixed() -> None:
    """Vectors of version 2 keep their bits: a change here is a new space, so VERSION must rise with it."""
    rows = ENCODER.encode(SAMPLE)
    assert hashlib.sha256(rows.astype("<f4").tobytes()).hexdigest()[:16] == "35c61d9d53371896"
    assert ENCODER.space_id == "hashed64-883c3c71221d"


def test_string_hash_seeds_do_not_matter() -> None:
    """Two processes with different PYTHONHASHSEED agree on space and vectors."""
    script = (
        "from streamrec.content.encoder import HashedEncoder, Text; e = HashedEncoder();"
        "print(e.space_id, e.encode([Text('Quantum chip breaks record', '', 'technology')]).tobytes().hex())"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1] != ""


def test_another_seed_is_another_space() -> None:
    """The projection is part of the space id, so vectors of two seeds can never be compared."""
    other: Encoder = HashedEncoder(seed=1)
    assert other.space_id != ENCODER.space_id
    assert abs(float(other.encode(SAMPLE)[2] @ ENCODER.encode(SAMPLE)[2])) < 0.9


def test_the_category_leads() -> None:
    """Every pair of one category is closer than any pair of two, whatever the words and the language."""
    titles = ["Zeta omega kappa", "量子芯片打破纪录", "Blå bølger brusede", "Lorem ipsum dolor"]
    same, different = [], []
    for name, other in zip(CATEGORIES, CATEGORIES[1:] + CATEGORIES[:1], strict=True):
        for one, two in ((titles[0], titles[1]), (titles[2], titles[3])):
            same.append(cosine(Text(one, "", name), Text(two, "", name)))
            different.append(cosine(Text(one, "", name), Text(two, "", other)))
    assert min(same) > 0.4
    assert min(same) > max(different)


def test_an_alias_is_the_same_category() -> None:
    """`finance` and `business` are one category to the encoder, as they are to the profile."""
    one, two = Text("Stocks fall", "", "finance"), Text("Stocks fall", "", "Business")
    assert cosine(one, two) == pytest.approx(1)


def test_words_decide_within_a_category() -> None:
    """A re-worded headline is closer than another one of the same category."""
    story = Text("Strong earthquake shakes northern Chile", "", "world")
    again = Text("Northern Chile shaken by strong earthquake", "", "world")
    other = Text("Parliament in Oslo debates fishing quotas", "", "world")
    assert cosine(story, again) > cosine(story, other) + 0.1


def test_languages_meet_in_the_category_words() -> None:
    """Without a given category, an English and a Chinese headline about one subject are similar."""
    english, chinese = Text("NASA telescope finds planet"), Text("太空望远镜发现行星")
    assert cosine(english, chinese) > cosine(Text("Quarterback joins football team"), chinese) + 0.2


def test_inflections_share_their_stem() -> None:
    """Danish and English endings do not make a word a stranger to itself."""
    assert cosine(Text("arkæologerne"), Text("arkæologer")) > 0.15
