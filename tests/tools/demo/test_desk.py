"""The demo's desk: its link leads to the editors' page for as long as the demo runs."""

import asyncio
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from on_kafka import until

from streamrec.kafka.topics import create
from streamrec.settings import Settings
from streamrec.tools.demo import desk as module
from streamrec.tools.demo.desk import desk


def page(address: str) -> str:
    """What is served there; nothing if nobody answers."""
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - our own http address
            return str(answer.read().decode())
    except (urllib.error.URLError, OSError):
        return ""


@pytest.mark.kafka
def test_the_link_leads_to_the_desk(settings_for_test: Settings, tmp_path: Path) -> None:
    """And to nothing when the demo has ended."""
    asyncio.run(create(settings_for_test))
    with desk(settings_for_test, tmp_path / "log") as where:
        address = where.partition(",")[0]
        asyncio.run(until(lambda: "<html" in page(address)))
    assert page(address) == ""


def test_without_its_libraries_there_is_no_desk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The demo goes on, and says what is missing."""
    monkeypatch.setattr(module, "NEEDS", ("no_such_library",))
    with desk(Settings(), tmp_path / "log") as where:
        assert where == 'not here: no_such_library is missing; pip install "streamrec[desk]"'
    assert not (tmp_path / "log").exists()
