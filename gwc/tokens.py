"""Development access tokens: what `gwc token` prints."""

from __future__ import annotations

from pathlib import Path

from contract.identity import ACCESS, INTERNAL, Identity, Role, TokenIssuer
from contract.regions import REGIONS
from contract.uscc import is_valid_uscc
from gwc.errors import CommandError
from gwc.keys import ensure_keys, private_key

__all__ = ["issue_token"]

_INSIDE_ONLY = {Role.SERVICE}


def issue_token(
    keys: Path, roles: list[str], unit: str | None, region: str | None, person: str, hours: int, inside: bool = False
) -> str:
    """A token for trying things out: for the gateway, or (`inside`) for one subgraph asked without it.

    Raises `CommandError` on an unknown role, unit or region.
    """
    known = [role for role in Role if role not in _INSIDE_ONLY]
    try:
        chosen = frozenset(Role(role.upper()) for role in roles)
    except ValueError:
        chosen = frozenset(_INSIDE_ONLY)
    if not chosen or chosen & _INSIDE_ONLY:
        raise CommandError(f"Unknown role in {', '.join(roles)}.", f"Choose from {', '.join(known)}.", status=2)
    if unit is not None and not is_valid_uscc(unit):
        raise CommandError(
            f"{unit} is not a unified social credit code.", "Take one from `units { name uscc }`.", status=2
        )
    if region is not None and region not in REGIONS:
        raise CommandError(f"{region} is not a region.", f"Choose from {', '.join(REGIONS)}.", status=2)
    ensure_keys(keys)
    key, issuer = ("internal", INTERNAL) if inside else ("access", ACCESS)
    return TokenIssuer(private_key(keys, key), issuer, life_s=hours * 3600).issue(
        Identity(person, unit, region, chosen)
    )
