r"""Text as the world writes it, made one: NFC, and without what nobody can see.

    clean_id("anne\u0301 ")     -> "ann\u00e9"     ids, names and words: nothing invisible, no blanks around them
    clean_text("Up \u202eand") -> "Up and"        titles and the like: tabs and line breaks are blanks
    clean_name("\u00c9lys\u00e9e ") -> "\u00e9lys\u00e9e"      what readers follow or mute: lower case, cut

Joiners (U+200C, U+200D) carry meaning in Persian, in Indic scripts and in emoji: inside a word with anything but ASCII
beside them they stay. Everything else stays as it is, case and inner blanks too.
"""

import re
import unicodedata

from .limits import SHORT_TEXT_CHARS

_SPACES = "\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029"  # control characters that part words
_BLANKS = _SPACES + " \xa0\u1680\u2000-\u200a\u202f\u205f\u3000"
# soft hyphen, zero widths, marks and overrides of direction, joiners of words, byte order mark, annotations
_INVISIBLE = (
    "\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
)
_FILLERS = "\u115f\u1160\u3164\uffa0\u2800"  # letters that show nothing
_JOINERS = "\u200c\u200d"

VISIBLE = f"[^{_BLANKS}{_INVISIBLE}{_FILLERS}{_JOINERS}]"  # pattern of a text in which there is something to see

_has_visible = re.compile(VISIBLE).search
_invisible = re.compile(f"[{_INVISIBLE}]+")
_spaces = re.compile(f"[{_SPACES}]+")
_joiners = re.compile(f"[{_JOINERS}]+")
_halves = re.compile("[\ud800-\udfff]")  # of surrogate pairs: no character
_half = _halves.search
_trimmed = "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029 \xa0\u3000"


def clean_id(text: str) -> str:
    """The one spelling of an id; empty if there is nothing to see in it, ValueError for half a surrogate pair."""
    if text.isascii() and text.isprintable() and text == text.strip(" "):
        return text
    if _half(text):
        raise ValueError("half a character")  # dropping it would make one user of two
    return _clean(text, "")


def clean_text(text: str) -> str:
    """A text as a reader sees it; empty if that is nothing."""
    return text if text.isascii() and text.isprintable() and text == text.strip(" ") else _clean(text, " ")


def clean_name(text: str) -> str:
    """The one spelling of a section, source or tag, whoever writes it; empty if there is nothing to see in it."""
    return clean_text(clean_text(clean_text(text).lower())[:SHORT_TEXT_CHARS])  # in lower case letters may compose


def _clean(text: str, space: str) -> str:
    text = _halves.sub("", text)
    if not _has_visible(text):
        return ""
    text = _spaces.sub(space, _invisible.sub("", text))
    return unicodedata.normalize("NFC", _joiners.sub(_kept, text).strip(_trimmed))


def _kept(found: re.Match[str]) -> str:
    text, (start, end) = found.string, found.span()
    before, after = text[start - 1 : start], text[end : end + 1]
    inside = before and after and not before.isspace() and not after.isspace()
    return found[0] if inside and not (before + after).isascii() else ""
