//! SAML: real service providers sign people in, ask for more, and sign them out.

mod federation;
mod process;
mod python;
mod refused;
mod shibboleth;

use std::time::{SystemTime, UNIX_EPOCH};

use testkit::memory::Canton;
use testkit::{Answer, Attempt, Browser, Language, Person, Place, Role, Town};

use crate::{application::at, registered::registers};

/// A salt as `openssl rand -hex 32` prints it.
const SALT: &str = "5d1c7e0f8a4b3c2d1e0f9a8b7c6d5e4f5d1c7e0f8a4b3c2d1e0f9a8b7c6d5e4f";

/// A canton at the time of the machine: real applications look at their own clocks.
fn canton() -> Canton {
    let canton = Canton::new(Language::French);
    #[expect(
        clippy::disallowed_methods,
        reason = "programs of others go by the machine's clock"
    )]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = i64::try_from(now.as_secs()).unwrap();
    canton.toy().passes(now - canton.toy().now());
    canton
}

/// Registers an application with its metadata and further lines.
fn registered(canton: &Canton, id: &str, metadata: &str, more: &str) {
    let text = format!(
        "\n[[saml]]\nid = \"{id}\"\nname = {{ fr = \"{id}\", de = \"{id}\", en = \"{id}\" }}\n\
         salt = \"{SALT}\"\n{more}\nmetadata = '''\n{metadata}\n'''\n"
    );
    registers(canton, &text);
}

/// Our metadata, as an application fetches it.
fn our_metadata(canton: &mut Canton) -> String {
    let answer = crate::application::sends(canton, Attempt::get(&at("/saml/metadata")));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

/// Chloé, who has an app, in a browser at school.
fn chloe(canton: &mut Canton) -> (Person, Box<dyn Browser>) {
    let town: &mut dyn Town = canton;
    (
        town.somebody(Role::EnrolledApp),
        town.browser(Place::School),
    )
}

/// What the page that leads to an application would post: its address, the message, the state.
fn onward(browser: &mut dyn Browser) -> (String, Vec<(String, String)>) {
    let (action, fields) = browser.form();
    let message = fields
        .iter()
        .any(|(name, _)| name == "SAMLResponse" || name == "SAMLRequest");
    assert!(
        message,
        "no message on {}:\n{}",
        browser.url(),
        browser.text()
    );
    (action, fields)
}

/// One field of a form.
fn field<'f>(fields: &'f [(String, String)], name: &str) -> &'f str {
    let found = fields.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.as_str()).unwrap_or_default()
}

/// Signs in with name and password on the page that an application's request leads to; the browser
/// then stands on the page that leads back.
fn signs_in(browser: &mut dyn Browser, request: &str, person: &Person) {
    let answer: Answer = crate::application::enters(browser, request, person);
    assert!(
        answer.location().starts_with("/saml/continue"),
        "{answer:?}"
    );
    browser.opens(&at(answer.location()));
}

/// Whether somebody is signed in at the provider.
fn is_inside(browser: &mut dyn Browser) -> bool {
    browser.sends(Attempt::get(&at("/account"))).status == 200
}
