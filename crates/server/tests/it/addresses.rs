//! Where a request comes from: what is believed, and what is not.

use testkit::memory::Canton;
use testkit::{Attempt, Language};

use crate::application::at;

const PROXY: [u8; 4] = [127, 0, 0, 1];
const SCHOOL: [u8; 4] = [192, 0, 2, 20];
const STRANGER: [u8; 4] = [203, 0, 113, 66];

/// The page of name and password says on which network one is.
fn is_inside(canton: &Canton, peer: [u8; 4], headers: &[(&str, &str)]) -> bool {
    let mut attempt = Attempt::get(&at("/login")).header("accept-language", "fr");
    for (name, value) in headers {
        attempt = attempt.header(name, value);
    }
    let answer = canton.calls(peer, attempt);
    assert_eq!(answer.status, 200, "{headers:?}");
    answer.body.contains("Centre scolaire")
}

/// [N01] The address is the socket's; headers count from the listed proxy only, and from the right.
#[test]
fn only_the_listed_proxy_is_believed() {
    let canton = Canton::new(Language::French);
    let school = "192.0.2.20";
    assert!(is_inside(&canton, SCHOOL, &[]));
    assert!(is_inside(&canton, PROXY, &[("x-forwarded-for", school)]));
    assert!(is_inside(
        &canton,
        PROXY,
        &[("x-forwarded-for", "203.0.113.66, 192.0.2.20")]
    ));

    assert!(!is_inside(
        &canton,
        STRANGER,
        &[("x-forwarded-for", school)]
    ));
    assert!(!is_inside(
        &canton,
        PROXY,
        &[("x-forwarded-for", "192.0.2.20, 203.0.113.66")]
    ));
    assert!(!is_inside(
        &canton,
        PROXY,
        &[
            ("x-forwarded-for", school),
            ("x-forwarded-for", "203.0.113.66")
        ]
    ));
    // A proxy that says nothing speaks for nobody.
    assert!(!is_inside(&canton, PROXY, &[]));
}

/// [N02] What cannot be read is public, whoever sends it.
#[test]
fn an_unreadable_address_is_public() {
    let canton = Canton::new(Language::French);
    for value in [
        "",
        " ",
        ",",
        "unknown",
        "_hidden",
        "192.0.2.20,",
        "192.0.2.20:443",
        "192.0.2.020",
        "192.0.2",
        "3221226004",
        "0xc0.0.2.20",
        "192.0.2.20%eth0",
        "[192.0.2.20]",
        "\"192.0.2.20\"",
        "for=192.0.2.20",
        "64:ff9b::192.0.2.20",
        "2002:c000:0214::1",
        "::192.0.2.20",
    ] {
        assert!(
            !is_inside(&canton, PROXY, &[("x-forwarded-for", value)]),
            "{value}"
        );
    }
    // The one form that means the same address.
    assert!(is_inside(
        &canton,
        PROXY,
        &[("x-forwarded-for", "::ffff:192.0.2.20")]
    ));
}

/// [N08] Only the one configured mechanism exists.
#[test]
fn other_headers_do_not_exist() {
    let canton = Canton::new(Language::French);
    for name in [
        "forwarded",
        "x-real-ip",
        "x_forwarded_for",
        "x-forwarded-for-original",
        "x-client-ip",
        "true-client-ip",
        "cf-connecting-ip",
        "x-demo-place",
    ] {
        for value in ["192.0.2.20", "for=192.0.2.20", "school"] {
            assert!(
                !is_inside(&canton, PROXY, &[(name, value)]),
                "{name}: {value}"
            );
            assert!(
                !is_inside(&canton, STRANGER, &[(name, value)]),
                "{name}: {value}"
            );
        }
    }
    let away = [
        ("x-forwarded-for", "203.0.113.66"),
        ("connection", "x-forwarded-for"),
    ];
    assert!(!is_inside(&canton, PROXY, &away));
}

/// [S11] Links, issuer and redirects come from the configured address, never from the request.
#[test]
fn the_public_address_is_configured_not_asked() {
    let canton = Canton::new(Language::French);
    let lies = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-port", "444"),
        ("forwarded", "host=evil.example;proto=https"),
        ("x-original-url", "/evil"),
        ("x-rewrite-url", "/evil"),
    ];
    for (name, value) in lies {
        for path in [
            "/.well-known/openid-configuration",
            "/login",
            "/activate",
            "/account",
            "/",
        ] {
            let mut attempt = Attempt::get(&at(path)).header("x-forwarded-for", "203.0.113.66");
            attempt = attempt.header(name, value);
            let answer = canton.calls(PROXY, attempt);
            assert!(!answer.body.contains("evil"), "{name} on {path}");
            assert!(
                !format!("{:?}", answer.headers).contains("evil"),
                "{name} on {path}"
            );
            assert!(!answer.body.contains(":444"), "{name} on {path}");
        }
    }
}
