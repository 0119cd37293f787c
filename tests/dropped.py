"""A torch that has dropped dynamic quantization, as it has announced: the whole module is gone."""

import sys

import pytest

MODULE = "torch.ao.quantization"


def drop_dynamic_quantization(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else imports the module finds none, with any torch."""
    monkeypatch.setitem(sys.modules, MODULE, None)
