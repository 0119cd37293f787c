"""The newsroom's own map of section names (setting `category_map`), as TOML or JSON:

    [aliases]                                    other names of one section
    "politik" = "politics"
    [groups]                                     sections that count as one
    "culture" = ["feuilleton", "theater", "kino"]

Names stand in quotes: without them TOML takes plain letters and digits only. Upper and lower case are one. An alias may
lead to a name that is grouped; a circle is refused, and so is a name that is said to be two things. Every error is a
SettingsError that names file and key, or line.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..contracts.limits import SHORT_TEXT_CHARS
from ..errors import SettingsError

KINDS = ("aliases", "groups")


def read_category_map(path: Path | None) -> dict[str, str]:
    """What each section in the file is called: it and all it leads to. No file: nothing is renamed."""
    if path is None:
        return {}
    try:
        return _names(_document(path))
    except OSError as error:
        raise SettingsError(f"STREAMREC_CATEGORY_MAP: {path} cannot be read: {error.strerror}") from None
    except ValueError as error:  # of the parsers, too: they name the line
        raise SettingsError(f"STREAMREC_CATEGORY_MAP: {path}: {error}") from None


def _document(path: Path) -> Mapping[str, Any]:
    text = path.read_text(encoding="utf-8")
    found = json.loads(text, object_pairs_hook=_once) if path.suffix == ".json" else tomllib.loads(text)
    _expect(isinstance(found, dict), f"expected an object with {' and '.join(KINDS)}")
    for kind, entries in found.items():
        _expect(kind in KINDS, f"'{kind}' is not known; expected {' or '.join(KINDS)}")
        _expect(isinstance(entries, dict), f"{kind}: expected names and what they stand for")
    return found


def _expect(it: bool, otherwise: str) -> None:
    if not it:
        raise ValueError(otherwise)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict[str, Any]()
    for key, value in pairs:
        _expect(key not in found, f"'{key}' stands twice")
        found[key] = value
    return found


def _names(document: Mapping[str, Any]) -> dict[str, str]:
    leads_to: dict[str, str] = {}
    for where, section, name in _entries(document):
        known = leads_to.setdefault(section, name)
        _expect(known == name, f"{where}: '{section}' is already '{known}'; a section has one name")
    return {section: _end(section, leads_to) for section in leads_to}


def _entries(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for alias, name in document.get("aliases", {}).items():
        where = f"aliases.{alias}"
        yield where, _name(where, alias), _name(where, name)
    for group, sections in document.get("groups", {}).items():
        where = f"groups.{group}"
        _expect(isinstance(sections, list), f"{where}: expected a list of sections")
        for section in sections:
            yield where, _name(where, section), _name(where, group)


def _name(where: str, text: Any) -> str:
    name = text.strip().lower() if isinstance(text, str) else ""
    fits = 1 <= len(name) <= SHORT_TEXT_CHARS
    _expect(fits, f"{where}: expected a name of 1 to {SHORT_TEXT_CHARS} characters, got {text!r}")
    return name


def _end(section: str, leads_to: Mapping[str, str]) -> str:
    """Where a section ends after following the map from name to name; names that lead in a circle are refused."""
    passed = [section]
    while (name := leads_to.get(passed[-1], passed[-1])) != passed[-1]:
        _expect(name not in passed, f"{' -> '.join([*passed, name])}: names that lead in a circle")
        passed.append(name)
    return passed[-1]
