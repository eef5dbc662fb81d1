"""A city in small, for the overlay to work against: assets and custody books behind the districts' real contract.

It is faked at the transport only: operations are validated and executed against `schema/district.graphql`, the
service identity is verified, commands are idempotent by key, and the first hold wins. Faults are dealt per command:
an answer may be lost before or after the book acted, and the overlay's process may die there.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from graphql import build_ast_schema, graphql, parse, validate

from contract.identity import IDENTITY_HEADER, Identity, Role, TokenVerifier, generate_key_pair
from overlay.group.endpoint import GroupUnreachable, OutcomeUnknown

SCHEMA = build_ast_schema(
    parse((Path(__file__).parents[2] / "schema" / "district.graphql").read_text()), assume_valid_sdl=True
)
INTERNAL = generate_key_pair()
RULE = generate_key_pair()

OWNER = "11330106MB0000001A"
BORROWER = "11330105MB0000002B"
OTHER = "11330109MB0000003C"


def someone(name: str, *roles: Role, region: str | None = "330105", unit: str | None = None) -> Identity:
    return Identity(name, unit, region, frozenset(roles))


CLERK = someone("clerk", Role.APPLICANT, unit=BORROWER)
RIVAL = someone("rival", Role.APPLICANT, unit=OTHER, region="330109")
HEAD = someone("head", Role.UNIT_OFFICER, unit=BORROWER)
LENDING = someone("lending", Role.REGION_OFFICER, region="330106")
BORROWING = someone("borrowing", Role.REGION_OFFICER, region="330105")
CITY = someone("city", Role.CITY_OFFICER, region="330100")
KEEPER = someone("keeper", Role.KEEPER, region="330106")
CITY_KEEPER = someone("city-keeper", Role.KEEPER, region="330100")
AUDITOR = someone("auditor", Role.AUDITOR, region=None)


class ManualClock:
    def __init__(self) -> None:
        self.now = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(microseconds=1)
        return self.now

    def advance(self, **delta: float) -> None:
        self.now += timedelta(**delta)


class Crash(BaseException):
    """The overlay's process dies."""


