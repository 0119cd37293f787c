"""Language of a short text: ISO 639-1, "und" when there is nothing to go by.

Headlines have a dozen words, so character statistics (lingua, trigrams) are helped by what is known beforehand: a
newsroom's article is in English or Danish far oftener than in one of the languages listed to tell them from. The answer
is the language with the largest  confidence * prior * HINT ** (stop words of that language in the text). Scripts decide
first: Han without kana is Chinese.

lingua is loaded at the first text that needs it: 45 MB for these languages, about 65 us a title. Its full n-gram model
is no better once the prior is in, and takes 268 MB.
"""

import functools
import re
from collections.abc import Callable

from .stop_words import BY_LANGUAGE
from .words import HAN, is_han, pieces

UNDECIDED = "und"
PRIOR = {"en": 10.0, "da": 10.0}
HINT = 3.0
MAX_CHARS = 400
LANGUAGES = frozenset({"en", "zh", "da", "de", "sv", "nb", "nl", "fr", "es", "ja", "ko", UNDECIDED})

_KANA = re.compile("[\u3041-\u30ff]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_HAN_CHARS = re.compile(f"[{HAN}]")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
_LATIN_WORD = re.compile(rf"{_LATIN.pattern}+")
_TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9_-]+)?")
_THREE_LETTERS = {
    "eng": "en", "zho": "zh", "chi": "zh", "cmn": "zh", "yue": "zh", "dan": "da", "nob": "nb", "swe": "sv", "deu": "de",
    "ger": "de", "fra": "fr", "fre": "fr", "spa": "es", "nld": "nl", "jpn": "ja", "kor": "ko",
}  # fmt: skip


def language_of(given: str, text: str) -> str:
    """Language of an article: the primary part of the BCP 47 tag it brought, else a guess."""
    tag = _TAG.fullmatch(given.strip())
    primary = tag.group(1).lower() if tag else ""
    primary = _THREE_LETTERS.get(primary, primary)
    return primary if len(primary) == 2 else guess_language(text)


def guess_language(text: str) -> str:
    """One of LANGUAGES."""
    text = text[:MAX_CHARS]
    han, latin = len(_HAN_CHARS.findall(text)), len(_LATIN.findall(text))
    if len(_KANA.findall(text)) * 5 > han + latin:
        return "ja"
    if len(_HANGUL.findall(text)) * 2 > han + latin:
        return "ko"
    if han > len(_LATIN_WORD.findall(text)):  # product names stay Latin: four characters outweigh "iPhone 17 Pro"
        return "zh"
    return _guess_latin(text) if latin else UNDECIDED


def _guess_latin(text: str) -> str:
    found = [piece for piece in pieces(text) if not is_han(piece)]
    hints = {
        "en": sum(piece in BY_LANGUAGE["en"] and piece not in BY_LANGUAGE["da"] for piece in found),
        "da": sum(piece in BY_LANGUAGE["da"] and piece not in BY_LANGUAGE["en"] for piece in found),
    }
    scores = {
        language: value * PRIOR.get(language, 1.0) * HINT ** hints.get(language, 0)
        for language, value in _confidences()(text).items()
    }
    best = max(scores, key=lambda language: (scores[language], language), default=UNDECIDED)
    return best if scores.get(best) else UNDECIDED


@functools.cache
def _confidences() -> Callable[[str], dict[str, float]]:
    """Text to confidence by ISO 639-1 code, over the Latin-script languages; the model is loaded here."""
    from lingua import Language, LanguageDetectorBuilder  # noqa: PLC0415 - waits for the first text that needs it

    detector = (
        LanguageDetectorBuilder.from_languages(
            Language.ENGLISH, Language.DANISH, Language.GERMAN, Language.SWEDISH, Language.BOKMAL,
            Language.DUTCH, Language.FRENCH, Language.SPANISH,
        )
        .with_low_accuracy_mode()
        .build()
    )  # fmt: skip

    def confidences(text: str) -> dict[str, float]:
        values = detector.compute_language_confidence_values(text)
        return {each.language.iso_code_639_1.name.lower(): each.value for each in values}

    return confidences
