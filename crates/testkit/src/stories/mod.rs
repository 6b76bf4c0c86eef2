//! The stories, one file a chapter. A story is told in the guide's words and knows no stage.
//!
//! [`for_each_story!`](crate::for_each_story) is the one list of them: ring 3 and ring 4 tell the
//! same ones, in French and in German.

pub mod activation;
pub mod app;
pub mod elsewhere;
pub mod inside;
pub mod leaving;
pub mod lost;
pub mod recovery;
pub mod sign_out;
pub mod sms;
pub mod strangers;
pub mod token;
pub mod trouble;

use serde_json::Value;

use crate::{Application, Browser, Person, Town, Words};

/// Calls a macro with every story by chapter: `chapter { story, story, … } …`.
#[macro_export]
macro_rules! for_each_story {
    ($tell:ident) => {
        $tell! {
            activation {
                somebody_activates_from_the_mail_and_signs_in_with_sms,
                somebody_activates_and_sets_the_app_up,
                a_password_is_judged_in_words,
                a_number_abroad_is_refused_in_words,
                an_activation_code_works_once,
                an_activation_code_expires_and_says_so,
                a_wrong_activation_code_tells_nothing,
                somebody_shows_the_token_they_hold,
            }
            sms {
                a_teacher_at_home_signs_in_with_a_code_by_sms,
                the_next_time_a_code_comes_again,
                who_is_signed_in_reaches_the_next_application_at_once,
            }
            app {
                the_app_is_set_up_after_the_sms,
                the_key_can_be_typed_and_the_link_tapped,
                the_next_time_the_app_is_asked_for_and_no_sms_is_sent,
            }
            token {
                a_token_holder_reaches_ism_by_the_former_name_without_any_setup,
                a_token_out_of_step_is_found_again_by_two_codes,
            }
            inside {
                at_school_the_password_is_enough,
                in_the_states_network_the_password_is_enough,
                the_school_administration_asks_for_a_code_even_at_school,
            }
            elsewhere {
                enrolment_at_school_is_refused_and_goes_on_at_home,
                the_way_home_is_open_for_two_days,
                the_way_home_needs_the_phone_of_whom_it_is_for,
            }
            leaving {
                a_session_made_at_school_is_stepped_up_at_home,
                a_strong_session_may_leave_the_building,
            }
            trouble {
                a_code_is_taken_with_spaces_dashes_and_wide_digits,
                a_code_of_letters_costs_no_try,
                after_a_wrong_code_the_right_one_is_taken,
                a_code_of_the_app_is_taken_once,
                a_slow_phone_is_told_so_and_still_refused,
                a_fast_phone_is_told_so_and_still_refused,
                a_dead_gateway_is_told_and_the_message_comes_later,
                the_code_sent_again_is_the_same,
                an_old_sms_code_is_expired,
                a_browser_closed_at_the_qr_code_leaves_no_factor,
                two_tabs_do_not_disturb_each_other,
                the_back_button_does_no_harm,
                a_sign_in_has_a_deadline,
                a_wrong_name_and_a_wrong_password_look_the_same,
                too_many_wrong_passwords_mean_waiting,
                a_name_may_be_typed_in_any_case,
            }
            strangers {
                a_stolen_password_outside_sets_nothing_up,
                half_a_sign_in_carries_no_authority,
                a_journey_belongs_to_one_browser,
                another_person_at_the_same_computer_signs_in_as_themselves,
                a_forwarded_address_moves_nobody_inside,
                steps_can_neither_be_skipped_nor_repeated,
                a_code_for_an_application_works_once_and_in_its_browser,
                a_thousand_wrong_codes_at_once_are_five_tries,
            }
            lost {
                a_lost_phone_is_reset_at_the_desk_and_set_up_anew,
                a_forgotten_password_is_reset_at_the_desk_and_the_app_stays,
                somebody_changes_their_password_and_stays_where_they_are,
                at_school_the_password_is_changed_with_a_code_only,
                a_new_phone_takes_the_place_of_the_old_one,
            }
            sign_out {
                from_the_portal_everything_is_left,
                from_the_account_all_browsers_are_left,
                from_the_account_the_applications_are_left_by_themselves,
            }
        }
    };
}