class City:
    """All districts' books, and the `GroupEndpoint` in front of them."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.assets: dict[str, dict[str, Any]] = {}
        self.holds: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, dict[str, Any]] = {}
        self.faults: deque[str] = deque()
        """Dealt one to a command: ok, unreachable, lost_before, lost_after, crash_before, crash_after."""
        self.down: set[str] = set()
        self.commands = 0
        self._numbers = itertools.count(1)
        self._verifier = TokenVerifier(INTERNAL[1])

    def add_asset(self, native: str, region: str = "330106", **changed: Any) -> str:
        id_ = f"asset:{region}:{native}"
        self.assets[id_] = {
            "id": id_,
            "name": "投影仪",
            "quantity": "1",
            "unitOfMeasure": "台",
            "originalValue": "4999.00",
            "status": "IN_STORE",
            "condition": "GOOD",
            "specification": None,
            "shareable": True,
            "shareableUntil": None,
            "version": "1",
            "class": {"scheme": "2022", "code": "A02020200"},
            "owner": {"id": f"unit:{region}:u1", "uscc": OWNER},
            **changed,
        }
        return id_

    async def execute(
        self,
        document: str,
        variables: Mapping[str, Any],
        *,
        headers: Mapping[str, str],
        timeout_s: float,
        idempotency_key: str | None = None,
    ) -> Mapping[str, Any]:
        assert Role.SERVICE in self._verifier.verify(headers[IDENTITY_HEADER]).roles
        assert validate(SCHEMA, parse(document)) == []
        region = str(variables.get("id") or variables.get("assetId") or variables["input"]["assetId"]).split(":")[1]
        if region in self.down:
            return {"data": None, "errors": [{"message": "down", "extensions": {"code": "PARTITION_UNAVAILABLE"}}]}
        if idempotency_key is None:
            return await self._run(document, variables)
        self.commands += 1
        fault = self.faults.popleft() if self.faults else "ok"
        return await self._run_with(fault, document, variables)

    async def _run_with(self, fault: str, document: str, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        if fault == "unreachable":
            raise GroupUnreachable("no route")
        if fault == "lost_before":
            raise OutcomeUnknown("timeout")
        if fault == "crash_before":
            raise Crash
        answer = await self._run(document, variables)
        if fault == "lost_after":
            raise OutcomeUnknown("timeout")
        if fault == "crash_after":
            raise Crash
        return answer

    async def _run(self, document: str, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        root = {
            "asset": lambda info, id: self._asset(id),
            "commandStatus": lambda info, assetId, idempotencyKey: self._status(idempotencyKey),
            "placeHold": lambda info, input: self._once(input, self._place),
            "renewHold": lambda info, input: self._once(input, self._renew),
            "releaseHold": lambda info, input: self._once(input, self._release),
            "recordMovement": lambda info, input: self._once(input, self._move),
        }
        result = await graphql(SCHEMA, document, root, variable_values=dict(variables))
        return result.formatted

    def _asset(self, id_: str) -> dict[str, Any] | None:
        asset = self.assets.get(id_)
        return None if asset is None else {**asset, "busy": lambda info, range: self._busy(id_, range)}

    def _busy(self, id_: str, range_: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            {"from": hold["from"], "to": hold["to"], "quantity": str(hold["quantity"])}
            for hold in self.holds.values()
            if hold["assetId"] == id_ and self.holding(hold) and overlaps(hold, range_)
        ]

    def holding(self, hold: dict[str, Any]) -> bool:
        if hold["state"] == "ACTIVE" and hold["expires"] <= self.clock.now:
            hold["state"] = "EXPIRED"
        return hold["state"] in ("ACTIVE", "DISPATCHED")

    def _status(self, key: str) -> dict[str, Any]:
        answer = self.answers.get(key)
        return {"idempotencyKey": key, "known": answer is not None, "hold": (answer or {}).get("hold")}

    def _once(self, input_: dict[str, Any], act: Any) -> dict[str, Any]:
        key = input_["idempotencyKey"]
        if key not in self.answers:
            self.answers[key] = act(input_)
        return self.answers[key]

    def _place(self, input_: dict[str, Any]) -> dict[str, Any]:
        asset = self.assets.get(input_["assetId"])
        if asset is None:
            return refused("ASSET_NOT_FOUND")
        if input_["expectedVersion"] not in (None, asset["version"]):
            return refused("VERSION_CHANGED")
        quantity = Decimal(input_["quantity"])
        taken = sum(
            (hold["quantity"] for hold in self.holds.values()
             if hold["assetId"] == asset["id"] and self.holding(hold) and overlaps(hold, input_["range"])),
            Decimal(0),
        )  # fmt: skip
        if taken + quantity > Decimal(asset["quantity"]):
            return refused("ASSET_BUSY")
        hold = {
            "id": f"hold-{next(self._numbers)}",
            "assetId": asset["id"],
            "orderId": input_["orderId"],
            "from": input_["range"]["from"],
            "to": input_["range"]["to"],
            "quantity": quantity,
            "state": "ACTIVE",
            "expires": self.clock.now + timedelta(seconds=input_["lifeSeconds"]),
            "out": Decimal(0),
            "back": Decimal(0),
        }
        self.holds[hold["id"]] = hold
        return self._shown(hold)

    def _renew(self, input_: dict[str, Any]) -> dict[str, Any]:
        hold = self.holds[input_["holdId"]]
        if not self.holding(hold):
            return refused("HOLD_LAPSED")
        hold["expires"] = self.clock.now + timedelta(seconds=input_["lifeSeconds"])
        return self._shown(hold)

    def _release(self, input_: dict[str, Any]) -> dict[str, Any]:
        hold = self.holds[input_["holdId"]]
        if hold["state"] == "DISPATCHED":
            return refused("HOLD_DISPATCHED")
        hold["state"] = "RELEASED"
        return self._shown(hold)

    def _move(self, input_: dict[str, Any]) -> dict[str, Any]:
        hold, quantity = self.holds[input_["holdId"]], Decimal(input_["quantity"])
        if not self.holding(hold):
            return refused("HOLD_LAPSED")
        if input_["kind"] == "DISPATCH":
            if hold["out"] + quantity > hold["quantity"]:
                return refused("INVALID_QUANTITY")
            hold["out"] += quantity
            hold["state"] = "DISPATCHED"
        if input_["kind"] == "RETURN":
            if hold["back"] + quantity > hold["out"]:
                return refused("INVALID_QUANTITY")
            hold["back"] += quantity
            if hold["back"] == hold["quantity"]:
                hold["state"] = "RELEASED"
        return {"writtenBack": True, "problems": []}

    def _shown(self, hold: dict[str, Any]) -> dict[str, Any]:
        shown = {
            "id": hold["id"],
            "state": hold["state"],
            "expiresAt": hold["expires"].strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        return {"hold": shown, "problems": []}


def refused(code: str) -> dict[str, Any]:
    return {
        "hold": None,
        "writtenBack": False,
        "problems": [{"code": code, "path": None, "message": code, "remedy": None}],
    }


def overlaps(hold: Mapping[str, Any], range_: Mapping[str, Any]) -> bool:
    return bool(hold["from"] < str(range_["to"]) and str(range_["from"]) < hold["to"])


def days(first: int, length: int, start: date = date(2026, 12, 1)) -> dict[str, str]:
    begin = start + timedelta(days=first)
    return {"from": begin.isoformat(), "to": (begin + timedelta(days=length)).isoformat()}
