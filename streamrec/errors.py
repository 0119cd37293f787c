"""Errors, by who must act.

    StreamrecError
    ├── SettingsError      the operator: a variable is misspelt or its value impossible
    ├── KafkaError         the operator: broker unreachable, topic settings drifted, Java or jars missing
    ├── ArtifactError      the ML engineer: a model folder is incomplete, altered or of another space
    ├── RecipeError        the ML engineer: a compression recipe cannot be done as it is written
    ├── DataError          the person at the keyboard: an input file is not what the command expects
    └── StateError         the developers: state and log disagree; the process ends and recovers

A message says what failed, which one, what was expected and what came, and the cure. It never carries user data.
Bad *records* are not errors: they become dead letters (contracts/records.py).
"""


class StreamrecError(Exception):
    """Base of all errors a command reports as one readable line, exit code 2."""


class SettingsError(StreamrecError):
    """A setting is misspelt or out of range; the operator corrects it."""


class KafkaError(StreamrecError):
    """The cluster cannot serve us as it is; the operator acts."""


class ArtifactError(StreamrecError):
    """A model artifact cannot be trusted or does not fit; the ML engineer acts."""


class RecipeError(StreamrecError):
    """A compression recipe cannot be done as it is written; the message says which step, and why."""


class DataError(StreamrecError):
    """A file given on the command line is not what was expected."""


class StateError(StreamrecError):
    """State and log disagree; the worker ends, and its successor recovers from the log."""
