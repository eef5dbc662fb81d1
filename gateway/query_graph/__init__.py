"""Which moves between subgraphs are legal; see `graph`."""

from gateway.query_graph.build import build_query_graph
from gateway.query_graph.graph import QueryGraph
from gateway.query_graph.moves import ROOT, FieldMove, KeyMove, Label, Node
from gateway.query_graph.selection import SelectionSet

__all__ = ["ROOT", "FieldMove", "KeyMove", "Label", "Node", "QueryGraph", "SelectionSet", "build_query_graph"]
