"""The encoder a setting names: the only place that knows them all.

    hashed          built in, no weights (encoder.py)
    sentence        multilingual sentence encoder, int8; needs the extra `sentence` (sentence.py)
    sentence-fp32   the same in fp32: the reference it is measured against

Each has a space of its own: a model, a catalog and the profiles of one never serve another.
"""

from ..errors import SettingsError
from ..settings import ENCODERS
from .encoder import Encoder, HashedEncoder


def encoder_of(name: str) -> Encoder:
    """The encoder of this name; its files are checked now, and its weights read at the first text."""
    if name == "hashed":
        return HashedEncoder()
    if name not in ENCODERS:
        raise SettingsError(f"the encoder is '{name}'; expected one of {', '.join(ENCODERS)}")
    from .sentence import SentenceEncoder  # noqa: PLC0415 - the hashed encoder loads nothing of it

    return SentenceEncoder("fp32" if name == "sentence-fp32" else "int8")
