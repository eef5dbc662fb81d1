"""SQL stores: read through SQLAlchemy's expression language, so that no text is ever pasted into SQL."""

from adapters.sql.store import SqlStore

__all__ = ["SqlStore"]
