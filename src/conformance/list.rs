//! The one list of all cases: what is run, what is documented and what becomes a `#[test]` come from here.

/// Calls a macro with all cases.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_cases {
    ([$($callback:tt)+] $($arguments:tt)*) => {
        $($callback)+! {
            $($arguments)*
            {
            definitions {
                a_fresh_store_is_empty
                definitions_come_back_whole
                a_changed_definition_keeps_its_creation
                the_catalog_revision_moves_with_definitions_only
                a_rename_keeps_values
                names_can_be_exchanged_in_one_batch
                a_definition_in_use_is_not_deleted
                a_definition_is_deleted_with_its_values
                definition_ids_are_never_used_again
                tighter_rules_are_held_against_values
                entity_types_are_apart
                defined_and_used_in_one_batch
                many_definitions
                needed_definitions_stay_as_they_are
                declared_definitions_are_made_exact
                unknown_definitions_are_refused
            }
            names {
                equal_names_are_one
                names_are_found_in_any_spelling
                different_names_are_apart
                names_come_back_as_given
                a_rename_minds_other_names_only
            }
            values {
                texts_come_back_exactly
                the_longest_texts_come_back
                integers_come_back_exactly
                decimals_come_back_exactly
                booleans_come_back_exactly
                dates_come_back_exactly
                similar_texts_are_different_values
                equal_decimals_are_one_value
                absent_is_not_empty
                a_wide_entity_comes_back_in_order
            }
            entities {
                ids_are_kept_apart
                integers_and_their_texts_are_one
                an_id_is_one_of_its_type
                an_emptied_entity_is_not_found
                an_emptied_entity_goes_on
                removing_takes_everything
                saving_replaces_everything
            }
            batches {
                a_violation_at_the_end_undoes_all
                a_conflict_undoes_all
                a_refused_batch_uses_nothing_up
                receipts_are_exact
                receipts_carry_definitions
                what_changes_nothing_commits_nothing
                commit_ids_rise_by_one
                ordinals_are_dense
                one_revision_per_commit
                all_violations_are_reported
                a_large_batch_is_one_commit
                a_value_moves_in_one_change
                a_dry_run_changes_nothing
            }
            commits {
                instants_are_kept_to_the_microsecond
                instants_never_go_back
                actors_and_notes_come_back
                commits_are_read_in_order
                values_know_their_commits
            }
            reading {
                many_are_read_in_order
                very_many_are_read_in_one_call
                scans_go_page_by_page
                shortcuts_agree_with_the_defaults
                shorthands_agree_with_snapshots
            }
            finding {
                each_test_finds_what_it_means
                found_pages_agree_with_the_reference
                tallies_agree_with_the_reference
                what_is_found_stays_at_its_point
            }
            indexed {
                long_texts_are_told_apart
                what_is_not_searchable_is_refused
                keys_are_those_of_the_page
                a_sound_index_has_no_faults
            }
            cursors {
                a_cursor_ends_with_what_it_meant
                a_cursor_outlives_a_rename
                a_cursor_knows_its_filter
            }
            defaults {
                filters_see_defaults_where_asked
                a_cursor_knows_the_defaults_of_its_filter
                whole_entities_have_defaults
            }
            ids {
                value_ids_are_stable
                ordinals_find_their_entities
                values_are_changed_by_their_ids
            }
            history {
                a_first_write_leaves_no_past
                values_that_end_stay_in_the_past
                a_commit_is_one_step_of_the_past
                deleted_values_stay_in_the_past
                definitions_that_end_stay_in_the_past
                a_long_past_comes_back_whole
                the_past_is_read_as_it_was
                commits_tell_whom_they_changed
                changes_follow_each_other
                a_deleted_definition_comes_back
                values_change_their_type_with_their_definition
            }
            forgetting {
                history_that_is_off_is_not_kept
                pruned_versions_are_gone
                horizons_only_rise
                histories_go_page_by_page
                erased_values_never_were
                erased_values_are_followed
                erased_entities_never_were
            }
            going_back {
                what_a_commit_created_is_undone
                an_entity_goes_back_to_what_it_was
                rules_do_not_bind_what_is_restored
                values_go_back_across_types
                definitions_go_back_together
                what_cannot_go_back_is_named
                values_that_stood_may_stay
            }
            sweeping {
                what_is_required_is_not_swept_away
                a_change_reaches_every_entity
                merged_values_move
                split_values_move
                what_is_swept_is_unique
            }
            copying {
                a_copy_is_like_its_source
                a_copy_goes_on_like_its_source
                the_last_ordinal_is_copied
                a_copy_keeps_instants_that_go_back
                a_copy_is_brought_up_to_date
                commits_in_a_row_are_kept_in_order
            }
            refused {
                a_copied_commit_that_fails_leaves_nothing
                an_import_that_fails_leaves_whole_commits
                what_the_caller_ends_leaves_nothing
            }
            rules {
                new_entities_have_what_is_required
                required_values_stay
                required_can_be_turned_on_and_off
                defaults_are_read_and_not_stored
            }
            unique {
                a_unique_value_is_held_once
                a_value_given_up_is_free
                values_change_hands_in_one_batch
                unique_values_are_compared_exactly
                unique_can_be_turned_on
                unique_can_be_turned_off_and_on
                a_deleted_definition_holds_nothing_back
            }
            revisions {
                expected_revisions_are_verified
                absent_expects_a_new_entity
                a_moved_catalog_is_a_conflict
                revisions_move_with_changes_only
            }
            snapshots {
                a_snapshot_stays_at_its_point
                a_snapshot_begins_when_it_is_made
                every_question_stays_at_its_point
                many_snapshots_at_once
                a_snapshot_of_nothing_stays_empty
                what_is_committed_is_seen_at_once
            }
            threads {
                one_of_many_gets_a_unique_value
                no_update_is_lost
                many_write_at_once
                many_define_at_once
                required_holds_from_its_commit_on
                unique_holds_from_its_commit_on
                readers_see_whole_commits
                single_reads_are_of_one_instant
                refusals_are_each_callers_own
                tickets_keep_what_they_say
            }
            }
            {
                everything_is_there_again
                it_goes_on_where_it_was
                nothing_is_there_again
                what_was_refused_is_not_there
            }
        }
    };
}

