//! More applications than the demo has.

use store::{Resource, ResourceKind};
use testkit::memory::Canton;
use testkit::{Answer, Attempt, Browser, Person, Place, Role, Town};

use crate::application::at;

/// Somebody who has a hardware token, at school, where the password would do.
pub(crate) fn with_a_token(canton: &mut Canton) -> (Person, Box<dyn Browser>) {
    let town: &mut dyn Town = canton;
    (town.somebody(Role::Token), town.browser(Place::School))
}

/// Signs out: looks at the question behind an address, and answers it. Where one is led then.
pub(crate) fn signs_out(browser: &mut dyn Browser, url: &str) -> Answer {
    browser.opens(url);
    let (action, fields) = browser.form();
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    browser.sends(Attempt::post(&action, &fields).from_page_of(&at("")))
}

/// Registers further applications, as `furka apply` would.
pub(crate) fn registers(canton: &Canton, applications: &str) {
    changes(canton, ResourceKind::Applications, |text| {
        format!("{text}\n{applications}")
    });
}

/// Changes a document, and has the provider read it.
pub(crate) fn changes(canton: &Canton, kind: ResourceKind, with: impl FnOnce(&str) -> String) {
    let before = canton
        .waits_for(canton.store().resource(kind))
        .unwrap()
        .unwrap();
    let after = Resource {
        text: with(&before.text),
        ..before
    };
    let (documents, by) = ([after], canton.by());
    let applied = canton.store().apply(&documents, &by);
    assert!(canton.waits_for(applied).unwrap());
    assert!(canton.waits_for(canton.provider().reload()).unwrap());
}
