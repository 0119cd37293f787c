"""An encoder with bugs that single texts reach."""

from collections.abc import Sequence

import numpy as np

from streamrec.arrays import FloatArray
from streamrec.content.encoder import HashedEncoder, Text

EARLY, LATE = "poisonearly", "poisonlate"  # words: encoding raises; what it answers cannot be written


class FragileEncoder(HashedEncoder):
    """The built-in one, but for two words."""

    def encode(self, texts: Sequence[Text]) -> FloatArray:
        """Raises, or answers with what is no vector."""
        words = " ".join(text.title for text in texts)
        if EARLY in words:
            raise RuntimeError("a bug")
        return np.array([["no number"]] * len(texts)) if LATE in words else super().encode(texts)
