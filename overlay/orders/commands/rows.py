"""New orders and lines as rows of the store, with what every one of them begins with."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from contract.identity import Identity
from overlay.orders.commands.base import Work
from overlay.orders.model import Flow, HoldState, Settlement, State

__all__ = ["new_line", "new_order", "new_order_id"]


def new_order_id() -> str:
    return f"order:{uuid.uuid4().hex}"


def new_order(
    work: Work, order_id: str, flow: Flow, state: State, applicant: Identity, **values: Any
) -> dict[str, Any]:
    return {
        "id": order_id,
        "flow": flow,
        "state": state,
        "listed": True,
        "applicant_person": applicant.person,
        "applicant_unit": applicant.unit,
        "applicant_region": applicant.region,
        "accepts_partial": False,
        "overdue_stage": 0,
        "details": {},
        "settlement": Settlement.SETTLED,
        "version": 1,
        "created_at": work.at,
        "updated_at": work.at,
        **values,
    }


def new_line(order_id: str, position: int, quantity: Decimal, **values: Any) -> dict[str, Any]:
    zero = Decimal(0)
    return {
        "id": f"{order_id.removeprefix('order:')}-{position + 1}",
        "order_id": order_id,
        "position": position,
        "asked": quantity,
        "accepts_partial": False,
        "quantity": quantity,
        "dispatched": zero,
        "arrived": zero,
        "received": zero,
        "returning": zero,
        "returned": zero,
        "hold_state": HoldState.NONE,
        "successors": [],
        **values,
    }
