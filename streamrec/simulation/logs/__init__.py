"""Real click logs in one common form: articles, events and impressions in order of time (records.Step)."""

from .contract_files import load_files, write_files
from .ebnerd import load_ebnerd
from .globo import load_globo
from .mind import load_mind
from .records import Impression, Log, Step, Summary

__all__ = [
    "Impression",
    "Log",
    "Step",
    "Summary",
    "load_ebnerd",
    "load_files",
    "load_globo",
    "load_mind",
    "write_files",
]
