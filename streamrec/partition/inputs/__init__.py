"""How each input of a partition is decoded and applied: a file each, named after it.

contracts/inputs.py is their table, and says how one is added.
"""

from importlib import import_module

from ...contracts.inputs import INPUTS
from ...contracts.records import Topic
from .reading import Reading

READINGS: dict[Topic, Reading] = {name: import_module(f"{__name__}.{name}").READING for name in INPUTS}
