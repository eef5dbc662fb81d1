"""`supergraph.yaml`, by the convention of the composers' command lines: which subgraphs there are and where.

federation_version: =2.9.0
subgraphs:
  districts:
    routing_url: http://127.0.0.1:8000/groups/districts/graphql
    schema:
      file: district.graphql        # relative to this file
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from gateway.composition.model import SubgraphSource

__all__ = ["ConfigProblem", "load_supergraph_config"]

_VERSION = re.compile(r"=?2(\.\d+){0,2}")


class ConfigProblem(ValueError):
    """The file cannot be used; the message names the file, the entry and what to write there."""


def load_supergraph_config(path: Path) -> list[SubgraphSource]:
    """The subgraphs in the order of the file, their schemas read; raises `ConfigProblem`."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigProblem(f"{path}: cannot be read: {error}") from None
    if not isinstance(content, Mapping):
        raise ConfigProblem(f"{path}: a mapping with federation_version and subgraphs is expected.")
    if unknown := sorted(set(content) - {"federation_version", "subgraphs"}):
        raise ConfigProblem(f"{path}: unknown entry {unknown[0]!r}; known are federation_version and subgraphs.")
    version = str(content.get("federation_version", "2"))
    if not _VERSION.fullmatch(version):
        raise ConfigProblem(f"{path}: federation_version {version!r} is not composed here; write 2 or =2.9.0.")
    subgraphs = content.get("subgraphs")
    if not isinstance(subgraphs, Mapping) or not subgraphs:
        raise ConfigProblem(f"{path}: subgraphs names at least one subgraph.")
    return [_subgraph(path, str(name), entry) for name, entry in subgraphs.items()]


def _subgraph(path: Path, name: str, entry: Any) -> SubgraphSource:
    where = f"{path}: subgraphs.{name}"
    if not isinstance(entry, Mapping):
        raise ConfigProblem(f"{where}: a mapping with routing_url and schema is expected.")
    if unknown := sorted(set(entry) - {"routing_url", "schema"}):
        raise ConfigProblem(f"{where}: unknown entry {unknown[0]!r}; known are routing_url and schema.")
    url, schema = entry.get("routing_url"), entry.get("schema")
    if not isinstance(url, str):
        raise ConfigProblem(f"{where}.routing_url: the URL of the subgraph is expected.")
    if not isinstance(schema, Mapping) or set(schema) != {"file"} or not isinstance(schema["file"], str):
        raise ConfigProblem(f"{where}.schema: only a file is read: schema: {{file: …}}.")
    file = path.parent / schema["file"]
    try:
        sdl = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigProblem(f"{where}.schema.file: cannot be read: {error}") from None
    return SubgraphSource(name, url, sdl)
