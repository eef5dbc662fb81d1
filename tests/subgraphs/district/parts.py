"""What the district's tests build on: a store in memory that follows the protocol, and a client without a network."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar

import orjson
from starlette.types import ASGIApp, Message

from adapters.evaluate import groups_of, order_value, position_key, predicate, row_key, sorted_rows
from adapters.model import (
    Filter,
    GroupRow,
    Page,
    PageRequest,
    QualityReport,
    QuarantinedRow,
    Row,
    Store,
    StoreCapabilities,
    StoreConflict,
    StoreUnavailable,
)
from adapters.status import Explanation, Fault, HealthState, StoreHealth
from contract.identity import (
    ANONYMOUS,
    DEADLINE_HEADER,
    IDENTITY_HEADER,
    Identity,
    Role,
    TokenIssuer,
    generate_key_pair,
)
from contract.order import Kind, SortValue
from subgraphs.district.app import DistrictOptions, create_district_app
from subgraphs.district.custody.book import CustodyBook

INTERNAL_PRIVATE, INTERNAL_PUBLIC = generate_key_pair()
RULE_PRIVATE, RULE_PUBLIC = generate_key_pair()
ISSUER = TokenIssuer(INTERNAL_PRIVATE)

REGION = "330106"
NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
SERVICE = Identity(person="overlay", roles=frozenset({Role.SERVICE}))
OFFICER = Identity(person="officer", region=REGION, roles=frozenset({Role.REGION_OFFICER}))
FOREIGN_OFFICER = Identity(person="other", region="330102", roles=frozenset({Role.REGION_OFFICER}))
CITY = Identity(person="city", region="330100", roles=frozenset({Role.CITY_OFFICER}))
AUDITOR = Identity(person="auditor", roles=frozenset({Role.AUDITOR}))
USCC = "11330106002499999A"
OWN_UNIT = Identity(person="zhang", unit=USCC, region=REGION, roles=frozenset({Role.APPLICANT}))
OTHER_UNIT = Identity(person="li", unit="11330106002488888B", region=REGION, roles=frozenset({Role.APPLICANT}))

UNITS = [
    {"native": "U1", "name": "文化馆", "uscc": USCC},
    {"native": "U2", "name": "图书馆", "uscc": "11330106002477777C"},
    {"native": "U9", "name": "文化馆（旧）", "uscc": USCC},
]
WAREHOUSES = [{"native": "W1", "name": "西湖仓", "kind": "PHYSICAL", "address": "文二路 1 号"}]


def row(native: str, **values: Any) -> Row:
    """A canonical row: shareable and idle unless said otherwise."""
    return {
        "native": native, "code": f"C{native}", "name": "台式电脑", "classScheme": "2022", "classCode": "A02010105",
        "className": "台式计算机", "legacyClassScheme": "2010", "legacyClassCode": "A02010104", "legacyClassName": "台式机",
        "specification": None, "brand": "联想", "model": "M720", "serialNumber": f"SN-{native}", "quantity": "1",
        "unitOfMeasure": "台", "acquiredOn": "2020-05-06", "acquisition": "PURCHASE", "originalValue": "5000.00",
        "accumulatedDepreciation": "1000.00", "netValue": "4000.00", "valueType": "ORIGINAL", "usefulLifeMonths": 72,
        "owner": "U1", "keeper": "王保管", "user": "赵使用", "warehouse": "W1", "location": "3 楼", "source": "IDLE",
        "condition": "GOOD", "status": "IDLE", "shareable": True, "shareableUntil": None, "massKg": "8.5",
        "version": "v1", "updatedAt": "2026-01-02T03:04:05Z", "observedAt": "2026-11-24T04:00:00Z", "issues": [],
        **values,
    }  # fmt: skip


class MemoryStore:
    """One region's rows in a list. `requests` tells what was asked, `is_down` makes it unavailable,
    `changes_meanwhile` has every row changed by somebody else between being read and written."""

    def __init__(
        self,
        rows: Iterable[Row],
        region: str = REGION,
        quarantined: Sequence[QuarantinedRow] = (),
        writable: bool = True,
    ) -> None:
        self.region = region
        self.capabilities = StoreCapabilities(write=writable)
        self.native_kinds: tuple[Kind, ...] = (Kind.TEXT,)
        self.all = {one["native"]: one for one in rows}
        self.quarantined = sorted(quarantined, key=lambda one: one.native)
        self.requests: list[PageRequest] = []
        self.is_down = self.changes_meanwhile = False

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    def place(self, native: str) -> tuple[SortValue, ...]:
        """The key's order values, of `native_kinds`."""
        return (native,)

    def _check(self) -> None:
        if self.is_down:
            raise StoreUnavailable("connection refused by password=secret@db")

    def _kept(self, filter_: Filter | None) -> list[Row]:
        self._check()
        test = predicate(filter_)
        return [one for one in self.all.values() if test(one)]

    async def page(self, request: PageRequest) -> Page:
        self.requests.append(request)
        pairs = [(one, self.place(one["native"])) for one in self._kept(request.filter)]
        ordered = sorted_rows(pairs, request.order, self.native_kinds)

        def key(pair: tuple[Row, tuple[SortValue, ...]]) -> tuple[Any, ...]:
            return row_key(pair[0], pair[1], request.order, self.native_kinds)

        if request.after is not None:
            after = position_key(request.after, request.order, self.native_kinds)
            ordered = [pair for pair in ordered if after < key(pair)]
        if request.before is not None:
            before = position_key(request.before, request.order, self.native_kinds)
            ordered = [pair for pair in ordered if key(pair) < before]
        page = ordered[-request.limit :] if request.backward else ordered[: request.limit]
        wanted = None if request.columns is None else request.columns | {"native", "version", "issues"}
        return Page(
            rows=[{k: v for k, v in one.items() if wanted is None or k in wanted} for one, _ in page],
            sort_values=[tuple(order_value(term.field, one) for term in request.order) for one, _ in page],
            native_values=[native for _, native in page],
            has_more=len(ordered) > request.limit,
        )

    async def rows(self, natives: Iterable[str], columns: frozenset[str] | None = None) -> Mapping[str, Row]:
        self._check()
        return {native: self.all[native] for native in natives if native in self.all}

    async def count(self, filter_: Filter | None) -> int:
        return len(self._kept(filter_))

    async def groups(self, by: Sequence[str], filter_: Filter | None) -> Sequence[GroupRow]:
        return groups_of(self._kept(filter_), by)

    async def quality(self) -> QualityReport:
        self._check()
        issues: dict[tuple[str, str | None], int] = {}
        for one in [*(r["issues"] for r in self.all.values()), *(q.issues for q in self.quarantined)]:
            for found in one:
                key = (found["code"], found["field"])
                issues[key] = issues.get(key, 0) + 1
        listed, quarantined = len(self.all), len(self.quarantined)
        return QualityReport(listed + quarantined, listed, quarantined, issues)

    async def quarantine(self, limit: int, after: tuple[SortValue, ...] | None) -> Sequence[QuarantinedRow]:
        return [one for one in self.quarantined if after is None or after < one.native][:limit]

    async def units(self) -> Sequence[Mapping[str, Any]]:
        return UNITS

    async def warehouses(self) -> Sequence[Mapping[str, Any]]:
        return WAREHOUSES

    async def as_of(self) -> datetime:
        self._check()
        return NOW

    async def explain(self, request: PageRequest) -> Explanation:
        return Explanation("adapter", "adapter", "adapter", None, len(self.all))

    async def health(self) -> StoreHealth:
        try:
            self._check()
        except StoreUnavailable as error:
            return StoreHealth(HealthState.UNAVAILABLE, Fault(error.code, "the store was refused"))
        return StoreHealth(HealthState.OK, data_as_of=NOW)

    async def write_status(self, native: str, status: str, expected_version: str | None) -> bool:
        self._check()
        one = self.all.get(native)
        if not self.capabilities.write or one is None:
            return False
        if self.changes_meanwhile or expected_version not in (None, one["version"]):
            raise StoreConflict("the row has changed")
        self.all[native] = {**one, "status": status, "version": one["version"] + "+"}
        return True


