"""The canonical fields of an asset card, as the district contract has them."""

from __future__ import annotations

from adapters.model import FieldKind, FieldSpec

__all__ = ["ACQUISITIONS", "CANONICAL_FIELDS", "CONDITIONS", "DERIVED", "SOURCES", "STATUSES", "VALUE_TYPES"]

STATUSES = (
    "IN_USE", "IDLE", "TO_STORE", "IN_STORE", "RESERVED", "TO_DISPATCH", "IN_TRANSIT",
    "LENT", "IN_REPAIR", "FROZEN", "TO_DISPOSE", "DISPOSED", "LOST",
)  # fmt: skip
CONDITIONS = ("NEW", "GOOD", "USABLE", "NEEDS_REPAIR", "BEYOND_REPAIR")
ACQUISITIONS = ("PURCHASE", "TRANSFER", "EXCHANGE", "DONATION", "CONFISCATION", "STOCKTAKE_GAIN")
SOURCES = ("IDLE", "OVER_STANDARD", "TEMPORARY_BODY", "EVENT", "CONFISCATED", "BODY_CLOSED", "DONATED")
VALUE_TYPES = ("ORIGINAL", "APPRAISED", "NOMINAL", "PROVISIONAL")

DERIVED = ("classScheme", "classCode", "className", "legacyClassScheme", "legacyClassCode", "legacyClassName")
"""Fields that no mapping names: they come out of the class."""

_TEXT, _DECIMAL, _DATE, _ENUM = FieldKind.TEXT, FieldKind.DECIMAL, FieldKind.DATE, FieldKind.ENUM

CANONICAL_FIELDS: dict[str, FieldSpec] = {
    spec.name: spec
    for spec in (
        FieldSpec("code", _TEXT, orderable=True),
        FieldSpec("name", _TEXT, orderable=True),
        FieldSpec("classScheme", _TEXT, filterable=False),
        FieldSpec("classCode", _TEXT, orderable=True),
        FieldSpec("className", _TEXT, filterable=False),
        FieldSpec("legacyClassScheme", _TEXT, filterable=False),
        FieldSpec("legacyClassCode", _TEXT),
        FieldSpec("legacyClassName", _TEXT, filterable=False),
        FieldSpec("specification", _TEXT),
        FieldSpec("brand", _TEXT),
        FieldSpec("model", _TEXT),
        FieldSpec("serialNumber", _TEXT),
        FieldSpec("quantity", _DECIMAL, orderable=True),
        FieldSpec("unitOfMeasure", _TEXT),
        FieldSpec("acquiredOn", _DATE, orderable=True),
        FieldSpec("acquisition", _ENUM, ACQUISITIONS),
        FieldSpec("originalValue", _DECIMAL, orderable=True),
        FieldSpec("accumulatedDepreciation", _DECIMAL),
        FieldSpec("netValue", _DECIMAL, orderable=True),
        FieldSpec("valueType", _ENUM, VALUE_TYPES),
        FieldSpec("usefulLifeMonths", FieldKind.INTEGER),
        FieldSpec("owner", FieldKind.REFERENCE),
        FieldSpec("keeper", _TEXT, filterable=False, personal=True),
        FieldSpec("user", _TEXT, filterable=False, personal=True),
        FieldSpec("warehouse", FieldKind.REFERENCE),
        FieldSpec("location", _TEXT),
        FieldSpec("source", _ENUM, SOURCES),
        FieldSpec("condition", _ENUM, CONDITIONS),
        FieldSpec("status", _ENUM, STATUSES, orderable=True),
        FieldSpec("shareable", FieldKind.BOOLEAN),
        FieldSpec("shareableUntil", _DATE),
        FieldSpec("massKg", _DECIMAL),
        FieldSpec("version", _TEXT, filterable=False),
        FieldSpec("updatedAt", FieldKind.DATETIME),
        FieldSpec("observedAt", FieldKind.DATETIME, filterable=False),
    )
}
