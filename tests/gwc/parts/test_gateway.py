"""The gateway's options, made from settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from gwc.keys import ensure_keys
from gwc.parts.gateway import gateway_options
from gwc.parts.group import group_options
from gwc.settings import Settings


@pytest.mark.parametrize(("set_to", "explains"), [(None, False), ("0", False), ("1", True)])
def test_a_gateway_explains_only_where_it_is_told_to_and_a_group_endpoint_never(
    set_to: str | None, explains: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GWC_EXPLAIN", raising=False)
    if set_to is not None:
        monkeypatch.setenv("GWC_EXPLAIN", set_to)
    settings = Settings(data_dir=tmp_path)
    ensure_keys(settings.keys)
    assert gateway_options(settings).explain is explains
    assert group_options(settings).explain is False


@pytest.mark.parametrize(("set_to", "seconds"), [(None, 4.0), ("1500", 1.5)])
def test_how_long_members_are_waited_for_is_a_setting(
    set_to: str | None, seconds: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GWC_MEMBER_TIMEOUT_MS", raising=False)
    if set_to is not None:
        monkeypatch.setenv("GWC_MEMBER_TIMEOUT_MS", set_to)
    settings = Settings(data_dir=tmp_path)
    ensure_keys(settings.keys)
    for options in (gateway_options(settings), group_options(settings)):
        assert options.pipeline.execution.member_timeout_s == seconds
