//! What a device that has been here before is worth, and what it is not.

use testkit::memory::Canton;
use testkit::{Attempt, Language, Place, Role, Town};

use crate::application::{asks, at, enters};

/// [O10] Who has the password signs in at school with it on device after device, and makes none of
/// them a device of the owner's: their codes come out of one budget.
#[test]
fn a_password_alone_makes_no_device_with_codes_of_its_own() {
    let mut canton = Canton::new(Language::French);
    let chloe = (&mut canton as &mut dyn Town).somebody(Role::EnrolledApp);
    let strong = asks(&[
        ("prompt", Some("login")),
        ("acr_values", Some("https://refeds.org/profile/mfa")),
    ]);
    for _ in 0..12 {
        let mut browser = canton.browser(Place::School);
        assert!(enters(&mut *browser, &asks(&[]), &chloe).signs_somebody_in());
        let journey = enters(&mut *browser, &strong, &chloe).location().to_owned();
        let right = (&mut canton as &mut dyn Town).shown_by_app(&chloe);
        for guess in 1..=5 {
            let code = format!("{:06}", (right.parse::<u32>().unwrap() + guess) % 1_000_000);
            let guess = Attempt::post(&at(&journey), &[("code", &code)]).from_page_of(&at(""));
            assert!(!browser.sends(guess).signs_somebody_in());
        }
    }
    let entries = canton.audit();
    let wrong = entries
        .iter()
        .filter(|entry| entry.happened.contains("code-wrong"));
    assert_eq!(wrong.count(), 50);
}
