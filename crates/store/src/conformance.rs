//! What every store must do. An engine that keeps these promises may be used; there is no second
//! list.
//!
//! A promise is a function whose name would be false if it failed. Races run over two nodes on one
//! database at once, as many tasks as somebody with a script would send.

mod activation;
mod artifacts;
mod audit;
mod budgets;
mod consents;
mod devices;
mod federations;
mod journeys;
mod messages;
mod nodes;
mod participants;
mod people;
mod recovery;
mod refresh;
mod registrations;
mod reseal;
mod resets;
mod resources;
mod sessions;
mod tokens;
mod world;

use std::sync::Arc;

use self::world::World;
use crate::{AnyStore, seal::Keys};

macro_rules! keeps {
    ($world:expr; $($chapter:ident: $($promise:ident)*;)*) => {$($({
        let kept = $chapter::$promise($world).await;
        assert!(kept.is_ok(), "{}: {:?}", stringify!($promise), kept.err());
    })*)*};
}

/// Checks all promises. `open` opens one more node on the database under test, which was empty
/// before, with the keys of that node.
///
/// # Panics
/// If a promise is broken.
#[expect(clippy::too_many_lines, reason = "it is a list")]
pub async fn check(open: impl Fn(Arc<Keys>) -> AnyStore) {
    // Each node has its own, as processes have.
    let keys = [(); 2].map(|()| Arc::new(Keys::from_master(&[7; 32])));
    let world = &World::new(keys.clone().map(open), keys);
    keeps! { world;
        people:
            a_person_is_found_under_every_spelling_of_every_name
            an_import_with_one_contradiction_imports_nobody
            a_name_may_change_hands_within_one_import
            a_second_import_updates_the_register_and_leaves_the_account
            what_happens_before_activation_takes_no_account_from_the_register
            until_activation_the_register_decides_over_the_account
            a_better_hash_replaces_only_the_one_it_was_made_from
            an_activation_never_replaces_a_password
            who_came_with_a_password_and_no_method_can_activate
            a_walk_through_the_people_meets_everybody_once
            whoever_is_switched_off_is_out_everywhere;
        activation:
            an_activation_sets_what_was_chosen_and_says_so
            an_activation_ends_all_that_was_begun_before
            of_many_activations_with_one_code_one_succeeds
            a_code_that_is_late_void_or_another_s_activates_nobody;
        journeys:
            what_was_opened_is_read_back
            a_journey_that_is_over_with_its_first_step_is_not_kept
            a_journey_nobody_opened_is_none
            of_many_steps_at_once_one_moves_the_journey
            of_many_requests_at_once_one_spends_a_counter
            a_refused_step_leaves_no_trace
            an_earlier_counter_is_spent_with_a_later_one
            a_factor_counts_for_its_owner_only
            of_many_apps_at_once_one_is_bound
            a_number_is_confirmed_if_there_is_one
            a_link_moves_a_journey_once
            a_used_link_stays_used_until_one_is_made_anew
            a_link_that_is_late_replaced_or_made_up_moves_nothing;
        sessions:
            a_session_s_id_is_new_long_and_not_remembered
            nobody_who_is_switched_off_is_signed_in
            sessions_end_at_once_and_take_along_what_was_redeemed
            the_last_use_of_a_session_is_known_to_the_minute
            of_many_uses_of_a_one_time_thing_one_succeeds
            of_many_redemptions_of_a_code_one_succeeds_and_none_keeps_what_it_gave
            a_code_of_a_session_that_is_over_gives_nothing;
        participants:
            who_took_part_hears_once_that_the_session_ended
            who_took_part_hears_when_what_took_its_place_ends
            who_took_part_hears_of_a_person_who_is_switched_off
            who_takes_part_in_a_session_is_known_until_somebody_ends_it
            nobody_takes_part_in_what_is_over;
        consents:
            a_consent_is_remembered_until_it_is_taken_back;
        devices:
            a_device_is_let_in_once_by_its_own_application
            a_code_that_a_device_shows_is_shown_by_no_other
            a_device_that_asks_too_early_waits_longer
            of_many_that_ask_at_once_one_is_in_time
            of_many_answers_to_a_device_one_counts
            of_many_polls_of_a_device_that_was_let_in_one_is_redeemed
            nobody_answers_a_device_from_a_session_that_is_over
            a_device_is_forgotten_a_day_after_its_time;
        refresh:
            a_refresh_token_that_comes_again_ends_its_family
            a_lost_answer_may_be_asked_for_once_more
            of_many_renewals_at_once_none_makes_a_second_line
            a_family_ends_when_it_was_said_to
            a_family_ends_with_what_it_hangs_on
            an_offline_family_outlives_the_limits_of_its_session
            an_offline_family_follows_what_takes_its_session_s_place
            an_offline_family_ends_by_a_sign_out_that_comes_late
            a_family_ends_with_the_consent_that_is_taken_back
            what_is_taken_back_renews_nothing;
        registrations:
            who_was_invited_registers_and_is_known
            of_many_that_register_at_once_as_many_get_in_as_were_invited
            an_invitation_that_is_over_lets_nobody_in
            of_many_changes_of_a_registration_one_counts
            an_application_that_goes_takes_its_consents_along
            what_an_application_renews_ends_when_it_goes;
        federations:
            what_a_federation_said_is_kept_until_it_says_more
            of_many_copies_at_once_the_last_one_fetched_stays;
        artifacts:
            a_message_is_fetched_once_and_in_time
            of_many_who_fetch_a_message_at_once_one_gets_it;
        recovery:
            each_recovery_code_is_used_once
            of_many_sign_ins_at_once_one_uses_a_recovery_code
            one_sign_in_uses_one_recovery_code
            of_many_recovery_sets_at_once_one_is_made
            a_recovery_code_is_void_with_its_owner
            what_is_lost_is_replaced_at_once
            a_new_app_ends_with_the_session_that_asked
            another_token_voids_the_recovery_codes
            the_audit_tells_of_recovery_codes;
        budgets:
            a_thousand_tries_at_once_stay_within_the_budget
            a_try_counts_whatever_becomes_of_the_step
            a_try_that_was_right_comes_back_with_the_step
            budgets_of_different_owners_are_apart
            messages_at_once_stay_within_the_budget
            a_code_goes_to_the_bound_number_only
            a_right_password_takes_its_try_back
            a_device_is_known_for_the_person_who_used_it;
        tokens:
            tokens_come_in_all_or_none
            a_second_import_resets_no_counter
            of_many_people_one_gets_a_token
            a_token_that_is_somebody_s_activates_nobody_else
            a_token_s_counter_moves_forward_only;
        messages:
            of_many_jobs_one_gets_a_message_and_has_it_for_a_minute
            the_page_sees_what_became_of_a_message
            a_message_that_is_too_late_is_not_sent
            what_was_settled_is_not_sent_again;
        resources:
            of_many_edits_of_one_version_one_is_applied
            documents_change_together_or_not_at_all
            a_retired_key_is_published_until_its_end
            whatever_changes_moves_the_generation;
        reseal:
            what_a_former_key_sealed_is_sealed_again_and_opens
            sealing_again_takes_nothing_back_that_is_written_meanwhile
            what_none_of_the_keys_opens_is_told_and_stays
            what_is_checked_is_counted_by_its_key
            refresh_tokens_of_before_a_time_are_counted;
        resets:
            a_reset_ends_all_that_was_begun
            a_password_that_was_reset_is_set_anew_and_nothing_else
            whoever_is_to_choose_again_chooses_all
            a_register_brings_nothing_back_that_was_reset
            nothing_proven_before_a_reset_opens_anything_after_it
            of_sign_ins_that_race_a_reset_none_is_left
            who_was_never_activated_or_is_switched_off_is_not_reset
            a_token_that_is_reset_is_free
            a_former_number_is_told_of_the_new_one
            whoever_changes_their_password_stays_where_they_are
            of_many_changes_of_a_password_one_counts;
        nodes:
            a_node_is_known_as_it_told_itself_last
            nodes_that_come_at_once_have_one_order
            a_node_replaces_whoever_had_its_name
            a_node_that_is_gone_is_forgotten_after_a_day
            the_outbox_says_when_its_next_message_is_due;
        audit:
            every_entry_says_who_when_and_from_where_and_is_found_by_its_code
            no_text_breaks_out_of_an_entry
            what_is_over_goes_and_the_rest_stays
            the_store_counts_and_can_write
            the_chain_holds_over_all_that_happened;
    }
}
