"""What became of a log's rows: how many there were, how many could not be read, for which reasons, and where first.

    part.rows == part.read + part.rejected             of each file or topic; a row not read has one reason

A row is a line of a text file, a row of a table, or a record. Articles that rows name and the log does not hold are
counted apart, as `Named`: where two files write their ids differently, each row is read and still nothing meets.
Never content: a reason, a count, the first line; and of article ids how they are written.

    check(tally, allowed)      DataError where a share not read, or not met, is larger than that
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from ..arrays import BoolArray
from ..errors import DataError
from ..terminal.printable import printable

FORM_CHARS = 40
MAX_REJECTED = 0.01  # share of the rows of a file
MAX_UNMET = 0.5  # share of what names an article: what is older than the log's articles names others, few do


@dataclass
class Part:
    """How many rows one file or topic had, and how many could not be read, for which reasons."""

    rows: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    first: dict[str, int] = field(default_factory=dict)  # of a reason the line, from 1; absent where there are none
    unit: str = "line"
    repeated: int = 0  # of those read: what an earlier part of the log has, too, and which counts once

    @property
    def rejected(self) -> int:
        """How many rows could not be read."""
        return self.reasons.total()

    @property
    def read(self) -> int:
        """How many rows could be read."""
        return self.rows - self.rejected

    @property
    def share(self) -> float:
        """Share of the rows that could not be read, 0..1."""
        return self.rejected / max(1, self.rows)

    def reject(self, reason: str, line: int = 0, count: int = 1) -> None:
        """`count` rows cannot be read; they are among `rows`, which the caller counts."""
        if count:
            self.reasons[reason] += count
            if line:
                self.first.setdefault(reason, line)

    def reject_rows(self, reason: str, bad: BoolArray) -> None:
        """Count the rows that are True in `bad`, a column over all rows of the part, under this reason."""
        if bad.any():
            self.reject(reason, int(bad.argmax()) + 1, int(bad.sum()))

    def why(self) -> str:
        """Reasons with their counts, the commonest first."""
        return ", ".join(
            f"{reason} ({count:,}{f', first in {self.unit} {line}' if (line := self.first.get(reason)) else ''})"
            for reason, count in self.reasons.most_common()
        )


@dataclass
class Named:
    """Times that articles are named in one place of a log, how often the log holds them, and how ids are written."""

    count: int
    held: int
    forms: str  # how the first id that is not held is written, and an article's

    @property
    def unmet(self) -> float:
        """Share of those the log does not hold; none where nothing is named, as in a log of clicks alone."""
        return 1 - self.held / self.count if self.count else 0.0


@dataclass
class Tally:
    """Counts of one log; its loader adds to them as it reads."""

    parts: dict[str, Part] = field(default_factory=dict)
    named: dict[str, Named] = field(default_factory=dict)

    def of(self, what: str) -> Part:
        """The part of this name, made when first asked for."""
        return self.parts.setdefault(what, Part())

    def names(self, where: str, articles: Mapping[str, int], held: Collection[str]) -> None:
        """Articles are named so many times in this place; `held` are those of the log."""
        missing = next((name for name in articles if name not in held), "")
        found = sum(count for name, count in articles.items() if name in held)
        theirs, ours = (form_of(name) or "nothing" for name in (missing, next(iter(held), "")))
        self.named[where] = Named(
            sum(articles.values()), found, f"they write ids like {theirs}, articles have ids like {ours}"
        )

    def said(self) -> Iterator[str]:
        """Sentences for people; none where everything was read and met."""
        for what, part in self.parts.items():
            if part.rejected:
                yield f"{what}: {part.rejected:,} of {part.rows:,} rows not read: {part.why()}"
            if part.repeated:
                yield f"{what}: {part.repeated:,} stand in an earlier part of the log, too, and count once"
        for where, named in self.named.items():
            if named.held < named.count:
                unmet = f"{named.count - named.held:,} of {named.count:,}"
                yield f"{where}: {unmet} name an article the log does not hold; {named.forms}"


def form_of(article_id: str) -> str:
    """How an id is written, its digits hidden: `N1234` is `N####`."""
    return printable(re.sub(r"\d", "#", article_id), FORM_CHARS)


def check(tally: Tally, allowed: float | None = None) -> None:
    """DataError where more was lost than `allowed`; None: than a log should lose."""
    limit = MAX_REJECTED if allowed is None else allowed
    for what, part in tally.parts.items():
        if part.share > limit:
            raise DataError(
                f"{what}: {part.share:.1%} of the rows could not be read: {part.why()}; expected at most {limit:.1%}:"
                f" mend the file, or allow it with --allow-rejected {_above(part.share)}"
            )
    limit = MAX_UNMET if allowed is None else max(allowed, MAX_UNMET)
    for where, named in tally.named.items():
        if named.unmet > limit:
            raise DataError(
                f"{where}: {named.unmet:.1%} name an article the log does not hold: {named.forms}; expected at most"
                f" {limit:.1%}: write ids alike, or allow it with --allow-rejected {_above(named.unmet)}"
            )


def _above(share: float) -> str:
    """A share of at least this size, written as the user can give it."""
    return f"{min(1.0, int(share * 100 + 1) / 100):g}"
