"""Countries of time zones, as the IANA database has them: a device names its zone, and that says where its owner is.

    country_of("Europe/Copenhagen")  -> "DK"     zone.tab: each zone of today belongs to one country
    country_of("Asia/Calcutta")      -> "IN"     an older name is that of its present one, Asia/Kolkata
    country_of("Atlantic/Jan_Mayen") -> ""       its present one, Europe/Berlin, holds for five countries by now
    country_of("Etc/UTC")            -> ""       no country's

zone1970.tab, which joins countries whose clocks agree, is asked only whether an older name is certain: where several
share the present one, the older name might have been of any of them.
"""

import re
import zoneinfo
from functools import cache
from importlib.resources import files

_RULE = re.compile(r"[A-Z]{3}(\d[A-Z]{3})?")  # EST5EDT, CET: clocks, not places


def is_zone(name: str) -> bool:
    """True for a name in the zone database."""
    return name in _zones()


def is_country(code: str) -> bool:
    """True for the ISO 3166 code of a country that has a time zone."""
    return code in _countries()


def country_of(zone: str) -> str:
    """ISO 3166 code of the country a zone belongs to; "" where that is none, or not certain."""
    return _country_of().get(present_name(zone), "")


def present_name(zone: str) -> str:
    """The name a zone has today, where it is certainly the same place; else the name itself."""
    return _present().get(zone, zone)


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


@cache
def _countries() -> frozenset[str]:
    return frozenset(_country_of().values())


@cache
def _country_of() -> dict[str, str]:
    return {zone: country for country, _, zone, *_ in _rows("zone.tab")}


@cache
def _present() -> dict[str, str]:
    one_country = {zone for countries, _, zone, *_ in _rows("zone1970.tab") if "," not in countries}
    links = (line.split() for line in _lines("tzdata.zi") if line.startswith("L "))
    present = {name: target for _, target, name in links if name not in _country_of() and not _RULE.fullmatch(name)}
    return {name: target for name, target in present.items() if target in one_country}


def _rows(name: str) -> list[list[str]]:
    return [line.split("\t") for line in _lines(name) if line and not line.startswith("#")]


def _lines(name: str) -> list[str]:
    return files("tzdata.zoneinfo").joinpath(name).read_text(encoding="utf-8").splitlines()
