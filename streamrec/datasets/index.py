"""Gives names dense numbers from 0, in the order of their first use: users and articles as array indices."""

from collections.abc import Iterator


class Index:
    """Gives each name the next number; `names[number]` is the way back."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._number: dict[str, int] = {}

    def add(self, name: str) -> int:
        """The number of a name, which gets the next free one if it is new."""
        number = self._number.setdefault(name, len(self.names))
        if number == len(self.names):
            self.names.append(name)
        return number

    def __contains__(self, name: str) -> bool:
        return name in self._number

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)
