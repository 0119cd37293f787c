"""Words of the simulated newsroom, read from vocabulary.toml."""

import functools
import tomllib
from importlib.resources import files
from typing import NamedTuple

LANGUAGES = ("en", "zh", "da")

Words = tuple[str, ...]


class Topic(NamedTuple):
    """What articles can be about: a subject area within a category."""

    category: str
    name: str
    subjects: dict[str, Words]  # by language
    verbs: dict[str, Words]


class Vocabulary(NamedTuple):
    """All topics, category by category, and the contexts that fit any of them."""

    topics: tuple[Topic, ...]
    categories: tuple[str, ...]
    contexts: dict[str, Words]

    def category_of(self) -> list[int]:
        """Number of each topic's category, in order of topics."""
        return [self.categories.index(topic.category) for topic in self.topics]


@functools.cache
def vocabulary() -> Vocabulary:
    """The words from vocabulary.toml: topics with their subjects and verbs, categories and contexts."""
    tables = tomllib.loads(files(__package__).joinpath("vocabulary.toml").read_text(encoding="utf-8"))
    contexts = _words(tables.pop("contexts"))
    topics = tuple(
        Topic(category, name, _words(subjects), _words(table["verbs"]))
        for category, table in tables.items()
        for name, subjects in table["topics"].items()
    )
    return Vocabulary(topics, tuple(tables), contexts)


def _words(table: dict[str, list[str]]) -> dict[str, Words]:
    return {language: tuple(table[language]) for language in LANGUAGES}
