"""What resolvers find as `info.context`: who asks, the services, and the loaders of one request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, or_
from strawberry.dataloader import DataLoader

from contract.identity import Identity, Role
from overlay.approvals.delegations import Delegation, Delegations, delegated_orders
from overlay.approvals.warnings import warnings_of
from overlay.audit.log import record_reads
from overlay.bodies.service import Bodies
from overlay.clock import Clock, shanghai_today, text_of
from overlay.files.service import Attachment
from overlay.group.custody import Custody
from overlay.ledger.service import Ledger
from overlay.messages import Language, Problem
from overlay.orders import repository
from overlay.orders.model import DECISIONS, Command, Order, TimelineEntry
from overlay.orders.policy import Policy
from overlay.orders.rights import allowed_commands, hangs_on_stock, visible_order, visible_orders
from overlay.orders.service import Circulation
from overlay.orders.shortages import Shortage, shortages
from overlay.paperwork import Paperwork
from overlay.store import tables
from overlay.store.database import Database
from overlay.warehouses.commands import WarehouseCommands
from overlay.warehouses.service import Warehouses
from overlay.warehouses.watching import Watching
from subgraphs.kit.caller import Caller

__all__ = ["Context", "Services"]


@dataclass(frozen=True, slots=True)
class Services:
    database: Database
    circulation: Circulation
    warehouses: Warehouses
    custody: Custody
    warehouse_commands: WarehouseCommands
    watching: Watching
    ledger: Ledger
    policy: Policy
    delegations: Delegations
    bodies: Bodies
    clock: Clock
    paperwork: Paperwork


class Context:
    """A loader is made when it is asked for. It and the context hold each other, so that only the garbage collector finds
    them again, and its pauses are everybody's."""

    def __init__(self, services: Services, caller: Caller) -> None:
        self.services = services
        self.caller = caller
        self.today = shanghai_today(services.clock())
        self.personal_of: set[str] = set()
        """The orders of which this request shows personal data of others."""
        self._lent: list[Delegation] | None = None
        self._of_assets: dict[int, DataLoader[str, list[Order]]] = {}

    @property
    def identity(self) -> Identity:
        return self.caller.identity

    @property
    def language(self) -> Language:
        return self.caller.language

    async def lent(self) -> list[Delegation]:
        """The offices that the asker was lent, in force today."""
        if self._lent is None:
            self._lent = await self.services.delegations.in_force(self.identity)
        return self._lent

    async def visible(self) -> ColumnElement[bool]:
        """The condition on `orders` for what the asker may see, lent offices among it."""
        return or_(visible_orders(self.identity), *(delegated_orders(one.acting()) for one in await self.lent()))

    async def allowed(self, order: Order) -> list[Command]:
        """What the asker may do with an order that was loaded here, lent offices among it."""
        policy = self.services.policy
        short = await self._short.load(order) if hangs_on_stock(order) else {}
        own = allowed_commands(self.identity, order, policy, self.today, short)
        lent = [one for one in self._lent or () if order.applicant.person != one.person]
        by_office = (
            command
            for one in lent
            for command in allowed_commands(one.acting(), order, policy, self.today, short)
            if command in DECISIONS
        )
        return list(dict.fromkeys([*own, *by_office]))

    async def answered(self) -> None:
        """Record whose personal data is about to be told, before it is."""
        if self.personal_of and not self.identity.has(Role.SERVICE):
            async with self.services.database.write() as connection:
                at = text_of(self.services.clock())
                await record_reads(connection, at, self.identity, sorted(self.personal_of))
            self.personal_of.clear()

    @cached_property
    def timelines(self) -> DataLoader[str, list[TimelineEntry]]:
        return DataLoader(self._load_timelines)

    @cached_property
    def returns(self) -> DataLoader[str, list[Order]]:
        return DataLoader(self._load_returns)

    @cached_property
    def orders(self) -> DataLoader[str, Order | None]:
        return DataLoader(self._load_orders)

    @cached_property
    def repairs(self) -> DataLoader[str, str | None]:
        return DataLoader(self._load_repairs)

    @cached_property
    def warnings(self) -> DataLoader[str, list[Problem]]:
        return DataLoader(self._load_warnings)

    @cached_property
    def _short(self) -> DataLoader[Order, Mapping[str, Shortage]]:
        return DataLoader(self._load_short, cache=False)

    @cached_property
    def attachments(self) -> DataLoader[str, list[Attachment]]:
        return DataLoader(self._load_attachments)

    def orders_of_asset(self, per_asset_max: int) -> DataLoader[str, list[Order]]:
        """The loader of assets' latest orders: one query for all the assets of an answer."""

        async def load(asset_ids: list[str]) -> Sequence[list[Order]]:
            visible = await self.visible()
            async with self.services.database.read() as connection:
                found = await repository.orders_of_assets(connection, asset_ids, visible, per_asset_max)
            return [found[asset_id] for asset_id in asset_ids]

        if per_asset_max not in self._of_assets:
            self._of_assets[per_asset_max] = DataLoader(load)
        return self._of_assets[per_asset_max]

    async def _load_timelines(self, order_ids: list[str]) -> Sequence[list[TimelineEntry]]:
        async with self.services.database.read() as connection:
            found = await repository.load_timelines(connection, order_ids)
        return [found[order_id] for order_id in order_ids]

    async def _load_attachments(self, order_ids: list[str]) -> Sequence[list[Attachment]]:
        found = await self.services.paperwork.attachments.of_orders(order_ids)
        return [found[order_id] for order_id in order_ids]

    async def _load_returns(self, loan_ids: list[str]) -> Sequence[list[Order]]:
        """Whoever may see a loan may see its returns: they concern the same units and regions."""
        async with self.services.database.read() as connection:
            found = await repository.returns_of_loans(connection, loan_ids)
        return [found[loan_id] for loan_id in loan_ids]

    async def _load_repairs(self, line_ids: list[str]) -> Sequence[str | None]:
        async with self.services.database.read() as connection:
            found = await repository.repairs_of_lines(connection, line_ids)
        return [found.get(line_id) for line_id in line_ids]

    async def _load_short(self, orders: list[Order]) -> Sequence[Mapping[str, Shortage]]:
        """By line, of all the orders of an answer together. Not kept: the next mutation of a request changes it."""
        assets = [line.asset_id for order in orders for line in order.live_lines]
        async with self.services.database.read() as connection:
            found = await shortages(connection, assets, self.today)
        return [found] * len(orders)

    async def _load_warnings(self, order_ids: list[str]) -> Sequence[list[Problem]]:
        """Of orders that the asker has been shown."""
        query = repository.select_orders(tables.orders.c.id.in_(order_ids))
        async with self.services.database.read() as connection:
            orders = await repository.load_orders(connection, query)
            warnings = await warnings_of(connection, orders, self.services.clock())
        found = {order.id: of_order for order, of_order in zip(orders, warnings, strict=True)}
        return [found.get(order_id, []) for order_id in order_ids]

    async def fresh_order(self, order_id: str) -> Order | None:
        """The order as it is now: mutations of one request follow each other, what an earlier one saw is stale."""
        self._forget()
        query, who = visible_order(self.identity, tuple(one.acting() for one in await self.lent()))
        async with self.services.database.read(is_short=True) as connection:
            found = await repository.load_orders(connection, query, {"id": order_id, **who})
        return found[0] if found else None

    def _forget(self) -> None:
        for made in [*vars(self).values(), *self._of_assets.values()]:
            if isinstance(made, DataLoader):
                made.clear_all()

    async def _load_orders(self, order_ids: list[str]) -> Sequence[Any]:
        orders = tables.orders
        query = repository.select_orders(orders.c.id.in_(order_ids), await self.visible())
        async with self.services.database.read() as connection:
            found = {order.id: order for order in await repository.load_orders(connection, query)}
        return [found.get(order_id) for order_id in order_ids]
