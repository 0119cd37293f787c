"""What a search says: words of every script, and a vector that depends on nothing but the query."""

import functools
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrec.arrays import FloatArray
from streamrec.content.encoder import HashedEncoder, Text
from streamrec.content.encoders import encoder_of
from streamrec.content.query import MOST_WORDS, Queries, words_shared
from streamrec.content.words import _chinese as chinese_dictionary
from streamrec.contracts.ids import key_of

QUERIES = [
    "volcano Iceland",
    "冰岛火山",
    "ภูเขาไฟไอซ์แลนด์",
    "आइसलैंड ज्वालामुखी",
    "アイスランドの火山",
    "champions league final",
    "brexit",
]
encoder = functools.cache(encoder_of)  # the weights are read once
HASHED = Queries(HashedEncoder())

ALONE = """
import hashlib, sys
from streamrec.content.encoders import encoder_of
from streamrec.content.query import Queries
queries = Queries(encoder_of(sys.argv[1]))
print(hashlib.sha256(b"".join(queries.understand(query).vector.tobytes() for query in sys.argv[2:])).hexdigest())
"""


def words_of(query: str) -> set[int]:
    """What a row would hold."""
    found = HASHED.understand(query)
    return set(found.words) - {0} if found else set()


def vector_of(queries: Queries, query: str) -> FloatArray:
    """What is learned."""
    found = queries.understand(query)
    assert found is not None
    return found.vector


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hashed", "sentence"])
def test_a_vector_has_the_same_bits_whatever_stands_beside_it(name: str) -> None:
    """Alone, among others, in another order, after a cache was filled, and in another process."""
    alone = [vector_of(Queries(encoder(name)), query).tobytes() for query in QUERIES]
    together = Queries(encoder(name))
    others = [f"another query {number}" for number in range(40)]
    for query in (*others, *QUERIES[::-1], *others):
        together.understand(query)
    assert [vector_of(together, query).tobytes() for query in QUERIES] == alone
    in_a_batch = encoder(name).encode([*map(Text, others), *(Text(query.lower()) for query in QUERIES)])
    assert [row.tobytes() for row in in_a_batch[len(others) :]] == alone
    done = subprocess.run([sys.executable, "-c", ALONE, name, *QUERIES], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == hashlib.sha256(b"".join(alone)).hexdigest()


@pytest.mark.parametrize("name", ["hashed", "sentence"])
def test_a_query_lies_nearest_to_its_own_article(name: str) -> None:
    """It is in the space of the articles."""
    titles = ["Iceland volcano erupts again", "Stocks fall as inflation rises", "Late goal decides final"]
    articles = encoder(name).encode([Text(title, "", "world") for title in titles])
    assert (articles @ vector_of(Queries(encoder(name)), "volcano iceland")).argmax() == 0
    assert Queries(encoder(name)).space_id == encoder(name).space_id


@pytest.mark.parametrize(
    ("query", "title", "shared"),
    [
        ("volcano iceland", "Iceland's eruption: volcano near Grindavik", "volcano"),
        ("the volcano of ICELAND", "Lava! Iceland Volcano erupts", "Iceland Volcano"),
        ("volcano iceland lava flights", "Iceland bakes", ""),
        ("volcano iceland lava flights", "Iceland bakes in lava", "Iceland lava"),
        ("brexit", "Brexit, ten years on", "Brexit"),
        ("war", "War and peace", "War"),
        ("冰岛火山", "冰岛火山再次喷发", "冰岛 火山"),
        ("ภูเขาไฟ", "ภูเขาไฟระเบิดในไอซ์แลนด์", "ภูเขาไฟ"),
        ("ज्वालामुखी", "आइसलैंड में ज्वालामुखी फटा", "ज्वालामुखी"),
        ("l'italie", "Élections en Italie", "Italie"),
        ("volcano", "Stocks fall", ""),
    ],
)
def test_an_article_is_known_again_by_its_own_words(query: str, title: str, shared: str) -> None:
    """In any script, as the title has them and in its order, from half of the query's words on."""
    assert words_shared(sorted(words_of(query)), title, ()) == shared


def test_what_only_the_abstract_says_counts() -> None:
    """Keywords are words of title and abstract."""
    assert words_shared(sorted(words_of("volcano")), "Lava reaches the town", ("lava", "volcano")) == "volcano"


@pytest.mark.parametrize("query", ["", "  ", "?!", "2026", "of the", "a b", "17 3"])
def test_a_query_without_words_teaches_nothing(query: str) -> None:
    """And is no error."""
    assert HASHED.understand(query) is None


def test_capitals_order_and_blanks_do_not_make_another_search() -> None:
    """The same words are the same search."""
    assert words_of("Volcano  ICELAND") == words_of("iceland volcano") == {key_of("iceland"), key_of("volcano")}
    assert vector_of(HASHED, "Volcano  ICELAND").tobytes() == vector_of(HASHED, "volcano iceland").tobytes()


def test_the_longest_words_are_kept() -> None:
    """Of more than a row holds."""
    kept = {"grindavik", "eruption", "flights", "iceland"}
    assert words_of("lava grindavik eruption snow flights iceland ash") == set(map(key_of, kept))


@pytest.mark.slow
@pytest.mark.parametrize("write", [str.encode, json.dumps, lambda query: json.dumps(query, ensure_ascii=False)])
@pytest.mark.parametrize("query", ["冰岛火山", "火山", "\U00020000\U00020001"])
def test_the_dictionary_of_chinese_is_loaded_aside(query: str, write: Callable[[str], str | bytes]) -> None:
    """When the first query that needs it comes, however it is written; no other waits for it, and none loads it."""
    chinese_dictionary.cache_clear()
    raw, queries = write(query), Queries(HashedEncoder())
    raw = raw.encode() if isinstance(raw, str) else raw
    plain = json.dumps("Brændende vulkan, 화산, Вулкан, ภูเขาไฟ \U0001f30b").encode()
    assert not queries.is_ready_for(plain)
    queries.prepare(plain)
    assert queries.is_ready_for(plain)
    assert not queries.is_ready_for(raw)
    assert not chinese_dictionary.cache_info().currsize
    queries.prepare(raw)
    assert chinese_dictionary.cache_info().currsize
    assert queries.is_ready_for(raw)


@given(st.text(max_size=500))
def test_any_text_is_understood(query: str) -> None:
    """Whatever somebody types."""
    found = HASHED.understand(query)
    if found is not None:
        assert len(found.words) == MOST_WORDS
        assert list(found.words[: len(words_of(query))]) == sorted(words_of(query))
        assert words_shared(sorted(words_of(query)), query, ())
