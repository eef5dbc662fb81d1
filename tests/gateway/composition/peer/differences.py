"""Where the peer gives other codes than we do for the schemas of `tests/gateway/composition/errors`, and why ours stay.

The measure is the documentation and the specification of Apollo's composition, not the peer. A test that is not in this
table must give the same codes in both; one that is in it must differ, so that the table does not outlive its reasons.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["DIFFERENCES"]

_EXTERNALS = (
    "externals are compared with the merged field and never merged, so the code is that of externals, and only that"
)
_FIELDS_ARG = "directives in a field set have a code of their own"
_NO_FIELD_SET = "it must be a selection that the type has"
_OWN = "what only this composition knows"

DIFFERENCES: Mapping[str, str] = {
    "test_context_invalid_selection.py::test_no_selection": "it is the context's selection that is at fault",
    "test_context_invalid_selection.py::test_nothing_but_one_leaf_further_down_either": (
        "a contextual argument has one value, so one leaf is selected, with all its arguments"
    ),
    "test_context_invalid_selection.py::test_space_and_remarks_may_stand_anywhere": "a field value has remarks like all GraphQL",
    "test_satisfiability_error.py::test_a_change_sets_no_context": "nothing is read from a change's root a second time",
    "test_satisfiability_error.py::test_a_requirement_that_takes_from_a_context_is_not_met": (
        "a contextual argument is no argument of the supergraph's field, so an external need not have it"
    ),
    "test_directive_composition_error.py::test_a_name_without_an_at": "the documentation demands the leading @",
    "test_directive_definition_invalid.py::test_a_changed_definition_of_a_federation_directive": (
        "a definition may leave optional arguments out, but not add any"
    ),
    "test_directive_definition_invalid.py::test_a_definition_without_its_required_argument": (
        "the one fault is told once: the definition of the schema replaces that of the specification"
    ),
    "test_disallowed_inaccessible.py::test_what_every_api_has_cannot_be_hidden": "built-in scalars cannot be hidden",
    "test_external_argument_default_mismatch.py::test_the_owner_says_otherwise": _EXTERNALS,
    "test_external_argument_default_mismatch.py::test_to_leave_the_default_out_is_to_say_otherwise": (
        "the default of an external must be that of the supergraph"
    ),
    "test_external_argument_type_mismatch.py::test_the_owner_says_otherwise": _EXTERNALS,
    "test_external_on_interface.py::test_an_interface_field_cannot_be_external": "Federation 2 refuses it",
    "test_external_type_mismatch.py::test_the_owner_says_otherwise": _EXTERNALS,
    "test_external_type_mismatch.py::test_nullability_counts": _EXTERNALS,
    "test_interface_key_missing_implementation_type.py::test_who_resolves_an_interface_knows_all_of_it": (
        "who resolves an interface by its key must know all of its types"
    ),
    "test_interface_object_usage_error.py::test_who_stands_for_all_implementations_defines_none": (
        "an interface object stands for all implementations, so its subgraph defines none"
    ),
    "test_invalid_field_sharing.py::test_what_is_provided_is_resolved_too": (
        "a provided field must be shareable where it is resolved"
    ),
    "test_invalid_graphql.py::test_operations_are_no_schema": "the cause is the operation in the schema, not the lack of queries",
    "test_invalid_link_directive_usage.py::test_a_directive_cannot_be_imported_as_a_type": "the peer gives no code",
    "test_invalid_link_directive_usage.py::test_a_link_without_a_url": "the peer fails",
    "test_key_directive_in_fields_arg.py::test_a_directive_in_the_field_set": _FIELDS_ARG,
    "test_provides_directive_in_fields_arg.py::test_a_directive_in_the_field_set": _FIELDS_ARG,
    "test_requires_directive_in_fields_arg.py::test_a_directive_in_the_field_set": _FIELDS_ARG,
    "test_key_fields_select_invalid_type.py::test_a_union_is_no_key": "unions are no keys, whatever is selected of them",
    "test_key_invalid_fields.py::test_not_a_field_set": _NO_FIELD_SET,
    "test_key_invalid_fields.py::test_an_object_needs_subfields_and_a_leaf_has_none": _NO_FIELD_SET,
    "test_key_invalid_fields.py::test_an_alias": "aliases are not allowed in keys",
    "test_override_source_has_override.py::test_only_one_override_a_field": "one override for each field",
    "test_provides_unsupported_on_interface.py::test_provides_on_an_interface_field": (
        "the external field is used, if only by what is refused"
    ),
    "test_required_input_field_missing_in_some_subgraph.py::test_a_field_with_a_default_is_left_out": (
        "a field with a default is not required"
    ),
    "test_satisfiability_error.py::test_requirements_that_wait_for_each_other": "the peer does not come to an end",
    "test_satisfiability_error.py::test_what_one_of_its_subgraphs_can_never_return_is_never_returned": (
        "a type condition that one of a shared field's subgraphs can never meet asks for nothing"
    ),
    "test_shareable_has_mismatched_runtime_types.py::test_no_object_could_be_both": (
        "subgraphs that could never return the same object do not share a field"
    ),
    "test_auth_requirements_applied_on_interface.py::test_an_interface_object_is_an_interface": (
        "the rule is for interface objects, too"
    ),
    "test_external_type_mismatch.py::test_where_owners_differ_an_external_may_promise_what_one_of_them_does": (
        "where the owners' types differ, an external may have any subtype of the merged one"
    ),
    "test_link_import_name_mismatch.py::test_one_directive_under_two_names": (
        "the rule is for every directive that goes into the supergraph, not for costs alone"
    ),
    "test_list_size_applied_to_non_list.py::test_one_object_has_no_size": "no sized field is named that could be wrong",
    "test_merged_directive_application_on_external.py::test_demands_and_costs_too": (
        "the rule is for every directive that goes into the supergraph"
    ),
    "test_missing_transitive_auth_requirements.py::test_each_way_to_see_the_field_must_be_one_to_see_what_it_requires": (
        "a demand of several ways is met by one of them, and what leaks through one way leaks"
    ),
    "test_type_definition_invalid.py::test_a_type_of_the_specification_as_another_kind": (
        "the rule is for every type of a specification, under its local name"
    ),
    "test_type_with_only_unused_external.py::test_federation_1_let_it_stand_and_here_nothing_is_left": (
        "the cause is told, not that nothing is left to go on from"
    ),
    "test_unsupported_feature.py::test_more_labels_than_can_be_combined": _OWN,
    "test_unsupported_linked_feature.py::test_connectors_would_be_lost": _OWN,
    "test_unsupported_linked_feature.py::test_a_specification_of_ones_own_only_annotates": (
        "a link needs no definition of @link, nor the federation specification"
    ),
}
