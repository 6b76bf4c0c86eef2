//! OpenID Connect with a client that nobody here wrote: Apache's mod_auth_openidc, configured by the
//! snippets of `docs/applications/mod-auth-openidc.md`.

use data_encoding::HEXLOWER;
use testkit::memory::Canton;
use testkit::{Role, Town};
use url::form_urlencoded::byte_serialize;

use crate::{
    apache::{Apache, Place},
    cas_client::canton_of_today,
    programs::{Curl, SCHOOL, Serving, free_port, snippet},
    registered::registers,
};

const PAGE: &str = include_str!("../../../../docs/applications/mod-auth-openidc.md");
const SECRET: &str = "b3BlbmlkIGNvbm5lY3Qgd2l0aCBhIHJlYWwgY2xpZW50";

struct Stage {
    apache: Apache,
    application: String,
    canton: Canton,
    provider: Serving,
}

/// An Apache whose answers repeat what it knows of a person.
fn stage() -> Stage {
    let canton = canton_of_today();
    let place = Place::new();
    let application = place.origin();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, SECRET.as_bytes());
    let registration = snippet(
        PAGE,
        "toml",
        &[
            ("https://portal.example.ch", &application),
            (
                "3f0a3c1d9e52b47a86c1d0f4e9a7b3c25d8e6f1029384756aabbccddeeff0011",
                &HEXLOWER.encode(digest.as_ref()),
            ),
        ],
    );
    registers(&canton, &registration);
    let provider = Serving::start(&canton, free_port());
    let site = snippet(
        PAGE,
        "apache",
        &[
            ("https://id.example.ch", &provider.origin),
            ("https://portal.example.ch", &application),
            ("the-secret", SECRET),
        ],
    );
    for name in ["protected/page", "api/page", "bye"] {
        place.page(name, &format!("the page {name}"));
    }
    let told = [
        ("X-OIDC_CLAIM_name", "OIDC_CLAIM_name"),
        ("X-OIDC_CLAIM_acr", "OIDC_CLAIM_acr"),
        ("X-OIDC_access_token", "OIDC_access_token"),
    ];
    Stage {
        apache: place.starts("auth_openidc", &site, &told),
        application,
        canton,
        provider,
    }
}

/// The value of a header that the page repeats.
fn header<'a>(answer: &'a str, name: &str) -> &'a str {
    let start = format!("{}:", name.to_ascii_lowercase());
    let line = answer
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with(&start));
    line.and_then(|line| line.split_once(':'))
        .map_or("", |(_, value)| value.trim())
}

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

/// [C06] Signs in, is known by name with accents; renews; calls an interface, which asks what the token is
/// worth; signs out, and the token is worth nothing there.
#[test]
fn mod_auth_openidc_signs_in_renews_asks_and_signs_out() {
    let mut stage = stage();
    let person = {
        let town: &mut dyn Town = &mut stage.canton;
        town.somebody(Role::EnrolledApp)
    };
    let browser = Curl::new(SCHOOL);
    let page = format!("{}/protected/page", stage.application);
    let sign_in = browser.opens(&page, &[]);
    let at_provider = sign_in.url.starts_with(&stage.provider.origin);
    assert!(at_provider, "{} {}", sign_in.url, stage.apache.said());
    let typed = [
        ("username", person.username.as_str()),
        ("password", &person.password),
    ];
    let there = browser.fills(&sign_in, &typed);
    let log = stage.apache.said();
    assert_eq!(there.body.trim(), "the page protected/page", "{log}");

    let told = browser.sees_headers(&page);
    assert_eq!(header(&told, "X-Remote-User"), "chloe.zufferey", "{told}");
    assert_eq!(header(&told, "X-OIDC_CLAIM_name"), "Chloé Zufferey");
    let acr = header(&told, "X-OIDC_CLAIM_acr");
    assert_eq!(acr, "https://refeds.org/profile/sfa");
    let first = header(&told, "X-OIDC_access_token").to_owned();

    let api = format!("{}/api/page", stage.application);
    let calls = |token: &str| {
        let bearer = format!("Authorization: Bearer {token}");
        Curl::new(SCHOOL).asks(&api, &[&bearer]).status
    };
    assert_eq!(calls(&first), 200, "{}", stage.apache.said());
    assert_eq!(calls("made-up"), 401);

    let to = |what: &str| format!("{}/protected/redirect?{what}", stage.application);
    let (encoded_page, encoded_first) = (encoded(&page), encoded(&first));
    let renewing = format!("refresh={encoded_page}&access_token={encoded_first}");
    let renewed = browser.opens(&to(&renewing), &[]);
    assert_eq!(renewed.body.trim(), "the page protected/page");
    let told = browser.sees_headers(&page);
    let second = header(&told, "X-OIDC_access_token").to_owned();
    assert_ne!(first, second, "{}", stage.apache.said());
    assert_eq!(calls(&second), 200);

    let bye = format!("{}/bye", stage.application);
    let out = browser.opens(&to(&format!("logout={}", encoded(&bye))), &[]);
    assert_eq!(out.body.trim(), "the page bye", "{}", stage.apache.said());
    for gone in [&first, &second] {
        assert_eq!(calls(gone), 401, "worth something after the sign-out");
    }
    let again = browser.opens(&page, &[]);
    assert!(again.body.contains("name=\"password\""), "{}", again.url);
    let told = stage.canton.audit();
    for what in ["token-renewed", "token-revoked", "signed-out"] {
        assert!(
            told.iter().any(|entry| entry.happened.contains(what)),
            "{what}"
        );
    }
}
