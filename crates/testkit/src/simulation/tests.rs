//! The simulator itself: it keeps quiet where nothing is wrong, repeats what it saw, and is not blind.

use super::{Lie, Plan, Told, Violation, play};

fn plays(seed: u64, lie: Option<Lie>) -> Result<Told, Box<Violation>> {
    let hours = 1;
    play(Plan { hours, lie, seed }, |_| {})
}

/// Plays until a lie is found out; what is said of it.
fn finds_out(lie: Lie) -> String {
    let found = (1..=8).find_map(|seed| plays(seed, Some(lie)).err());
    let violation = found.unwrap_or_else(|| panic!("{lie:?} was not found out"));
    let again = plays(violation.seed, Some(lie)).unwrap_err();
    assert_eq!(again, violation, "the seed shows something else");
    violation.to_string()
}

fn is_found_out(lie: Lie, saying: &[&str]) {
    let said = finds_out(lie);
    assert!(
        saying.iter().any(|part| said.contains(part)),
        "{lie:?}: {said}"
    );
}

/// [A04] [P04] Whatever fails when: nothing works twice, nobody gets in who must not, and everybody else
/// does.
#[test]
fn a_few_seeds_break_no_promise() {
    for seed in 1..=3 {
        match plays(seed, None) {
            Ok(told) => assert!(told.sign_ins > 0 && told.faults.len() > 8, "{told:?}"),
            Err(violation) => panic!("{violation}"),
        }
    }
}

#[test]
fn the_same_seed_tells_the_same_tale() {
    let [first, second] = [7, 7].map(|seed| plays(seed, None).unwrap());
    assert_eq!(first, second);
    assert_ne!(first.trace, plays(8, None).unwrap().trace);
}

#[test]
fn a_code_that_is_redeemed_again_is_found_out() {
    is_found_out(
        Lie::CodesWorkTwice,
        &["an authorization code gave tokens 2 times"],
    );
}

#[test]
fn a_counter_that_is_forgotten_is_found_out() {
    let saying = [
        "a step or counter of a factor",
        "a stolen password was let in",
    ];
    is_found_out(Lie::CountersAreForgotten, &saying);
}

#[test]
fn somebody_who_is_not_switched_off_is_found_out() {
    let saying = ["switched off", "has ended", "had ended", "void"];
    is_found_out(Lie::DisabledStaysOn, &saying);
}

#[test]
fn a_message_that_goes_out_again_is_found_out() {
    is_found_out(Lie::MessagesGoOutAgain, &["was given the message"]);
}

#[test]
fn a_sign_in_that_is_not_written_is_found_out() {
    is_found_out(Lie::SignInsAreNotWritten, &["the audit has"]);
}

#[test]
fn a_session_that_does_not_end_is_found_out() {
    is_found_out(Lie::SessionsStay, &["has ended", "had ended", "void"]);
}

#[test]
fn tries_that_are_not_counted_are_found_out() {
    is_found_out(Lie::TriesAreFree, &["wrong passwords of strangers"]);
}
