"""The rules, one file per family of errors; each is a function that looks and reports.

`SUBGRAPH_RULES` judge one subgraph by itself, before anything is merged. `MERGED_RULES` judge the merged types. What
can only be told while two declarations are laid side by side (a type mismatch) is reported by the merge itself.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.composition.model import Report
from gateway.composition.rules.access import check_access_on_interfaces
from gateway.composition.rules.contexts import check_contexts
from gateway.composition.rules.costs import check_costs
from gateway.composition.rules.external import check_external
from gateway.composition.rules.interface_object import check_interface_object
from gateway.composition.rules.keys import check_interface_keys, check_keys
from gateway.composition.rules.override import check_override
from gateway.composition.rules.partitions import check_partitions
from gateway.composition.rules.provides import check_provides
from gateway.composition.rules.requires import check_requires
from gateway.composition.rules.shareable import check_shareable
from gateway.composition.rules.unsupported import check_unsupported
from gateway.composition.subgraph import Subgraph

__all__ = ["SUBGRAPH_RULES", "SubgraphRule"]

SubgraphRule = Callable[[Subgraph, Report], None]

SUBGRAPH_RULES: tuple[SubgraphRule, ...] = (
    check_unsupported,
    check_keys,
    check_interface_keys,
    check_external,
    check_requires,
    check_provides,
    check_shareable,
    check_override,
    check_interface_object,
    check_access_on_interfaces,
    check_costs,
    check_contexts,
    check_partitions,
)
