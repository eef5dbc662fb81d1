"""Document → an operation ready to run: chosen by name, planned, compiled; kept until the supergraph changes.

The cache key is the text, the operation's name and the supergraph's version, never a variable. Variables are judged
here, before any fetch: the first part that can name a fault in the input refuses it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode
from graphql.execution.values import get_variable_values

from gateway.execution.compiled import CompiledPlan, TypeKnowledge, compile_plan
from gateway.language.errors import Code, GatewayError, RequestRefused
from gateway.pipeline.document import Documents
from gateway.plan.nodes import QueryPlan
from gateway.supergraph.model import Supergraph

__all__ = ["MakesPlans", "Prepared", "Preparer"]

KEPT_MAX = 1_000
VARIABLE_ERRORS_MAX = 20


class MakesPlans(Protocol):
    """What planning offers (`gateway.planning.Planner`)."""

    def plan(self, document: DocumentNode, operation_name: str | None) -> QueryPlan: ...


@dataclass(frozen=True, slots=True)
class Prepared:
    document: DocumentNode
    operation: OperationDefinitionNode
    compiled: CompiledPlan
    schema: GraphQLSchema
    kind: str

    def variables(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Coerced, with defaults. Raises `RequestRefused`."""
        definitions = self.operation.variable_definitions
        if not definitions:
            return {}
        coerced = get_variable_values(self.schema, definitions, dict(given), max_errors=VARIABLE_ERRORS_MAX)
        if isinstance(coerced, dict):
            self._refuse_null_conditions(coerced)
            return coerced
        raise RequestRefused([GatewayError.from_graphql(error, Code.BAD_USER_INPUT) for error in coerced])

    def _refuse_null_conditions(self, coerced: Mapping[str, Any]) -> None:
        """A nullable variable with a default may stand in `@skip` and `@include`; an explicit null decides nothing."""
        for name in self.compiled.condition_variables:
            if coerced.get(name) is None:
                message = f"Variable '${name}' decides whether fields are asked for and must not be null."
                raise RequestRefused([GatewayError(Code.BAD_USER_INPUT, message)])


class Preparer:
    def __init__(self, supergraph: Supergraph, documents: Documents, planner: MakesPlans) -> None:
        self._supergraph = supergraph
        self._documents = documents
        self._planner = planner
        self._types = TypeKnowledge(supergraph)
        self._kept: OrderedDict[tuple[str, str | None, str], Prepared] = OrderedDict()

    def prepare(self, text: str, operation_name: str | None) -> Prepared:
        """Raises `RequestRefused` or `PlanningRefused`."""
        key = (text, operation_name, self._supergraph.version)
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept[key] = self._prepare(text, operation_name)
            if len(self._kept) > KEPT_MAX:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return kept

    def _prepare(self, text: str, operation_name: str | None) -> Prepared:
        document = self._documents.read(text)
        operation = _choose(document, operation_name)
        plan = self._planner.plan(document, operation_name)
        compiled = compile_plan(plan, self._supergraph, self._types)
        return Prepared(document, operation, compiled, self._supergraph.api_schema, operation.operation.value)


def _choose(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    if name is not None:
        for one in operations:
            if one.name is not None and one.name.value == name:
                return one
        raise _unresolved(f"The document has no operation named {name!r}.")
    if len(operations) == 1:
        return operations[0]
    if not operations:
        raise _unresolved("The document has no operation.")
    raise _unresolved("The document has several operations; operationName must say which one is meant.")


def _unresolved(message: str) -> RequestRefused:
    return RequestRefused([GatewayError(Code.OPERATION_RESOLUTION_FAILURE, message)])
