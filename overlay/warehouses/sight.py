"""Sight: what of an identity decides which rows it may see. Watches are shared by all who see alike.

It follows the table of `subgraphs.district.policy` and is coarser nowhere: two identities of one sight see the same rows
in every region. A member judges a sight like any identity, so a sight that were too wide would still be given its own
rows only. Beyond the ids nothing is read through it; the gateway joins each asset by the subscriber's own rights.
"""

from __future__ import annotations

from typing import Any

from contract.identity import Identity, Role

__all__ = ["sight_from_json", "sight_of", "sight_to_json"]

_PERSON = "standing-query"


def sight_of(identity: Identity) -> Identity:
    if identity.has(Role.CITY_OFFICER, Role.AUDITOR, Role.SERVICE):
        return Identity(_PERSON, roles=frozenset({Role.AUDITOR}))
    if identity.region is not None and identity.has(Role.REGION_OFFICER, Role.FINANCE):
        return Identity(_PERSON, identity.unit, identity.region, frozenset({Role.FINANCE}))
    return Identity(_PERSON, identity.unit)


def sight_to_json(sight: Identity) -> dict[str, Any]:
    return {"unit": sight.unit, "region": sight.region, "roles": sorted(sight.roles)}


def sight_from_json(data: Any) -> Identity:
    return Identity(_PERSON, data["unit"], data["region"], frozenset(Role(role) for role in data["roles"]))
