"""Document stores, through motor: read into a local index, mapped by dotted paths."""

from adapters.mongo.source import MongoDocuments

__all__ = ["MongoDocuments"]
