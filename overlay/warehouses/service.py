"""Virtual warehouses as they are read: listed by who may see them, and turned into signed rules.

Commands on them stand in `commands`; what tells of new matches stands in `watch`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from importlib import resources
from typing import Any

import orjson
from sqlalchemy import select

from contract.identity import Identity
from contract.rules import Rule, RuleSigner
from overlay.clock import Clock
from overlay.store.database import Database
from overlay.store.tables import virtual_warehouses, warehouse_changes
from overlay.warehouses import repository
from overlay.warehouses.model import Change, Warehouse, change_of, warehouse_of
from overlay.warehouses.rights import visible_warehouses
from overlay.warehouses.rules import Definition, Filter, regions_of, spell_out
from overlay.warehouses.views import ViewId

__all__ = ["Warehouses", "rule_text"]


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
                    await repository.add(connection, self._clock(), None, definition, built_in=True, **seed)

    async def page(self, identity: Identity, first: int, after: int) -> list[Warehouse]:
        """`first` + 1 of them at most, so that the caller sees whether more follow."""
        table = virtual_warehouses
        query = select(table).where(table.c.seq > after, visible_warehouses(identity)).order_by(table.c.seq)
        async with self._database.read() as connection:
            rows = (await connection.execute(query.limit(first + 1))).mappings().all()
        return [warehouse_of(row) for row in rows]

    async def by_ids(self, identity: Identity, ids: Sequence[str]) -> dict[str, Warehouse]:
        async with self._database.read() as connection:
            return await repository.visible(connection, identity, ids)

    async def history(self, warehouse_id: str, newest: int) -> list[Change]:
        """Its last changes, latest first."""
        table = warehouse_changes
        query = select(table).where(table.c.warehouse_id == warehouse_id).order_by(table.c.version.desc())
        async with self._database.read() as connection:
            return [change_of(row) for row in (await connection.execute(query.limit(newest))).mappings()]

    async def filter_of(self, warehouse: Warehouse) -> Filter:
        """The rule spelled out. References are followed whoever asks: they were checked when the rule was made."""
        known = {warehouse.id: warehouse.definition}
        if warehouse.definition.references:
            async with self._database.read() as connection:
                known = await repository.with_references(connection, known)
        return spell_out(warehouse.definition, known.__getitem__)

    async def rule(self, warehouse: Warehouse, view: ViewId) -> dict[str, Any]:
        """What travels to the members: the regions in clear, for pruning, and the signed rule that names them too."""
        return self.signed(await self.filter_of(warehouse), view)

    def signed(self, filter_: Filter, view: ViewId) -> dict[str, Any]:
        window = None if view.window is None else (view.window[0].isoformat(), view.window[1].isoformat())
        regions = regions_of(filter_)
        rule = Rule(filter_, window, None if regions is None else tuple(regions))
        return {"regions": regions, "token": self._signer.sign(rule)}


def rule_text(filter_: Filter) -> str:
    return orjson.dumps(filter_, option=orjson.OPT_INDENT_2).decode()