/// Makes each case of the suite a `#[test]` of its own, in a module of this name.
///
/// The second argument is called for each case: it builds a fresh store, alone or with what must live as long. See
/// [`conformance`](crate::conformance).
///
/// ```
/// use custom_attributes::MemoryStore;
/// custom_attributes::conformance_tests!(memory, MemoryStore::new);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! conformance_tests {
    ($name:ident, $build:expr $(,)?) => {
        $crate::__conformance_cases! { [$crate::__conformance_module] $name, $build, }
    };
}

/// Makes each case for a store that outlives its process a `#[test]` of its own, in a module of this name.
///
/// The second argument makes a place where there is no store yet; the third opens a store there. See
/// [`conformance`](crate::conformance).
#[macro_export]
macro_rules! durability_tests {
    ($name:ident, $place:expr, $open:expr $(,)?) => {
        $crate::__conformance_cases! { [$crate::__durability_module] $name, $place, $open, }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_module {
    ($name:ident, $build:expr, { $($group:ident { $($case:ident)* })* } { $($durable:ident)* }) => {
        #[cfg(test)]
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            fn __run(case: fn(&$crate::conformance::Store)) {
                $crate::conformance::run($build, case);
            }

            $(
                mod $group {
                    $(
                        #[test]
                        fn $case() {
                            super::__run($crate::conformance::cases::$case);
                        }
                    )*
                }
            )*
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __durability_module {
    ($name:ident, $place:expr, $open:expr, { $($group:ident { $($case:ident)* })* } { $($durable:ident)* }) => {
        #[cfg(test)]
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            fn __run(case: fn($crate::conformance::Open<'_>)) {
                $crate::conformance::run_durable($place, $open, case);
            }

            $(
                #[test]
                fn $durable() {
                    __run($crate::conformance::cases::$durable);
                }
            )*
        }
    };
}
