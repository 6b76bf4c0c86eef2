//! Dynamic registration with a client that nobody here wrote: npm's `openid-client` comes with an invitation,
//! signs somebody in who agrees, and goes.

use std::process::Command;

use aws_lc_rs::digest::{SHA256, digest};
use journey::Timestamp;
use serde_json::{Value, json};
use store::{NewInvitation, ResourceKind};
use testkit::{Role, Town};
use wire::oauth::{
    client::Assurance,
    registration::{Bounds, Bundle},
};
use wire::pseudonym::Salt;

use crate::{
    cas_client::canton_of_today,
    openid_client::packages,
    programs::{Curl, Program, SCHOOL, Serving, free_port},
    registered::changes,
};

const TOKEN: &str = "YW4gaW52aXRhdGlvbiBmb3IgbnBtJ3Mgb3BlbmlkLWNsaWU";

/// [C17] [C12] It registers, is agreed to, is told what the invitation allows and no mail address, renews, looks
/// after itself, goes, and gets nothing any more.
#[test]
fn openid_client_registers_signs_somebody_in_and_goes() {
    let mut canton = canton_of_today();
    changes(&canton, ResourceKind::Applications, |text| {
        format!("registration = true\n{text}")
    });
    let bounds = Bounds {
        minimum: Assurance::Password,
        salt: Salt::new("0123456789abcdef0123456789abcdef".to_owned()),
        scopes: Bundle::Profile.scopes(),
        secret_days: None,
    };
    let by = canton.by();
    let Timestamp(now) = by.at;
    let new = NewInvitation {
        bounds: bounds.document(),
        id: "npm".to_owned(),
        token: digest(&SHA256, TOKEN.as_bytes())
            .as_ref()
            .try_into()
            .unwrap(),
        until: Timestamp(now + 86_400),
        uses: 1,
    };
    assert!(canton.waits_for(canton.store().invite(&new, &by)).unwrap());
    let provider = Serving::start(&canton, free_port());
    let (own, folder) = (free_port(), tempfile::tempdir().unwrap());
    let node = Program::start(
        Command::new("/usr/bin/node")
            .arg(packages().join("registration.mjs"))
            .args([&provider.origin, TOKEN, &own.to_string()]),
        folder.path(),
        own,
    );
    let person = {
        let town: &mut dyn Town = &mut canton;
        town.somebody(Role::EnrolledApp)
    };
    let browser = Curl::new(SCHOOL);
    let sign_in = browser.opens(&format!("http://127.0.0.1:{own}/login"), &[]);
    let seen = format!("{} {} {}", sign_in.url, sign_in.body, node.said());
    assert!(sign_in.url.starts_with(&provider.origin), "{seen}");
    let typed = [
        ("username", person.username.as_str()),
        ("password", &person.password),
    ];
    let asked = browser.fills(&sign_in, &typed);
    assert!(asked.body.contains("Choir (127.0.0.1)"), "{}", asked.body);
    let page = browser.fills(&asked, &[("action", "allow")]);
    assert_eq!(page.status, 200, "{} {}", page.body, node.said());
    let said: Value = serde_json::from_str(&page.body).unwrap();
    assert_eq!(
        said,
        json!({
            "scope": "openid profile", "name": "Chloé Zufferey", "email": null, "renewed": true,
            "looked": true, "gone": 204, "again": 401, "refused": 401, "token": 401,
        })
    );
}
