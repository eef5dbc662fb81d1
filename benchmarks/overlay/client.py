"""A client with one kept connection, and nothing but what is needed: its own time counts in all that is measured."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import orjson

__all__ = ["Client"]


class Client:
    def __init__(self, url: str, token: str | None = None) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port)
        self._path = parts.path
        self._headers = {"content-type": "application/json", "accept": "application/json"}
        if token is not None:
            self._headers["authorization"] = f"Bearer {token}"

    def post(self, body: bytes) -> bytes:
        self._connection.request("POST", self._path, body, self._headers)
        return self._connection.getresponse().read()

    def data(self, query: str, variables: Mapping[str, Any] | None = None) -> Any:
        answer = orjson.loads(self.post(orjson.dumps({"query": query, "variables": dict(variables or {})})))
        assert "errors" not in answer, answer["errors"][:1]
        return answer["data"]
