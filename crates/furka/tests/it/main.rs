//! The real binary, as a technician uses it: transcripts of a terminal, and what needs more than one.

#![expect(clippy::panic, clippy::unwrap_used, reason = "all of it is test")]

mod applications;
mod backups;
mod cluster_status;
mod guests;
mod installation;
mod keys;
mod nodes;
mod serving;
mod terminal;
mod walked;
mod whole;

/// Every transcript in the folder is a test of its own name here.
macro_rules! transcripts {
    ($($(#[$doc:meta])* $name:ident)*) => {
        $($(#[$doc])* #[test] fn $name() { terminal::replay(stringify!($name)); })*

        #[test]
        fn every_transcript_is_replayed() {
            terminal::only(&[$(stringify!($name)),*]);
        }
    };
}

transcripts! {
    the_first_day
    people_come_in_whole_or_not_at_all
    a_file_from_windows_is_understood
    tokens_come_in_and_find_their_people
    resources_are_planned_before_they_change
    an_address_and_a_policy_are_explained
    an_application_is_explained_before_anybody_signs_in
    an_application_is_added_and_the_other_side_told
    a_request_of_an_application_is_judged
    a_sign_in_is_walked_message_by_message
    keys_rotate_and_the_audit_holds
    a_sealing_key_comes_and_another_goes
    nobody_serves_yet
    /// [L09] Effective at once: the store ends what was begun.
    somebody_is_switched_off
    /// [L05] [L06] [L09] The desk takes back what was lost or forgotten.
    somebody_is_reset_at_the_desk
    a_backup_becomes_a_database_again
    a_wrong_configuration_says_what_to_do
    a_canton_of_people_who_do_not_exist
}
