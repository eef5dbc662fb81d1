"""Virtual warehouses in the overlay's store: made once, listed by who may see them, and turned into signed rules."""

from __future__ import annotations

import tomllib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import orjson
from sqlalchemy import ColumnElement, and_, false, insert, or_, select, true
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.identity import Identity, Role
from contract.rules import Rule, RuleSigner
from overlay.clock import Clock, text_of
from overlay.messages import Problem, problem
from overlay.store.database import Database
from overlay.store.once import check_key, input_hash
from overlay.store.tables import commands, virtual_warehouses
from overlay.warehouses.rules import (
    CONDITIONS_MAX,
    DEPTH_MAX,
    Definition,
    Filter,
    RuleTooLarge,
    regions_of,
    spell_out,
)
from overlay.warehouses.views import ViewId

__all__ = ["Warehouse", "WarehouseAnswer", "Warehouses"]

NAME_MAX = 100
DESCRIPTION_MAX = 1000
REFERENCES_MAX = 20
_SCOPES: dict[Role, frozenset[str]] = {
    Role.APPLICANT: frozenset({"UNIT"}),
    Role.UNIT_OFFICER: frozenset({"UNIT"}),
    Role.KEEPER: frozenset({"REGION"}),
    Role.REGION_OFFICER: frozenset({"UNIT", "REGION", "CITY"}),
    Role.CITY_OFFICER: frozenset({"UNIT", "REGION", "CITY", "ALL"}),
}
"""How widely each role may share what it makes."""


@dataclass(frozen=True, slots=True)
class Warehouse:
    seq: int
    id: str
    name: str
    name_en: str | None
    description: str | None
    description_en: str | None
    scope: str
    owner_region: str | None
    owner_unit: str | None
    built_in: bool
    created_at: str
    definition: Definition


@dataclass(frozen=True, slots=True)
class WarehouseAnswer:
    warehouse_id: str | None
    problems: tuple[Problem, ...]


