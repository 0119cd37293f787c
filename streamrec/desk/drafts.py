"""What is typed into the form of a push, and the article of the contract that it makes."""

from typing import Any, NamedTuple
from uuid import uuid4

from ..errors import DataError
from .frame import Form
from .words import Times

LEVELS = ("1", "2", "3")  # of breaking news


class Draft(NamedTuple):
    """The fields of the form, as text."""

    article_id: str = ""
    title: str = ""
    abstract: str = ""
    category: str = ""
    deep_link: str = ""
    tags: str = ""
    embargo: str = ""
    breaking: str = "0"
    audience: str = ""  # "": whom it suits; everybody; segment
    languages: str = ""
    countries: str = ""
    sections: str = ""
    followers: str = ""  # of a story, a source or a tag
    share: str = ""  # of the audience, in percent
    first: str = ""  # percent of it that gets it at once
    minutes: str = ""  # until the rest does

    @classmethod
    def of(cls, form: Form) -> "Draft":
        """What was typed; an id is made where there is none."""
        typed = cls(**{name: form[name].strip() for name in cls._fields if name in form})
        return typed if typed.article_id else typed._replace(article_id=f"desk-{uuid4().hex[:16]}")

    @property
    def is_for_everybody(self) -> bool:
        """Whether nothing but consent and such keeps it from any reader."""
        return self.audience == "everybody"

    def article(self, at_ms: int, times: Times) -> dict[str, Any]:
        """The article of the contract, published now; DataError for what is no article."""
        if not self.title:
            raise DataError("A push needs a title.")
        try:
            embargo_ms = times.typed(self.embargo)
        except (ValueError, OverflowError):
            raise DataError("The time it may not leave before is no time.") from None
        said = {
            "abstract": self.abstract,
            "category": self.category,
            "deep_link": self.deep_link,
            "tags": _names(self.tags),
            "embargo_until_ms": embargo_ms,
            "breaking": int(self.breaking) if self.breaking in LEVELS else 0,
            "audience": self._audience(),
        }
        given = {name: value for name, value in said.items() if value}
        return {"article_id": self.article_id, "title": self.title, "published_at_ms": at_ms, **given}

    def _audience(self) -> dict[str, Any] | None:
        if self.audience not in ("everybody", "segment"):
            return None
        made: dict[str, Any] = {"everybody": True} if self.audience == "everybody" else {}
        if self.audience == "segment":
            lists = {"languages": self.languages, "countries": self.countries, "categories": self.sections}
            lists["followers"] = self.followers
            made = {name: _names(text) for name, text in lists.items() if text}
            if self.share:
                made["share"] = _percent(self.share, "The share")
            if not made:
                raise DataError("Say which readers it is for: languages, countries, sections or a share.")
        if self.first or self.minutes:
            made["ramp"] = {"share": _percent(self.first, "The first part"), "after_min": _minutes(self.minutes)}
        return made

    def said(self) -> str:
        """Whom it is for, in words."""
        if self.audience == "everybody":
            who = "everybody"
        elif self.audience == "segment":
            parts = [("who read in", self.languages), ("in", self.countries), ("who read", self.sections)]
            parts.append(("who follow", self.followers))
            who = "readers " + ", ".join(f"{word} {', '.join(_names(text))}" for word, text in parts if text)
            who += f"{self.share} % of them" if self.share else ""
        else:
            return "readers it suits"
        return f"{who}; first {self.first} %, the rest after {self.minutes} minutes" if self.first else who


def _names(text: str) -> list[str]:
    return [name for part in text.split(",") if (name := part.strip())]


def _percent(text: str, what: str) -> float:
    try:
        share = float(text.removesuffix("%").strip().replace(",", ".")) / 100
    except ValueError:
        share = -1.0
    if not 0 < share <= 1:
        raise DataError(f"{what} is no percentage between 0 and 100.")
    return share


def _minutes(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 7 * 1440):
        raise DataError("The minutes until the rest gets it are no number between 1 and 10,080.")
    return int(text)
