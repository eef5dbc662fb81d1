"""What a column's values say for or against a meaning: one small rule a target.

A rule gives a number from -1 (impossible) over 0 (says nothing) to 1 (certain), and why. `guess` joins it with what
the name says. The numbers are judgements, held against the fourteen stores of the sample city in the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from adapters.kit.shapes import Shape
from adapters.kit.words import code_value
from adapters.mapping.classes import class_name, codes_of

__all__ = ["Says", "class_scheme", "date_formats", "says_of"]

_MOST = 0.6
"""Samples hold bad values too: a form counts where so many have it."""
_DAY_FORMS = ("ymd", "compact", "epoch_s", "epoch_ms", "excel")
_SCHEMES = ("2022", "2010", "1994")
_FORMAT_MIN = 0.004
"""A date form that fewer values have is taken for an accident."""


@dataclass(frozen=True, slots=True)
class Says:
    weight: float
    reason: str = ""


Rule = Callable[[Shape], Says]
_NOTHING = Says(0.0)


def says_of(target: str, shape: Shape) -> Says:
    """Without any value nothing is said: an empty column is known by its name alone."""
    rule = _RULES.get(target)
    return _NOTHING if rule is None or not shape.filled else rule(shape)


def _percent(share: float) -> str:
    return f"{share:.0%}"


def _form(form: str, yes: float, no: float, words: str, least: float = _MOST) -> Rule:
    def rule(shape: Shape) -> Says:
        share = shape.share(form)
        if share >= least:
            return Says(yes, f"{_percent(share)} of its values are {words}")
        return Says(no, f"only {_percent(share)} of its values are {words}")

    return rule


# --- texts --------------------------------------------------------------------------------------------------------


def _name(shape: Shape) -> Says:
    if shape.share("chinese", "mojibake") < _MOST:
        return Says(-0.7, "its values are not Chinese")
    if shape.share("person", "measure", "street") >= _MOST:
        return Says(-0.7, "its values are persons, measure words, or streets")
    if shape.is_code_like:
        return Says(-0.4, f"its values repeat: {shape.distinct} different ones")
    return Says(0.35, f"{shape.distinct} different Chinese texts")


def _code(shape: Shape) -> Says:
    if shape.share("chinese") >= _MOST or shape.share("day", "moment", "fraction") >= _MOST:
        return Says(-0.9, "its values are no codes")
    if shape.distinct >= 0.9 * shape.filled:
        return Says(0.3, f"{shape.distinct} of {shape.filled} values differ")
    return Says(-0.3, f"only {shape.distinct} of {shape.filled} values differ")


def _identity(shape: Shape) -> Says:
    if shape.filled >= 0.9 * shape.total and shape.distinct >= 0.97 * shape.filled:
        return Says(0.4, f"{shape.distinct} of {shape.total} values differ")
    if shape.distinct >= 0.8 * shape.total:
        return Says(0.0, f"{shape.distinct} of {shape.total} values differ")
    return Says(-0.9, f"only {shape.distinct} of {shape.total} values differ")


def _serial(shape: Shape) -> Says:
    if shape.share("chinese") >= _MOST or shape.distinct < 0.8 * shape.filled:
        return Says(-0.6, "its values repeat, or are Chinese")
    return Says(0.2, "its values differ")


def _plain_text(shape: Shape) -> Says:
    if shape.share("number", "ymd", "flag", "hex", "person") >= 0.9:
        return Says(-0.8, "its values are numbers, days or persons")
    return Says(0.1, f"{shape.distinct} different texts")


def _brand(shape: Shape) -> Says:
    text = _plain_text(shape)
    if text.weight < 0 and shape.share("number", "ymd", "flag", "hex") < 0.9:
        return Says(0.1, "short words")
    return text


def _class_name(shape: Shape) -> Says:
    known = {class_name(scheme, code) for scheme in _SCHEMES for code in codes_of(scheme)}
    hits = sum(number for text, number in shape.codes if text in known) / shape.filled
    if hits >= _MOST:
        return Says(0.6, f"{_percent(hits)} of its values are names of GB/T 14885")
    return Says(-0.5, "its values are not names of GB/T 14885")


# --- classes, codes, flags ----------------------------------------------------------------------------------------


def class_scheme(shape: Shape) -> tuple[str, float, float]:
    """(the likeliest scheme, its share of the values, the share of the next likely)."""
    shares = sorted(((shape.share(f"class {scheme}"), scheme) for scheme in _SCHEMES), reverse=True)
    return shares[0][1], shares[0][0], shares[1][0]


def _class_code(shape: Shape) -> Says:
    scheme, share, _ = class_scheme(shape)
    if share >= 0.5:
        return Says(0.9, f"{_percent(share)} of its values are codes of GB/T 14885-{scheme}")
    if shape.share("class prefix") >= 0.5:
        return Says(0.6, "its values look like codes of GB/T 14885")
    if shape.share("chinese", "fraction", "moment") >= 0.5:
        return Says(-0.8, "its values are no class codes")
    return Says(-0.2, "its values are no codes of GB/T 14885: perhaps keys of a table of classes")


def _words_of(field: str, yes: float) -> Rule:
    """A list whose words mean something in this field."""

    def rule(shape: Shape) -> Says:
        if not shape.is_code_like:
            return Says(-0.8, f"{shape.distinct} different values are no list")
        if shape.distinct == 1:
            return Says(-0.5, "all its values are the same")
        known = sum(number for text, number in shape.codes if code_value(field, text)) / shape.filled
        if known >= _MOST and shape.share("number", "flag") < _MOST:
            return Says(yes, f"{_percent(known)} of its values are words such as {shape.codes[0][0]}")
        return Says(0.1, f"{shape.distinct} different values")

    return rule


def _secrecy(shape: Shape) -> Says:
    if not shape.is_code_like or shape.distinct > 12:
        return Says(-0.9, f"{shape.distinct} different values are no list")
    secret = [
        text for text, _ in shape.codes if any(word in text for word in ("密", "公开", "内部", "INTERNAL", "SECRET"))
    ]
    if secret:
        return Says(0.85, f"its values are {', '.join(text for text, _ in shape.codes[:4])}")
    return Says(0.2, f"{shape.distinct} different values")


def _flag(shape: Shape) -> Says:
    if shape.distinct <= 3 and shape.share("flag") >= 0.9:
        words = shape.share("chinese") >= _MOST
        return Says(0.4 if words else 0.25, f"its values are {', '.join(text for text, _ in shape.codes)}")
    known = sum(number for text, number in shape.codes if code_value("shareable", text)) / shape.filled
    return Says(0.4, "its words are yes and no") if known >= 0.9 else Says(-0.9, "its values are not yes and no")


def _deleted(shape: Shape) -> Says:
    if shape.share("flag") >= 0.9 or shape.share("ymd", "moment", "epoch_s") >= 0.9:
        return Says(0.3, f"{shape.filled} of {shape.total} rows have a value")
    return Says(-0.5, "its values are no flag and no time")


def _owner(shape: Shape) -> Says:
    if shape.share("uscc") >= _MOST:
        return Says(0.9, f"{_percent(shape.share('uscc'))} of its values are unified social credit codes")
    if shape.share("measure", "person", "fraction", "moment") >= _MOST:
        return Says(-0.9, "its values are measure words, persons or numbers")
    return _NOTHING


# --- numbers and days ---------------------------------------------------------------------------------------------


def _quantity(shape: Shape) -> Says:
    if shape.share("number") < _MOST or shape.median is None or not 0 < shape.median <= 100:
        return Says(-0.9, "its values are no small numbers")
    return Says(0.3, f"numbers, half of them up to {shape.median:f}")


def _money(shape: Shape) -> Says:
    if shape.share("number") < _MOST or shape.share("epoch_s", "epoch_ms") >= _MOST or shape.distinct < 3:
        return Says(-0.9, "its values are no amounts")
    if shape.share("fraction") >= 0.2:
        return Says(0.3, "amounts with decimals")
    return Says(0.1, "numbers")


def _life(shape: Shape) -> Says:
    if shape.share("whole") < _MOST or shape.median is None or not 1 <= shape.median <= 600 or shape.distinct > 40:
        return Says(-0.9, "its values are no years or months")
    return Says(0.3, f"whole numbers, half of them up to {shape.median:f}")


def _day(shape: Shape) -> Says:
    formats = date_formats(shape)
    share = sum(shape.share(form) for form in formats)
    if share < _MOST or shape.distinct < 3:
        return Says(-0.9, "its values are no days")
    clock = shape.share("moment")
    return Says(
        0.3 if clock < _MOST else -0.1, f"{_percent(min(share, 1.0))} of its values are days ({', '.join(formats)})"
    )


def _moment(shape: Shape) -> Says:
    if shape.share("moment", "epoch_s", "epoch_ms") >= _MOST:
        return Says(0.3, "its values are times")
    return Says(-0.8, "its values are no times")


def date_formats(shape: Shape) -> tuple[str, ...]:
    """The forms of the mapping language that the values have, most frequent first. A plain number is read one way only."""
    shares: Mapping[str, float] = {form: shape.share(form) for form in _DAY_FORMS}
    found = sorted((form for form in _DAY_FORMS if shares[form] >= _FORMAT_MIN), key=lambda form: -shares[form])
    if "compact" in found and "epoch_s" in found:  # 20190305 is no time of 1970
        found.remove("compact" if shares["epoch_s"] > shares["compact"] else "epoch_s")
    return tuple(found)


def _version(shape: Shape) -> Says:
    if shape.share("whole") >= 0.9:
        return Says(0.2, "whole numbers")
    return Says(-0.5, "its values are no counter")


_RULES: dict[str, Rule] = {
    "id": _identity,
    "code": _code,
    "name": _name,
    "classCode": _class_code,
    "className": _class_name,
    "specification": _plain_text,
    "brand": _brand,
    "model": _plain_text,
    "serialNumber": _serial,
    "quantity": _quantity,
    "unitOfMeasure": _form("measure", 0.9, -0.8, "measure words (台, 把, 张)"),
    "acquiredOn": _day,
    "shareableUntil": _day,
    "updatedAt": _moment,
    "createdAt": lambda shape: max(_moment(shape), _day(shape), key=lambda says: says.weight),
    "originalValue": _money,
    "accumulatedDepreciation": _money,
    "netValue": _money,
    "usefulLifeMonths": _life,
    "owner": _owner,
    "keeper": _form("person", 0.45, -0.7, "names of two to four characters"),
    "user": _form("person", 0.4, -0.7, "names of two to four characters"),
    "location": _form("place", 0.7, 0.0, "places (9号楼813室)", 0.4),
    "status": _words_of("status", 0.75),
    "condition": _words_of("condition", 0.6),
    "acquisition": _words_of("acquisition", 0.6),
    "source": _words_of("source", 0.5),
    "valueType": _words_of("valueType", 0.6),
    "kind": _words_of("kind", 0.6),
    "shareable": _flag,
    "secrecy": _secrecy,
    "region": _form("region", 0.9, -0.9, "codes of Hangzhou's regions"),
    "street": _form("street", 0.8, -0.9, "streets and towns"),
    "deleted": _deleted,
    "latest": _flag,
    "version": _version,
    "uscc": _form("uscc", 0.9, -0.9, "valid unified social credit codes", 0.5),
    "massKg": _form("number", 0.1, -0.9, "numbers"),
}
