"""A local index of mapped rows, for stores that cannot order, search or report changes well."""

from adapters.index.build import BuildStopped, IndexBuilder
from adapters.index.numbered import add_numbered
from adapters.index.source import RowSource, SourceStamp
from adapters.index.store import IndexedStore

__all__ = ["BuildStopped", "IndexBuilder", "IndexedStore", "RowSource", "SourceStamp", "add_numbered"]
