"""content/desk.py; what it makes of records is tested in tests/contracts/test_articles.py."""

from collections.abc import Sequence

import numpy as np

from streamrec.content.desk import Desk
from streamrec.content.encoder import FloatArray, Text
from streamrec.settings import load


class Lazy:
    """An encoder that reads its weights at the first text."""

    space_id = "lazy"
    ready = False

    def encode(self, texts: Sequence[Text]) -> FloatArray:
        self.ready = True
        return np.zeros((len(texts), 64), np.float32)


def test_weights_are_read_before_the_first_article() -> None:
    """Seconds of loading happen when the agent takes over, not while an article waits."""
    encoder = Lazy()
    desk = Desk(load({}), encoder)
    assert not encoder.ready
    desk.prepare()
    assert encoder.ready
