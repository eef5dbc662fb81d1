"""Subgraph schemas → one supergraph schema, or coded errors.

`compose` is the one way in; the order of its stages stands in `composer.py`.
"""

from gateway.composition.composer import compose
from gateway.composition.config import ConfigProblem, load_supergraph_config
from gateway.composition.model import Composition, CompositionError, Hint, SourceLocation, SubgraphSource

__all__ = [
    "Composition",
    "CompositionError",
    "ConfigProblem",
    "Hint",
    "SourceLocation",
    "SubgraphSource",
    "compose",
    "load_supergraph_config",
]
