"""The machine a measurement was made on, as far as it explains one: processor, instructions, threads, versions.

No host name, no path: a result may be published as it is.
"""

import importlib.metadata
import os
import platform
from pathlib import Path

import msgspec

FLAGS = ("avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm")
LIBRARIES = ("torch", "numpy", "onnxruntime", "safetensors", "streamrec")
CPUINFO = Path("/proc/cpuinfo")


class Machine(msgspec.Struct, frozen=True):
    """What a ratio of timings depends on besides the program: processor, instructions, threads, versions."""

    processor: str
    flags: list[str]  # those of FLAGS it has
    vnni: bool  # int8 products in one instruction instead of two
    cores: int
    threads: int  # used
    python: str
    versions: dict[str, str]


def this_machine(threads: int = 1) -> Machine:
    """The machine this runs on, with `threads` in use."""
    fields = _cpuinfo()
    has = set((fields.get("flags") or fields.get("Features") or "").split())
    flags = [flag for flag in FLAGS if flag in has]
    return Machine(
        processor=fields.get("model name") or platform.machine(),
        flags=flags,
        vnni=any("vnni" in flag for flag in flags),
        cores=os.cpu_count() or 1,
        threads=threads,
        python=platform.python_version(),
        versions={name: version for name in LIBRARIES if (version := _version(name))},
    )


def _cpuinfo() -> dict[str, str]:
    """Fields of the first processor; empty where the system has no such file."""
    if not CPUINFO.exists():
        return {}
    lines = [line.split(":", 1) for line in CPUINFO.read_text().split("\n\n")[0].splitlines() if ":" in line]
    return {name.strip(): value.strip() for name, value in lines}


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