S = TypeVar("S", bound=Store)


class HandClock:
    """A clock that is turned by hand."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **delta: float) -> None:
        self.now += timedelta(**delta)


class Client(Generic[S]):
    """Asks an ASGI app in this process."""

    def __init__(self, app: ASGIApp, store: S, book: CustodyBook, clock: HandClock) -> None:
        self.app, self.store, self.book, self.clock = app, store, book, clock

    async def ask(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        identity: Identity = ANONYMOUS,
        language: str = "en",
        token: str | None = None,
        deadline_ms: int | None = None,
    ) -> dict[str, Any]:
        headers = [(b"content-type", b"application/json"), (b"accept-language", language.encode())]
        if token is not None or not identity.is_anonymous:
            headers.append((IDENTITY_HEADER.encode(), (token or ISSUER.issue(identity)).encode()))
        if deadline_ms is not None:
            headers.append((DEADLINE_HEADER.encode(), str(deadline_ms).encode()))
        body = orjson.dumps({"query": query, "variables": variables or {}})
        received = bytearray()

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            received.extend(message.get("body", b""))

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
            "path": "/graphql", "raw_path": b"/graphql", "query_string": b"", "root_path": "", "headers": headers,
            "client": None, "server": None,
        }  # fmt: skip
        await self.app(scope, receive, send)
        answer: dict[str, Any] = orjson.loads(received)
        return answer

    async def data(
        self, query: str, variables: Mapping[str, Any] | None = None, identity: Identity = ANONYMOUS, **more: Any
    ) -> Any:
        """The data of an answer that has no errors."""
        answer = await self.ask(query, variables, identity, **more)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def code(self, query: str, variables: Mapping[str, Any] | None = None, identity: Identity = ANONYMOUS) -> str:
        """The code of the one error of an answer."""
        answer = await self.ask(query, variables, identity)
        assert "secret" not in str(answer)
        (error,) = answer["errors"]
        return str(error["extensions"]["code"])


MemoryClient = Client[MemoryStore]


@contextlib.asynccontextmanager
async def district(
    folder: Path, store: S, now: datetime = NOW, book_url: str | None = None
) -> AsyncIterator[Client[S]]:
    clock = HandClock(now)
    book = CustodyBook(book_url or f"sqlite:///{folder}/{store.region}.sqlite", store.region, clock)
    await book.open()
    options = DistrictOptions(internal_public_pem=INTERNAL_PUBLIC, rule_public_pem=RULE_PUBLIC, clock=clock)
    try:
        yield Client(create_district_app(store, book, options), store, book, clock)
    finally:
        await book.close()
