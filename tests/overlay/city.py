"""A city in small, for the overlay to work against: assets and custody books behind the districts' real contract.

It is faked at the transport and the store only: operations are validated and executed against
`schema/district.graphql`, the service identity is verified, and what a book decides, the districts' own functions
decide. Faults are dealt per command: an answer may be lost before or after the book acted, and the overlay's process
may die there.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import deque
from collections.abc import Awaitable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from graphql import DocumentNode, build_ast_schema, execute, parse, validate

from contract.identity import IDENTITY_HEADER, Identity, Role, TokenVerifier, generate_key_pair
from contract.ids import is_successor
from contract.occupancy import busy_periods
from overlay.clock import shanghai_today, text_of
from overlay.group.endpoint import GroupUnreachable, OutcomeUnknown
from subgraphs.district.custody import decisions
from subgraphs.district.custody.cards import lessened_fields
from subgraphs.district.custody.claims import Claim, with_buffers
from subgraphs.district.custody.decisions import Entry, Moved, claim_in_force
from subgraphs.district.custody.model import (
    AssetFacts,
    ExtendHold,
    PlaceHold,
    ReceiveCard,
    RecordMovement,
    ReduceHold,
    RenewHold,
    TransferOut,
)
from subgraphs.district.custody.words import Refusal, in_words

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
BORROWING_KEEPER = someone("borrowing-keeper", Role.KEEPER, region="330105")
LENDING_FINANCE = someone("lending-finance", Role.FINANCE, region="330106")
BORROWING_FINANCE = someone("borrowing-finance", Role.FINANCE, region="330105")
OWNER_CLERK = someone("owner-clerk", Role.APPLICANT, region="330106", unit=OWNER)
OWNER_HEAD = someone("owner-head", Role.UNIT_OFFICER, region="330106", unit=OWNER)
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
        self.holds: dict[str, Entry] = {}
        self.answers: dict[str, dict[str, Any]] = {}
        self.faults: deque[str] = deque()
        """Dealt one to a command: ok, unreachable, lost_before, lost_after, crash_before, crash_after."""
        self.down: set[str] = set()
        self.read_only: set[str] = set()
        """Assets whose store cannot be written: its status never tells of a movement."""
        self.unlisted: set[str] = set()
        """Assets that are found by their ids alone, not in pages: former ids."""
        self.units: dict[tuple[str, str], str] = {
            (region, uscc): f"unit:{region}:u-{uscc[-1]}"
            for region in ("330100", "330105", "330106", "330109")
            for uscc in (OWNER, BORROWER, OTHER)
        }
        """The units that a region knows by their USCC."""
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
            "lineageId": id_,
            "acquiredOn": "2015-01-01",
            "usefulLifeMonths": 72,
            "successorId": None,
            "predecessorId": None,
            "warehouse": None,
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
        if "filter" in variables or "ids" in variables:
            return await self._run(document, variables)
        region = region_of(variables)
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
            "assets": lambda info, filter, **page: self._assets(filter, page),
            "commandStatus": lambda info, assetId, idempotencyKey: self._status(idempotencyKey),
            "placeHold": lambda info, input: self._once(input, self._place),
            "renewHold": lambda info, input: self._once(input, self._renew),
            "reduceHold": lambda info, input: self._once(input, self._reduce),
            "releaseHold": lambda info, input: self._once(input, self._release),
            "recordMovement": lambda info, input: self._once(input, self._move),
            "extendHold": lambda info, input: self._once(input, self._extend),
            "transferOut": lambda info, input: self._once(input, self._transfer_out),
            "receiveCard": lambda info, input: self._once(input, self._receive_card),
        }
        result = execute(SCHEMA, checked(document), root, variable_values=dict(variables))
        assert not isinstance(result, Awaitable)
        return result.formatted

    def _asset(self, id_: str) -> dict[str, Any] | None:
        asset = self.assets.get(id_)
        return None if asset is None else {**asset, "busy": lambda info, range: self._busy(id_, range)}

    def _assets(self, filter_: Mapping[str, Any], page: Mapping[str, Any]) -> dict[str, Any]:
        """By class, status, shareable and words in the specification, as the districts would; pages by number."""
        if "id" in filter_:
            return self._named(filter_["id"]["in"])
        found = [
            self._asset(id_)
            for id_, asset in sorted(self.assets.items())
            if id_.split(":")[1] not in self.down and _matches(asset, filter_)
        ]
        start, size = int(page.get("after") or 0), page.get("first") or 50
        return {
            "nodes": found[start : start + size],
            "pageInfo": {
                "hasNextPage": start + size < len(found),
                "hasPreviousPage": False,
                "endCursor": str(start + size),
            },
            "sources": [{"region": region, "name": region, "status": "UNAVAILABLE"} for region in sorted(self.down)],
        }

    def _named(self, ids: Sequence[str]) -> dict[str, Any]:
        regions = {id_.split(":")[1] for id_ in ids}
        shown = [id_ for id_ in ids if id_.split(":")[1] not in self.down and id_ not in self.unlisted]
        found = [asset for id_ in shown if (asset := self._asset(id_)) is not None]
        states = {one: "UNAVAILABLE" if one in self.down else "OK" for one in regions}
        return {"nodes": found, "sources": [{"region": one, "status": state} for one, state in states.items()]}

    def _busy(self, id_: str, range_: Mapping[str, Any]) -> list[dict[str, Any]]:
        periods = busy_periods(with_buffers(self._claims(id_)), str(range_["from"]), str(range_["to"]))
        return [{"from": one.from_day, "to": one.to_day, "quantity": str(one.quantity)} for one in periods]

    def _claims(self, asset_id: str, without: str | None = None) -> list[Claim]:
        return [
            claim_in_force(one, self._today())
            for one in self.holds.values()
            if one.asset == asset_id and one.id != without and self.in_force(one)
        ]

    def in_force(self, hold: Entry) -> bool:
        return hold.state in ("ACTIVE", "DISPATCHED") and not hold.has_lapsed(text_of(self.clock.now))

    def _status(self, key: str) -> dict[str, Any]:
        answer = self.answers.get(key)
        return {"idempotencyKey": key, "known": answer is not None, "hold": (answer or {}).get("hold")}

    def _once(self, input_: dict[str, Any], act: Any) -> dict[str, Any]:
        key = input_["idempotencyKey"]
        if key not in self.answers:
            self.answers[key] = act(input_)
        return self.answers[key]

    def _place(self, input_: dict[str, Any]) -> dict[str, Any]:
        asset_id, days_ = input_["assetId"], input_["range"]
        command = PlaceHold(
            key=input_["idempotencyKey"],
            asset=asset_id,
            order_id=input_["orderId"],
            from_day=str(days_["from"]),
            to_day=str(days_["to"]),
            quantity=Decimal(input_["quantity"]),
            life_s=input_["lifeSeconds"],
            expected_version=input_.get("expectedVersion"),
            buffer_days=input_.get("bufferDays") or 0,
            own_use=bool(input_.get("ownUse")),
            for_good=bool(input_.get("forGood")),
        )
        refusals = decisions.place(command, self._facts(asset_id), self._claims(asset_id), self._today())
        if refusals:
            return refused(refusals)
        zero = Decimal(0)
        hold = Entry(
            id=f"hold-{next(self._numbers)}",
            asset=asset_id,
            order_id=command.order_id,
            from_day=command.from_day,
            to_day=command.to_day,
            quantity=command.quantity,
            dispatched=zero,
            received=zero,
            returned=zero,
            state="ACTIVE",
            expires_at=self._later(command.life_s),
            status_before=None,
            buffer_days=command.buffer_days,
            for_good=command.for_good,
            placed_at=text_of(self.clock.now),
        )
        return self._kept(hold)

    def _extend(self, input_: dict[str, Any]) -> dict[str, Any]:
        asset_id, hold = input_["assetId"], self.holds.get(input_["holdId"])
        command = ExtendHold(
            key=input_["idempotencyKey"],
            asset=asset_id,
            hold_id=input_["holdId"],
            to_day=str(input_["to"]),
            expected_version=input_.get("expectedVersion"),
        )
        others = self._claims(asset_id, without=command.hold_id)
        now = text_of(self.clock.now)
        refusals = decisions.extend(command, hold, self._facts(asset_id), others, now, self._today())
        if refusals or hold is None:
            return refused(refusals)
        return self._kept(dataclasses.replace(hold, to_day=command.to_day))

    def _renew(self, input_: dict[str, Any]) -> dict[str, Any]:
        hold = self.holds.get(input_["holdId"])
        command = RenewHold(
            key=input_["idempotencyKey"],
            asset=input_["assetId"],
            hold_id=input_["holdId"],
            life_s=input_["lifeSeconds"],
        )
        refusals = decisions.renew(command, hold, text_of(self.clock.now))
        if refusals or hold is None:
            return refused(refusals)
        later = self._later(command.life_s) if hold.state == "ACTIVE" else None
        return self._kept(dataclasses.replace(hold, expires_at=later))

    def _reduce(self, input_: dict[str, Any]) -> dict[str, Any]:
        hold = self.holds.get(input_["holdId"])
        command = ReduceHold(
            key=input_["idempotencyKey"],
            asset=input_["assetId"],
            hold_id=input_["holdId"],
            quantity=Decimal(input_["quantity"]),
        )
        changes = decisions.reduce(command, hold, text_of(self.clock.now))
        if isinstance(changes, Refusal) or hold is None:
            return refused([changes] if isinstance(changes, Refusal) else [])
        return self._kept(_changed(hold, changes))

    def _release(self, input_: dict[str, Any]) -> dict[str, Any]:
        hold = self.holds.get(input_["holdId"])
        refusals = decisions.release(hold)
        if refusals or hold is None:
            return refused(refusals)
        return self._kept(dataclasses.replace(hold, state="RELEASED", expires_at=None))

    def _move(self, input_: dict[str, Any]) -> dict[str, Any]:
        asset_id, hold = input_["assetId"], self.holds.get(input_["holdId"])
        command = RecordMovement(
            key=input_["idempotencyKey"],
            asset=asset_id,
            hold_id=input_["holdId"],
            kind=input_["kind"],
            quantity=Decimal(input_["quantity"]),
        )
        others = self._claims(asset_id, without=command.hold_id)
        now = text_of(self.clock.now)
        moved = decisions.move(command, hold, self._facts(asset_id), others, now, self._today())
        return self._moved(hold, moved, None)

    def _transfer_out(self, input_: dict[str, Any]) -> dict[str, Any]:
        asset_id, hold = input_["assetId"], self.holds.get(input_["holdId"])
        command = TransferOut(
            key=input_["idempotencyKey"],
            asset=asset_id,
            hold_id=input_["holdId"],
            order_id=input_["orderId"],
            quantity=Decimal(input_["quantity"]),
            successor=input_["successorId"],
        )
        moved = decisions.transfer_out(command, hold, self._facts(asset_id))
        return self._moved(hold, moved, command.successor)

    def _moved(self, hold: Entry | None, moved: Moved | Refusal, successor: str | None) -> dict[str, Any]:
        """What left for good, the book tells of itself; a status, the store must be writable for."""
        if isinstance(moved, Refusal) or hold is None:
            return refused([moved] if isinstance(moved, Refusal) else [])
        self.holds[hold.id] = _changed(hold, moved.changes)
        asset = self.assets[hold.asset]
        writes = moved.status is not None and hold.asset not in self.read_only
        if moved.left is not None:
            asset |= lessened_fields(asset, moved.left)
        elif writes:
            asset["status"] = moved.status
        if moved.left == 0:
            asset["successorId"] = successor
        if writes or moved.left is not None:
            asset["version"] = str(int(asset["version"]) + 1)
        return {"writtenBack": writes, "problems": []}

    def _receive_card(self, input_: dict[str, Any]) -> dict[str, Any]:
        id_ = input_["assetId"]
        region = id_.split(":")[1]
        owner = input_.get("ownerId") or self.units.get((region, input_.get("ownerUscc") or ""))
        command = ReceiveCard(
            key=input_["idempotencyKey"],
            asset=id_,
            predecessor=input_["predecessorId"],
            lineage=input_["lineageId"],
            order_id=input_["orderId"],
            owner=owner,
            warehouse=None,
            knows_warehouse=True,
            fields={"quantity": input_["quantity"]},
        )
        refusals = decisions.receive(command, id_ in self.assets)
        if refusals or not is_successor(id_):
            return refused(refusals or [Refusal("INVALID_CARD", ("assetId",))])
        taken_over = {
            name: value
            for name, value in input_.items()
            if name not in ("idempotencyKey", "assetId", "orderId", "ownerId", "ownerUscc", "warehouseId")
        }
        uscc = input_.get("ownerUscc") or {found: uscc for (_, uscc), found in self.units.items()}.get(str(owner))
        self.add_asset(id_.split(":")[2], region)
        unset = dict.fromkeys(("unitOfMeasure", "originalValue", "condition", "specification", "class"))
        self.assets[id_] |= {**unset, "acquisition": "TRANSFER", **taken_over, "owner": {"id": owner, "uscc": uscc}}
        return {"assetId": id_, "problems": []}

    def _facts(self, asset_id: str) -> AssetFacts | None:
        asset = self.assets.get(asset_id)
        if asset is None:
            return None
        until = asset["shareableUntil"]
        return AssetFacts(Decimal(asset["quantity"]), asset["version"], asset["status"], asset["shareable"], until)

    def _kept(self, hold: Entry) -> dict[str, Any]:
        self.holds[hold.id] = hold
        return {"hold": {"id": hold.id, "state": hold.state, "expiresAt": hold.expires_at}, "problems": []}

    def _today(self) -> date:
        return shanghai_today(self.clock.now)

    def _later(self, seconds: int) -> str:
        return text_of(self.clock.now + timedelta(seconds=seconds))


def _changed(hold: Entry, changes: Mapping[str, Any]) -> Entry:
    numbers = {"quantity", "dispatched", "received", "returned", "gone"}
    typed = {name: Decimal(value) if name in numbers else value for name, value in changes.items()}
    return dataclasses.replace(hold, **typed)


def _matches(asset: Mapping[str, Any], filter_: Mapping[str, Any]) -> bool:
    assert set(filter_) <= {"class", "status", "shareable", "text"}, "this city understands no other condition"
    words = (filter_.get("text") or "").casefold().split()
    text = f"{asset['name']} {asset['specification']}".casefold()
    return (
        any(str(asset["class"]["code"]).startswith(code) for code in filter_["class"]["under"])
        and asset["status"] in filter_["status"]["in"]
        and asset["shareable"] is filter_["shareable"]
        and all(word in text for word in words)
    )


def region_of(variables: Mapping[str, Any]) -> str:
    named = variables.get("id") or variables.get("assetId")
    return str(named or variables["input"]["assetId"]).split(":")[1]


@cache
def checked(text: str) -> DocumentNode:
    document = parse(text)
    assert validate(SCHEMA, document) == []
    return document


def refused(refusals: Sequence[Refusal]) -> dict[str, Any]:
    return {"hold": None, "assetId": None, "writtenBack": False, "problems": [in_words(one, "zh") for one in refusals]}


def days(first: int, length: int, start: date = date(2026, 12, 1)) -> dict[str, str]:
    begin = start + timedelta(days=first)
    return {"from": begin.isoformat(), "to": (begin + timedelta(days=length)).isoformat()}
