"""Expressions of the mapping language: a small fixed set of operations on a row's columns, nothing of which is run as code.

An expression is frozen data. `compiled` makes it a function of a native row; `inverse` says which native rows can give
a value, for whoever asks a store. `expressions.load` reads them out of a mapping file and checks their types.
"""

from adapters.mapping.expressions.model import Compiling, Expression, NativeTest, Type, Unreadable

__all__ = ["Compiling", "Expression", "NativeTest", "Type", "Unreadable"]
