"""Words of a text, for every language.

A word ends where Unicode says so (UAX 29, by ICU), so the marks of Hindi, Tamil or Arabic stay with their letters.
Scripts written without spaces are the exception, since their words stand in a dictionary only. `pieces` cuts them into
runs of one script; the vector space built on it changes with no dictionary. `words`, for keywords and stories, cuts
them with dictionaries: ICU's for Japanese, Thai, Lao, Khmer and Burmese (4 MB, 9 us a headline), jieba's for Chinese
(0.5 s and 68 MB at the first Chinese text, nothing before), since ICU's takes 芯片 (chip) for two words.

Text is NFKC-normalised and lower-cased; what is not seen goes (joiners, soft hyphens, Arabic and Hebrew points), and so
do elisions ("l'Italie"): the same word in another spelling stays the same word.
"""

import functools
import logging
import re
import unicodedata
from collections.abc import Callable, Iterator

from icu4py.breakers import WordBreaker

HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
HIRAGANA = "\u3041-\u309f"
KATAKANA = "\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
SOUTH_EAST_ASIAN = "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0edf\u1000-\u103f\u1050-\u109f\u1780-\u17d3\u17dc\u17dd"
_UNSPACED = re.compile(f"([{HAN}{HIRAGANA}{KATAKANA}]+|[{SOUTH_EAST_ASIAN}]+)")
_NOT_CHINESE = re.compile(f"[{HIRAGANA}{KATAKANA}{SOUTH_EAST_ASIAN}]")
_RUN = re.compile(f"[{HAN}]+|[{HIRAGANA}]+|[{KATAKANA}]+|[{SOUTH_EAST_ASIAN}]+")
_SPELLING = {ord("\u2019"): "'", ord("\u200b"): " ", ord("_"): " ", 0x640: None} | dict.fromkeys(
    [*range(0x591, 0x5BE), 0x5BF, 0x5C1, 0x5C2, *range(0x64B, 0x660), 0x670]
)  # typographic apostrophe, the invisible space of Khmer; Arabic stretching; Hebrew and Arabic points
_HAN_BYTES = re.compile(rb"[\xe3-\xe9\xef]|\xf0[\xa0-\xb1]|\\u(?:[3-9fF]|[dD]8[4-8])")  # a little more than HAN
UNSEEN = {"Cf", "Cs"}  # joiners and direction marks; halves of characters, which ICU refuses
_ELISION = re.compile(r"\A(?:[cdjlmnst]|qu|lorsqu|jusqu|dell|nell|sull|dall|all)'(?=\w\w)", re.IGNORECASE)


def pieces(text: str) -> list[str]:
    """Lower-cased words, and runs of one script where words have no spaces, in order, without any dictionary."""
    found: list[str] = []
    for stretch in _UNSPACED.split(plain(text).lower()):
        found.extend(_RUN.findall(stretch) if _UNSPACED.match(stretch) else _spaced(stretch))
    return found


def words(text: str) -> list[str]:
    """Lower-cased words in order, those of scripts without spaces too; stop words included."""
    return _cut(plain(text).lower())


def as_written(text: str) -> list[str]:
    """The words that `words` gives, in the case they were written in."""
    return _cut(plain(text))


def _cut(spelt: str) -> list[str]:
    found: list[str] = []
    for stretch in _UNSPACED.split(spelt):
        if not _UNSPACED.match(stretch):
            found.extend(_spaced(stretch))
        else:
            found.extend(_segments(stretch) if _NOT_CHINESE.search(stretch) else _chinese()(stretch))
    return found


def plain(text: str) -> str:
    """A text in the one spelling of all that read the same, its case kept."""
    spelt = unicodedata.normalize("NFKC", text).translate(_SPELLING)
    if not spelt.isascii():
        spelt = "".join(char for char in spelt if unicodedata.category(char) not in UNSEEN).replace("\u0130", "I")
    return spelt


def is_han(piece: str) -> bool:
    """Whether a piece is a run of Han characters (a piece never mixes scripts)."""
    return _first_in(HAN, piece)


def is_hiragana(piece: str) -> bool:
    """Whether a piece is a run of hiragana: Japanese grammar."""
    return _first_in(HIRAGANA, piece)


def is_south_east_asian(piece: str) -> bool:
    """Whether a piece is a run of Thai, Lao, Khmer or Burmese: many words in one."""
    return _first_in(SOUTH_EAST_ASIAN, piece)


def entities(text: str) -> frozenset[str]:
    """Words that look like names, lower-cased: capitals inside, or at the start where at least half have none."""
    found = [word for word in _spaced(plain(text)) if word[0].lower() != word[0].upper()]
    lower = sum(word[0].islower() for word in found)
    if not lower:  # a line in capitals says nothing
        return frozenset()
    sentence_case = 2 * lower >= len(found)
    return frozenset(
        word.lower()
        for at, word in enumerate(found)
        if any(letter.isupper() for letter in word[1:]) or (sentence_case and at and word[0].isupper())
    )


def needs_no_dictionary(raw: bytes) -> bool:
    """Whether the words of these bytes, UTF-8 or JSON, can be told at once: no Chinese, or its dictionary is loaded."""
    return bool(_chinese.cache_info().currsize) or not _HAN_BYTES.search(raw)


def load_dictionary() -> None:
    """Load the dictionary of Chinese, which takes half a second; any thread."""
    _chinese()


def _spaced(stretch: str) -> list[str]:
    segments = (_ELISION.sub("", each) if "'" in each else each for each in _segments(stretch))
    return [each for each in segments if any(map(str.isalnum, each))]


def _segments(text: str) -> Iterator[str]:
    return (str(segment) for segment in WordBreaker(text, "und"))


def _first_in(script: str, piece: str) -> bool:
    return re.match(f"[{script}]", piece) is not None


@functools.cache
def _chinese() -> Callable[[str], list[str]]:
    """jieba's, silent and without its cache, which would unmarshal whatever lies in the shared temp folder."""
    import jieba  # noqa: PLC0415 - loading waits for the first Chinese text

    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    segment: Callable[[str], list[str]] = tokenizer.lcut
    return segment
