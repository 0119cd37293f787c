"""Words of a text, for every language.

`pieces` splits by script only: runs of Han characters, and words of all other scripts, lower-cased. It needs no
dictionary, so the vector space built on it cannot change with a segmenter. `words` also segments the Han runs with
jieba's dictionary (0.5 s and 68 MB at the first Chinese text, nothing before) and serves keywords and stories.
Text is NFKC-normalised: full-width letters and ligatures become plain ones.
"""

import functools
import logging
import re
import unicodedata
from collections.abc import Callable

HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_CURLY = "\u2019"  # typographic apostrophe
_PIECE = re.compile(rf"[{HAN}]+|[^\W_{HAN}]+(?:'[^\W_{HAN}]+)*")
_LATIN_WORD = re.compile(rf"[^\W\d_{HAN}][^\W_{HAN}]*(?:'[^\W_{HAN}]+)*")
_HAN_RUN = re.compile(rf"[{HAN}]+")

_ENGLISH = """
a about after again all also am an and any are as at be because been before being but by can could did do does
doing down during each few for from get gets got had has have having he her here hers him his how i if in into is
it it's its just may me might more most must my no nor not now of off on once only or other our out over own s
same she should so some such than that the their them then there these they this those through to too under until
up us very was we were what when where which while who whom why will with would you your says said say new
"""
_DANISH = """
af alle alt at blev blive bliver da de dem den denne der deres det dette dig din disse dog du efter eller en end
er et for fra få får før gør ham han hans har havde hen hende her hos hun hvad hvis hvor hvorfor i igen ikke ind
jeg jer kan kom kommer kun kunne man mange med mere mig min mod må måtte ned noget nogle nu når og også om op os
over på se selv sig siger sin skal skulle som sådan til ud under var ved vi vil ville være været år ny nye nyt
"""
_CHINESE = """
的 了 在 是 我 有 和 就 不 人 都 一 一个 一個 上 也 很 到 说 說 要 去 你 会 會 着 著 没有 沒有 看 好 自己 这 這 那
他 她 它 们 們 与 與 及 或 但 而 被 把 将 將 从 從 对 對 为 為 以 于 於 中 下 里 裡 所 之 其 等 后 後 前 更 最 再
还 還 已 吗 嗎 呢 吧 什么 什麼 如何 怎么 怎麼 可以 可能 因为 因為 所以 如果
"""
ENGLISH, DANISH, CHINESE = (frozenset(text.split()) for text in (_ENGLISH, _DANISH, _CHINESE))
STOP_WORDS = ENGLISH | DANISH | CHINESE


def pieces(text: str) -> list[str]:
    """Lower-cased words and Han runs, in order, without any dictionary."""
    return _PIECE.findall(unicodedata.normalize("NFKC", text).lower().replace(_CURLY, "'"))


def is_han(piece: str) -> bool:
    """Whether a piece is a run of Han characters (a piece never mixes scripts)."""
    return _HAN_RUN.match(piece) is not None


def entities(text: str) -> frozenset[str]:
    """Words that look like names, lower-cased: capitals inside, or at the start where at least half have none."""
    found = _LATIN_WORD.findall(unicodedata.normalize("NFKC", text).replace(_CURLY, "'"))
    lower = sum(word[0].islower() for word in found)
    if not lower:  # a line in capitals says nothing
        return frozenset()
    sentence_case = 2 * lower >= len(found)
    return frozenset(
        word.lower()
        for at, word in enumerate(found)
        if any(letter.isupper() for letter in word[1:]) or (sentence_case and at and word[0].isupper())
    )


def words(text: str) -> list[str]:
    """Lower-cased words in order, Chinese segmented; stop words included."""
    found: list[str] = []
    for piece in pieces(text):
        if is_han(piece):
            found.extend(_segmenter()(piece))
        else:
            found.append(piece)
    return found


@functools.cache
def _segmenter() -> Callable[[str], list[str]]:
    """jieba's, silent and without its cache, which would unmarshal whatever lies in the shared temp folder."""
    import jieba  # noqa: PLC0415 - loading waits for the first Chinese text

    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    segment: Callable[[str], list[str]] = tokenizer.lcut
    return segment
