"""The mapping language: a TOML file that turns one legacy store's rows into canonical ones."""

from adapters.mapping.load import load_mapping, parse_mapping
from adapters.mapping.mapper import Fate, Mapped, RowMapper
from adapters.mapping.model import Mapping
from adapters.mapping.toml import MappingError

__all__ = ["Fate", "Mapped", "Mapping", "MappingError", "RowMapper", "load_mapping", "parse_mapping"]
