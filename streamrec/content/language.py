"""Language of a short text: ISO 639-1, "und" when there is nothing to go by.

The script with most letters decides first; where only one language of ours writes it (Greek, Hebrew, Thai, Tamil, ...),
that is the answer. Japanese is told by its kana; in kanji alone, by characters in forms China does not use, or by words
of its own. Where several languages share a script, lingua's character statistics choose among those only, helped by
what is known beforehand, since headlines have a dozen words: the answer is the language with the largest
confidence * prior * HINT ** (function words of that language in the text).

lingua is loaded by script, at the first text that needs it: 28 MB for 15 languages in Latin letters, 6 for Cyrillic, 4
for Arabic, 1 for Devanagari; 240, 180, 170 and 130 us a title. Its full n-gram model is no better once the prior is in.
Bokmål, Nynorsk and Norwegian are one language, "nb": readers of one read the other, and producers mix the tags.
"""

import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Callable

from .stop_words import hits
from .words import HAN, HIRAGANA, KATAKANA, pieces

UNDECIDED = "und"
PRIOR = {"en": 10.0, "da": 10.0}
HINT = 3.0
MAX_CHARS = 400
ONE_OF = {
    "LATIN": ("en", "da", "de", "sv", "nb", "nl", "fr", "es", "it", "pt", "pl", "cs", "tr", "fi", "vi"),
    "CYRILLIC": ("ru", "uk", "bg", "sr", "be", "mk"),
    "ARABIC": ("ar", "fa", "ur"),
    "DEVANAGARI": ("hi", "mr"),
}
WRITTEN_BY_ONE = {
    "GREEK": "el", "HEBREW": "he", "THAI": "th", "LAO": "lo", "KHMER": "km", "MYANMAR": "my", "BENGALI": "bn",
    "GURMUKHI": "pa", "GUJARATI": "gu", "ORIYA": "or", "TAMIL": "ta", "TELUGU": "te", "KANNADA": "kn",
    "MALAYALAM": "ml", "SINHALA": "si", "GEORGIAN": "ka", "ARMENIAN": "hy", "ETHIOPIC": "am", "TIBETAN": "bo",
}  # fmt: skip
LANGUAGES = frozenset({UNDECIDED, "zh", "ja", "ko", *WRITTEN_BY_ONE.values()}.union(*ONE_OF.values()))
_TELLING_LETTERS = {"uk": "їєґ", "be": "ў", "sr": "ђћ", "mk": "ѓќѕ", "ru": "ыэ", "mr": "ळ", "ur": "ٹڈڑں"}
_SAME = {
    "no": "nb", "nn": "nb", "iw": "he", "in": "id", "ji": "yi", "mo": "ro", "sh": "sr",
    "eng": "en", "zho": "zh", "chi": "zh", "cmn": "zh", "yue": "zh", "dan": "da", "nor": "nb", "nob": "nb", "nno": "nb",
    "swe": "sv", "deu": "de", "ger": "de", "fra": "fr", "fre": "fr", "spa": "es", "nld": "nl", "dut": "nl",
    "jpn": "ja", "kor": "ko", "ita": "it", "por": "pt", "pol": "pl", "ces": "cs", "cze": "cs", "tur": "tr", "fin": "fi",
    "vie": "vi", "rus": "ru", "ukr": "uk", "bul": "bg", "srp": "sr", "bel": "be", "mkd": "mk", "ara": "ar", "arb": "ar",
    "fas": "fa", "per": "fa", "pes": "fa", "urd": "ur", "hin": "hi", "mar": "mr", "ben": "bn", "tam": "ta", "tel": "te",
    "ell": "el", "gre": "el", "heb": "he", "tha": "th",
}  # fmt: skip

_HAN_CHAR = re.compile(f"[{HAN}]")
_KANA = re.compile(f"[{HIRAGANA}{KATAKANA}]")
_LATIN_WORD = re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]+")
_TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9_-]+)?")
_JAPANESE_WORDS = re.compile(
    "辞任|衆院|参院|与党|野党|都内|知事|閣議|逮捕|容疑|震度|株価|円安|円高|日銀|敗退|会見|県警|予選|自民党総裁"
)
_CHINESE = re.compile(
    "[國會學總黨發對經濟體圖數實傳應變戰醫關點擊獲區廣氣證聯當觀還個這說與將並是了把也]"
)  # left to Chinese


def language_of(given: str, text: str) -> str:
    """Language of an article: the primary part of the BCP 47 tag it brought, else a guess."""
    tag = _TAG.fullmatch(given.strip())
    primary = tag.group(1).lower() if tag else ""
    primary = _SAME.get(primary, primary)
    return primary if len(primary) == 2 else guess_language(text)


def guess_language(text: str) -> str:
    """The language of a text as one of LANGUAGES; "und" where nothing tells."""
    text = unicodedata.normalize("NFKC", text[:MAX_CHARS])
    letters = Counter(script for script in map(_script, text) if script)
    if not letters:
        return UNDECIDED
    letters["LATIN"] = len(_LATIN_WORD.findall(text))  # names stay Latin: four letters outweigh "iPhone 17 Pro"
    kana = letters.pop("KANA", 0)
    letters["HAN"] += kana
    script = max(letters, key=lambda each: (letters[each], each))
    if script == "HAN":
        return "ja" if 5 * kana > letters["HAN"] or _is_japanese(text) else "zh"
    if script == "HANGUL":
        return "ko"
    return _most_likely(script, text) if script in ONE_OF else WRITTEN_BY_ONE.get(script, UNDECIDED)


@functools.lru_cache(maxsize=10_000)
def _script(char: str) -> str:
    if not char.isalpha():
        return ""
    if _HAN_CHAR.match(char):
        return "HAN"
    return "KANA" if _KANA.match(char) else unicodedata.name(char, "").partition(" ")[0]


def _is_japanese(text: str) -> bool:
    """Of a text in Han characters: Japan has some of China's new forms and some of its old ones, and its own."""
    han = "".join(_HAN_CHAR.findall(text))
    if _CHINESE.search(han) or not _encodes(han, "cp932"):
        return False
    new = [char for char in han if not _encodes(char, "big5")]
    old = [char for char in han if not _encodes(char, "gb2312")]
    return bool((new and old) or _JAPANESE_WORDS.search(han))


def _encodes(text: str, codec: str) -> bool:
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def _most_likely(script: str, text: str) -> str:
    hinted = Counter(hits(pieces(text)))
    for language, telling in _TELLING_LETTERS.items():
        hinted[language] += 2 * any(letter in text.lower() for letter in telling)
    own = "".join(char for char in text if _script(char) in {"", script})
    scores = {
        language: value * PRIOR.get(language, 1.0) * HINT ** hinted[language]
        for language, value in _confidences(script)(own).items()
    }
    best = max(scores, key=lambda language: (scores[language], language), default=UNDECIDED)
    return best if scores.get(best) else UNDECIDED


@functools.cache
def _confidences(script: str) -> Callable[[str], dict[str, float]]:
    """Text to confidence by ISO 639-1 code, over the languages of a script; the model is loaded here."""
    from lingua import IsoCode639_1, LanguageDetectorBuilder  # noqa: PLC0415 - waits for the first text that needs it

    codes = [getattr(IsoCode639_1, language.upper()) for language in ONE_OF[script]]
    detector = LanguageDetectorBuilder.from_iso_codes_639_1(*codes).with_low_accuracy_mode().build()

    def confidences(text: str) -> dict[str, float]:
        values = detector.compute_language_confidence_values(text)
        return {each.language.iso_code_639_1.name.lower(): each.value for each in values}

    return confidences
