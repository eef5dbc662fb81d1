"""The client's choice over HTTP: stale answers by header, for the same person under any token, and for nobody else."""

from __future__ import annotations

from dataclasses import replace

from contract.identity import Role
from gateway.execution.stale import MemoryStale
from gateway.pipeline.answer import PipelineOptions
from tests.gateway.server.client import OFFICER, Served, access_token, options, served
from tests.gateway.support.serving import crash

QUERY = {"query": "{ books { totalCount totalIsExact } }"}
LIVES_S = (60, 90)
"""Two tokens of one person differ in when they expire."""


async def ask(gateway: Served, **headers: str) -> tuple[int, str | None]:
    """(how many books, code of the error)."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    status, body, _ = await gateway.post(QUERY, sent)
    assert status == 200
    errors = body.get("errors") or [{"extensions": {"code": None}}]
    [code] = {error["extensions"]["code"] for error in errors}
    return body["data"]["books"]["totalCount"], code


async def test_stale_answers_by_header_for_the_same_rights_only() -> None:
    first, second = (f"Bearer {access_token(life_s=life_s)}" for life_s in LIVES_S)
    assert first != second
    auditor = f"Bearer {access_token(replace(OFFICER, roles=frozenset({Role.AUDITOR})))}"
    store = MemoryStale(1 << 20, 900)
    async with served(chosen=options(pipeline=PipelineOptions(stale=store))) as gateway:
        assert await ask(gateway, authorization=first) == (8, None)
        gateway.library.members["n"].fault = crash
        assert await ask(gateway, authorization=first) == (5, "PARTITION_UNAVAILABLE")
        assert await ask(gateway, authorization=second, gwc_partial="stale") == (8, "PARTITION_STALE")
        assert await ask(gateway, authorization=auditor, gwc_partial="stale") == (5, "PARTITION_UNAVAILABLE")
        assert await ask(gateway, gwc_partial="stale") == (5, "PARTITION_UNAVAILABLE")
        assert await ask(gateway, authorization=first, gwc_partial="stale", accept_language="en") == (
            5,
            "PARTITION_UNAVAILABLE",
        )
