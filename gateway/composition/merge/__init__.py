"""Subgraphs laid over each other: the types of the supergraph, with where each comes from."""

from gateway.composition.merge.merge import merge
from gateway.composition.merge.model import Merged

__all__ = ["Merged", "merge"]
