"""Nested documents as rows: dotted paths, whatever brings the documents here."""
