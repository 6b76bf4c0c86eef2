//! CAS with a client that nobody here wrote: Apache's mod_auth_cas, configured by the snippet of
//! `docs/applications/cas.md`.

use journey::Timestamp;
use server::{RealWorld, World};
use store::ResourceKind;
use testkit::memory::Canton;
use testkit::{Language, Role, Town};

use crate::{
    apache::{Apache, Place},
    programs::{Curl, SCHOOL, Serving, ZONE, free_port, snippet},
    registered::{changes, registers},
};

const PAGE: &str = include_str!("../../../../docs/applications/cas.md");

/// A canton whose clock shows what everybody's does.
pub(crate) fn canton_of_today() -> Canton {
    let canton = Canton::new(Language::French);
    let Timestamp(now) = World::now(&RealWorld);
    canton.toy().passes(now - canton.toy().now());
    changes(&canton, ResourceKind::Zones, |text| format!("{text}{ZONE}"));
    canton
}

struct Stage {
    apache: Apache,
    application: String,
    canton: Canton,
    provider: Serving,
}

/// An Apache whose pages below `/protected` need a sign-in. It answers with what it knows of a person.
fn stage(validate: &str, saml: &str) -> Stage {
    let canton = canton_of_today();
    let place = Place::new();
    let application = place.origin();
    let registration = snippet(
        PAGE,
        "toml",
        &[("https://moodle.example.ch/", &format!("{application}/"))],
    );
    registers(&canton, &registration);
    let provider = Serving::start(&canton, free_port());
    let protected = snippet(
        PAGE,
        "apache",
        &[
            ("https://id.example.ch", &provider.origin),
            ("/cas/p3/serviceValidate", validate),
            (
                "/var/cache/apache2/mod_auth_cas/",
                &place.folder("sessions"),
            ),
        ],
    );
    place.page("protected/page", "the page");
    let told = ["CAS-displayName", "CAS-groups", "CAS-authnContextClass"];
    let site = format!("{protected}\n{saml}");
    Stage {
        apache: place.starts("auth_cas", &site, &told.map(|name| (name, name))),
        application,
        canton,
        provider,
    }
}

/// Signs in, is known by name with accents, and is known no more after the sign-out.
#[test]
fn mod_auth_cas_signs_somebody_in_and_out() {
    for (validate, saml) in [
        ("/cas/p3/serviceValidate", ""),
        ("/cas/samlValidate", "CASValidateSAML On"),
    ] {
        let mut stage = stage(validate, saml);
        let person = {
            let town: &mut dyn Town = &mut stage.canton;
            town.somebody(Role::EnrolledApp)
        };
        let browser = Curl::new(SCHOOL);
        let page = format!("{}/protected/page?a=b%20c", stage.application);
        let sign_in = browser.opens(&page, &[]);
        assert!(
            sign_in.url.starts_with(&stage.provider.origin),
            "{}",
            sign_in.url
        );
        let typed = [
            ("username", person.username.as_str()),
            ("password", &person.password),
        ];
        let there = browser.fills(&sign_in, &typed);
        let log = stage.apache.said();
        assert_eq!(
            (there.status, there.body.trim()),
            (200, "the page"),
            "{log}"
        );
        let told = browser.sees_headers(&page);
        for part in [
            "X-Remote-User: chloe.zufferey",
            "CAS-displayName: Chloé Zufferey",
            "CAS-groups: teacher",
            "CAS-authnContextClass: https://refeds.org/profile/sfa",
        ] {
            assert!(told.contains(part), "{part} is not in {told}\n{log}");
        }
        let question = browser.opens(&format!("{}/cas/logout", stage.provider.origin), &[]);
        let out = browser.fills(&question, &[]);
        assert_eq!(out.status, 200, "{}", out.body);
        stage.provider.delivers();
        let again = browser.opens(&page, &[]);
        assert!(
            again.url.starts_with(&stage.provider.origin),
            "asked again: {}",
            again.url
        );
        assert!(again.body.contains("name=\"password\""));
    }
}
