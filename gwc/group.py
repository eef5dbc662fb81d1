"""The overlay's way to the districts inside one process: the group endpoint's ASGI application, called directly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.execution.answers import Failure
from gateway.execution.clients import SubgraphClient
from gateway.execution.limits import Deadline
from overlay.group.endpoint import GroupAnswer, GroupUnreachable, OutcomeUnknown

__all__ = ["InProcessGroup"]


class InProcessGroup:
    """A `GroupEndpoint` over any subgraph client."""

    def __init__(self, client: SubgraphClient) -> None:
        self._client = client

    async def execute(
        self,
        document: str,
        variables: Mapping[str, Any],
        *,
        headers: Mapping[str, str],
        timeout_s: float,
        idempotency_key: str | None = None,
    ) -> GroupAnswer:
        outcome = await self._client.execute(document, variables, headers, Deadline.after(timeout_s))
        if isinstance(outcome, Failure):
            if not outcome.was_sent:
                raise GroupUnreachable(outcome.message)
            raise OutcomeUnknown(outcome.message)
        return {"data": outcome.data, "errors": list(outcome.errors)} if outcome.errors else {"data": outcome.data}
