//! More applications than the demo has.

use aws_lc_rs::digest::{SHA256, digest};
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

/// Registers another OpenID Connect application beside the ENT, with a secret of its own.
pub(crate) fn registers_a_neighbour(canton: &Canton) {
    let secret = data_encoding::HEXLOWER.encode(digest(&SHA256, b"the neighbour's").as_ref());
    let name = "name = { fr = \"Voisin\", de = \"Nachbar\", en = \"Neighbour\" }";
    registers(
        canton,
        &format!(
            "[[application]]\nid = \"neighbour\"\n{name}\nkind = \"confidential\"\nauth = \"basic\"\n\
             secret_sha256 = \"{secret}\"\nscopes = [\"openid\", \"profile\"]\ntrusted = true\n\
             redirect_uris = [\"http://localhost:8405/callback\"]\n"
        ),
    );
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