/// The same for stories of a canton under the preset `recommended`, which the guide does not tell.
#[macro_export]
macro_rules! for_each_recommended_story {
    ($tell:ident) => {
        $tell! {
            recovery {
                recovery_codes_are_shown_once,
                a_lost_phone_is_replaced_with_a_recovery_code,
                a_forgotten_phone_costs_one_recovery_code,
                new_recovery_codes_void_the_old_ones,
                recovery_codes_need_a_fresh_second_factor_outside,
            }
        }
    };
}

/// [REFEDS] a session of two factors.
pub(crate) const STRONG: &str = "https://refeds.org/profile/mfa";
/// [REFEDS] a session of a password.
pub(crate) const PASSWORD: &str = "https://refeds.org/profile/sfa";

/// [Guide 2.2] Goes to an application and clicks on « Se connecter ».
pub(crate) fn knocks(
    town: &mut dyn Town,
    browser: &mut dyn Browser,
    w: &Words,
    application: Application,
) {
    let origins = town.origins();
    browser.opens(&format!("{}/", origins.of(application)));
    browser.clicks(w.se_connecter);
    browser.lands_at(&format!("{}/", origins.provider));
}

/// [Guide 2.3, 2.4] Types name and password and clicks on « Connexion ».
pub(crate) fn enters(browser: &mut dyn Browser, w: &Words, person: &Person) {
    browser.types(w.username, &person.username);
    browser.types(w.password, &person.password);
    browser.clicks(w.connexion);
}

/// [Guide 2.1, 2.2, 2.3, 2.4] From the portal's front page through name and password.
pub(crate) fn signs_in(town: &mut dyn Town, browser: &mut dyn Browser, w: &Words, person: &Person) {
    knocks(town, browser, w, Application::Ent);
    enters(browser, w, person);
}

/// [Guide 3.4, 3.5] Types the code of the next text message and clicks on « Soumettre ».
pub(crate) fn answers_sms(
    town: &mut dyn Town,
    browser: &mut dyn Browser,
    w: &Words,
    person: &Person,
) {
    browser.sees(w.sms_title);
    browser.types(w.sms_code, &town.sms_code(person));
    browser.clicks(w.soumettre);
}

/// Is signed in at an application, with two factors or with a password only; what it was told.
pub(crate) fn is_in(
    town: &mut dyn Town,
    browser: &mut dyn Browser,
    w: &Words,
    application: Application,
    acr: &str,
) -> Value {
    let origins = town.origins();
    browser.lands_at(&format!("{}/", origins.of(application)));
    browser.sees(w.hello);
    browser.sees(if acr == STRONG {
        w.level_strong
    } else {
        w.level_password
    });
    let Some(claims) = browser.whoami(&origins, application) else {
        panic!("nobody is signed in at {application:?}");
    };
    assert_eq!(claims["acr"], acr, "{claims}");
    let methods = claims["amr"].as_array().map_or(0, Vec::len);
    assert_eq!(methods > 1, acr == STRONG, "{claims}");
    claims
}

/// The address and code in an activation message.
pub(crate) fn activation_in(mail: &str, town: &mut dyn Town) -> (String, String) {
    let provider = town.origins().provider;
    let mut words = mail.split_whitespace();
    let link = words
        .find(|word| word.starts_with(&provider))
        .unwrap_or_default()
        .to_owned();
    let is_code = |word: &&str| {
        word.len() == 11 && word.as_bytes()[5] == b'-' && !word.contains(char::is_lowercase)
    };
    let Some(code) = mail.split_whitespace().find(is_code) else {
        panic!("no activation code in « {mail} »");
    };
    (link, code.to_owned())
}
