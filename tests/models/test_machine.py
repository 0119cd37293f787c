"""A fingerprint explains figures and gives nothing else away."""

import platform
from pathlib import Path

import msgspec
import pytest

from streamrec.models import machine
from streamrec.models.machine import this_machine


def test_processor_instructions_and_versions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """VNNI is read off the processor's flags: int8 stands or falls with it."""
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("model name\t: Some CPU\nflags\t\t: fpu avx2 fma avx512_vnni\n\nmodel name: second\n")
    monkeypatch.setattr(machine, "CPUINFO", cpuinfo)
    found = this_machine()
    assert (found.processor, found.flags, found.vnni) == ("Some CPU", ["avx2", "fma", "avx512_vnni"], True)
    assert "numpy" in found.versions


def test_no_name_of_the_machine() -> None:
    """A published report must not name a host."""
    assert platform.node() not in msgspec.json.encode(this_machine()).decode()
