"""The JSON Schema of the mapping language, as a file beside the other published schemas."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from gwc.errors import CommandError

__all__ = ["write_mapping_schema"]


def write_mapping_schema(path: Path, check: bool, say: Callable[[str], None]) -> None:
    """Write the schema, or with `check` compare it with what is there. Raises `CommandError`."""
    from adapters.mapping.schema import json_schema

    text = json.dumps(json_schema(), ensure_ascii=False, indent=1) + "\n"
    if not check:
        path.write_text(text, encoding="utf-8")
        say(f"wrote {path}")
    elif not path.exists() or path.read_text(encoding="utf-8") != text:
        raise CommandError(f"{path} is not what the loader takes.", "Run `gwc mapping schema` and commit the result.")
    else:
        say(f"{path} is up to date")
