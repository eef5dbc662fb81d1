"""Who may see what of one region's assets. All of it stands here; everything else asks a `Viewer`.

| who asks                                   | rows                     | fields                                |
|--------------------------------------------|--------------------------|---------------------------------------|
| anybody, without signing in                | shareable                | the published catalogue's whitelist   |
| signed in, of another region               | shareable                | all but personal ones                 |
| of a unit of this region, whatever role    | shareable, own unit's    | personal ones of the own unit's rows  |
| this region's officer                      | all                      | all, raw values and quarantine too    |
| this region's finance office               | all                      | all but personal ones                 |
| city officers, auditors, the system itself | all                      | all but personal ones                 |

*Shareable* is a row that may be shared and whose last day to be shared has not come. Holds and movements are for the
system itself (`SERVICE`). Secret rows are no question of this module: stores never give them to anybody.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from adapters.model import Compare, Filter, In, IsNull
from contract.identity import Identity, Role
from subgraphs.district.filters import all_of, any_of, fields_of
from subgraphs.kit.errors import Forbidden

__all__ = ["PERSONAL_FIELDS", "PUBLISHED_FIELDS", "Viewer", "require_service"]

PERSONAL_FIELDS = frozenset(("keeper", "user"))
PUBLISHED_FIELDS = frozenset(
    (
        "id", "region", "code", "name", "class", "specification", "brand", "model", "quantity", "unitOfMeasure",
        "acquiredOn", "acquisition", "originalValue", "netValue", "valueType", "usefulLifeMonths", "owner",
        "warehouse", "source", "condition", "status", "shareable", "shareableUntil", "massKg", "version",
        "observedAt", "lineageId", "successorId", "predecessorId", "busy",
    )
)  # fmt: skip
"""What the published catalogue shows of an asset; other fields are null (`issues` is empty) without signing in."""

_UNPUBLISHED_CONDITIONS = frozenset(
    ("serialNumber", "legacyClassCode", "accumulatedDepreciation", "location", "updatedAt", "hasIssues")
)
"""Conditions that would tell what the catalogue does not show."""


@dataclass(frozen=True, slots=True)
class Viewer:
    identity: Identity
    region: str
    """The region whose rows are looked at."""
    own_units: frozenset[str] = frozenset()
    """Native keys of the caller's unit in this region (a store may list a unit twice)."""
    personal_of: set[str] = field(default_factory=set, compare=False)
    """Assets (native keys) of which this request tells personal data."""
    raw_of: set[str] = field(default_factory=set, compare=False)
    """Rows (native keys, `*` where there is none) of which it tells what the legacy store holds."""

    @property
    def is_region_officer(self) -> bool:
        return self.identity.has(Role.REGION_OFFICER) and self.identity.region == self.region

    @property
    def sees_all_rows(self) -> bool:
        if self.identity.has(Role.SERVICE, Role.CITY_OFFICER, Role.AUDITOR) or self.is_region_officer:
            return True
        return self.identity.has(Role.FINANCE) and self.identity.region == self.region

    @property
    def sees_published_fields_only(self) -> bool:
        return self.identity.is_anonymous

    @property
    def sees_raw_values(self) -> bool:
        return self.is_region_officer

    def sees_personal_of(self, owner: str | None) -> bool:
        return self.is_region_officer or (owner is not None and owner in self.own_units)

    def may_select(self, field: str) -> bool:
        return not self.sees_published_fields_only or field in PUBLISHED_FIELDS

    def rows(self, today: date) -> Filter | None:
        """The condition that every row this viewer may see meets."""
        if self.sees_all_rows:
            return None
        ways: list[Filter | None] = [shareable_on(today)]
        if self.own_units:
            ways.append(In("owner", tuple(sorted(self.own_units))))
        return any_of(ways)

    def check_filter(self, filter_: object) -> None:
        """Refuse conditions that would tell what the viewer may not read. Raises `Forbidden`."""
        if not self.sees_published_fields_only:
            return
        refused = sorted(fields_of(filter_) & _UNPUBLISHED_CONDITIONS)
        if refused:
            raise Forbidden(f"sign in to filter by {', '.join(refused)}")

    def check_quarantine(self) -> None:
        if not self.is_region_officer:
            raise Forbidden(f"raw rows are for officers of region {self.region}")


@lru_cache(maxsize=2)
def shareable_on(today: date) -> Filter | None:
    until = any_of((IsNull("shareableUntil"), Compare("shareableUntil", "gt", today.isoformat())))
    return all_of((Compare("shareable", "eq", True), until))


def require_service(identity: Identity) -> None:
    """Custody is commanded by the system itself only. Raises `Forbidden`."""
    if not identity.has(Role.SERVICE):
        raise Forbidden("holds and movements are commanded by the overlay's service identity")