class Warehouses:
    def __init__(self, database: Database, signer: RuleSigner, clock: Clock) -> None:
        self._database = database
        self._signer = signer
        self._clock = clock

    async def plant_seeds(self) -> None:
        """Add the built-in virtual warehouses that are not there yet."""
        text = resources.files("overlay.warehouses").joinpath("seeds.toml").read_text(encoding="utf-8")
        async with self._database.write() as connection:
            present = set((await connection.execute(select(virtual_warehouses.c.id))).scalars())
            for seed in tomllib.loads(text)["warehouse"]:
                if seed["id"] not in present:
                    definition = Definition(seed.pop("filter"))
                    await self._insert(connection, definition, built_in=True, **seed)

    async def page(self, identity: Identity, first: int, after: int) -> list[Warehouse]:
        """`first` + 1 of them at most, so that the caller sees whether more follow."""
        table = virtual_warehouses
        query = select(table).where(table.c.seq > after, visible_warehouses(identity)).order_by(table.c.seq)
        async with self._database.read() as connection:
            rows = (await connection.execute(query.limit(first + 1))).mappings().all()
        return [_warehouse(dict(row)) for row in rows]

    async def by_ids(self, identity: Identity, ids: Sequence[str]) -> dict[str, Warehouse]:
        table = virtual_warehouses
        query = select(table).where(table.c.id.in_(set(ids)), visible_warehouses(identity))
        async with self._database.read() as connection:
            return {row["id"]: _warehouse(dict(row)) for row in (await connection.execute(query)).mappings()}

    async def filter_of(self, warehouse: Warehouse) -> Filter:
        """The rule spelled out. References are followed whoever asks: they were checked when the rule was made."""
        known = {warehouse.id: warehouse.definition}
        missing = [reference for reference in warehouse.definition.references if reference not in known]
        async with self._database.read() as connection:
            while missing:
                query = select(virtual_warehouses.c.id, virtual_warehouses.c.rule)
                for row in await connection.execute(query.where(virtual_warehouses.c.id.in_(missing))):
                    known[row.id] = Definition.from_json(row.rule)
                wanted = {reference for definition in known.values() for reference in definition.references}
                missing = [reference for reference in wanted if reference not in known]
        return spell_out(warehouse.definition, known.__getitem__)

    async def rule(self, warehouse: Warehouse, view: ViewId) -> dict[str, Any]:
        """What travels to the members: the regions in clear, for pruning, and the signed rule that names them too."""
        filter_ = await self.filter_of(warehouse)
        window = None if view.window is None else (view.window[0].isoformat(), view.window[1].isoformat())
        regions = regions_of(filter_)
        signed = Rule(filter_, window, None if regions is None else tuple(regions))
        return {"regions": regions, "token": self._signer.sign(signed)}

    async def create(self, identity: Identity, key: str, body: Mapping[str, Any]) -> WarehouseAnswer:
        refusal = problem("SIGN_IN_REQUIRED") if identity.is_anonymous else check_key(key)
        if refusal is not None:
            return WarehouseAnswer(None, (refusal,))
        digest = input_hash("CREATE_WAREHOUSE", None, body)
        replayed = await self._replay(identity, key, digest)
        if replayed is not None:
            return replayed
        definition = Definition(
            body.get("filter"),
            tuple(body.get("unionWith") or ()),
            tuple(body.get("intersectWith") or ()),
            tuple(body.get("without") or ()),
        )
        problems = await self._check(identity, body, definition)
        warehouse_id = f"vw:{uuid.uuid4().hex}"
        try:
            async with self._database.write() as connection:
                made = None if problems else warehouse_id
                await self._insert_command(connection, identity, key, digest, made, problems)
                if not problems:
                    await self._insert(connection, definition, **_values(warehouse_id, identity, body))
        except IntegrityError:
            replayed = await self._replay(identity, key, digest)
            if replayed is None:
                raise
            return replayed
        return WarehouseAnswer(None if problems else warehouse_id, tuple(problems))

    async def _check(self, identity: Identity, body: Mapping[str, Any], definition: Definition) -> list[Problem]:
        allowed = frozenset().union(*(_SCOPES.get(role, frozenset()) for role in identity.roles))
        problems: list[Problem] = []
        if not allowed:
            problems.append(problem("FORBIDDEN", command="CREATE", roles=", ".join(_SCOPES)))
        elif body["scope"] not in allowed or not _belongs(identity, body["scope"]):
            problems.append(problem("SCOPE_TOO_WIDE", "scope"))
        for name, longest, least in (
            ("name", NAME_MAX, 1),
            ("nameEn", NAME_MAX, 0),
            ("description", DESCRIPTION_MAX, 0),
        ):
            if not least <= len((body.get(name) or "").strip()) <= longest:
                problems.append(problem("INVALID_TEXT", name, max=str(longest)))
        if definition.is_empty:
            problems.append(problem("RULE_EMPTY", "filter"))
        return problems or await self._check_rule(identity, definition)

    async def _check_rule(self, identity: Identity, definition: Definition) -> list[Problem]:
        too_large = problem("RULE_TOO_LARGE", "filter", max=str(CONDITIONS_MAX), depth=str(DEPTH_MAX))
        if len(definition.references) > REFERENCES_MAX:
            return [too_large]
        found = await self.by_ids(identity, definition.references)
        missing = [reference for reference in definition.references if reference not in found]
        if missing:
            return [problem("WAREHOUSE_NOT_FOUND", id=reference[:80]) for reference in missing]
        try:
            await self.filter_of(Warehouse(0, "", "", None, None, None, "ALL", None, None, False, "", definition))
        except RuleTooLarge:
            return [too_large]
        return []

    async def _insert(self, connection: AsyncConnection, definition: Definition, **values: Any) -> None:
        row = {"built_in": False, **values, "rule": definition.to_json(), "created_at": text_of(self._clock())}
        await connection.execute(insert(virtual_warehouses).values(**row))

    async def _insert_command(
        self,
        connection: AsyncConnection,
        identity: Identity,
        key: str,
        digest: str,
        warehouse_id: str | None,
        problems: Sequence[Problem],
    ) -> None:
        await connection.execute(
            insert(commands).values(
                id=uuid.uuid4().hex,
                actor=str(identity.person)[:256],
                key=key,
                name="CREATE_WAREHOUSE",
                input_hash=digest,
                warehouse_id=warehouse_id,
                state="FINISHED",
                problems=[item.to_json() for item in problems],
                body={},
                person=identity.person,
                unit=identity.unit,
                region=identity.region,
                created_at=text_of(self._clock()),
            )
        )

    async def _replay(self, identity: Identity, key: str, digest: str) -> WarehouseAnswer | None:
        query = select(commands).where(commands.c.actor == str(identity.person)[:256], commands.c.key == key)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().first()
        if row is None:
            return None
        if row["input_hash"] != digest:
            return WarehouseAnswer(None, (problem("IDEMPOTENCY_KEY_REUSED", "idempotencyKey"),))
        return WarehouseAnswer(row["warehouse_id"], tuple(Problem.from_json(item) for item in row["problems"]))


def visible_warehouses(identity: Identity) -> ColumnElement[bool]:
    table = virtual_warehouses
    if identity.has(Role.CITY_OFFICER, Role.AUDITOR, Role.SERVICE):
        return true()
    ways: list[ColumnElement[bool]] = [table.c.scope == "ALL"]
    if not identity.is_anonymous:
        ways += [table.c.scope == "CITY", table.c.owner_person == identity.person]
    if identity.region is not None:
        ways.append(and_(table.c.scope == "REGION", table.c.owner_region == identity.region))
    if identity.unit is not None:
        ways.append(and_(table.c.scope == "UNIT", table.c.owner_unit == identity.unit))
    return or_(false(), *ways)


def _belongs(identity: Identity, scope: str) -> bool:
    """Sharing with the own unit or region needs one."""
    if scope == "UNIT":
        return identity.unit is not None
    return scope != "REGION" or identity.region is not None


def _values(warehouse_id: str, identity: Identity, body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": warehouse_id,
        "name": body["name"].strip(),
        "name_en": body.get("nameEn"),
        "description": body.get("description"),
        "scope": body["scope"],
        "owner_region": identity.region,
        "owner_unit": identity.unit,
        "owner_person": identity.person,
    }


def rule_text(filter_: Filter) -> str:
    return orjson.dumps(filter_, option=orjson.OPT_INDENT_2).decode()


def _warehouse(row: Mapping[str, Any]) -> Warehouse:
    return Warehouse(
        seq=row["seq"],
        id=row["id"],
        name=row["name"],
        name_en=row["name_en"],
        description=row["description"],
        description_en=row["description_en"],
        scope=row["scope"],
        owner_region=row["owner_region"],
        owner_unit=row["owner_unit"],
        built_in=row["built_in"],
        created_at=row["created_at"],
        definition=Definition.from_json(row["rule"]),
    )
