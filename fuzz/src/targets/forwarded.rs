//! What the gate is asked: one reading of the address, and no header of a client among its own.

use std::sync::LazyLock;

use serde_json::json;
use url::Url;
use wire::gate::{Forwarded, IDENTITY, Site};

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "forwarded",
    bytes_max: 6 * 1024,
    dictionary: "headers",
    seeds,
    accepts,
};

static SITE: LazyLock<Option<Site>> = LazyLock::new(|| {
    let site = json!({
        "id": "wiki", "name": { "fr": "W", "de": "W", "en": "W" },
        "origins": ["https://wiki.example.ch"],
        "rule": [{ "path": "/admin/", "minimum": "strong" }, { "path": "/" }],
    });
    serde_json::from_value(site).ok()
});

/// The input is headers, a line each, as the server hands them on: names in small letters.
fn accepts(input: &[u8]) -> bool {
    let lines = input.split(|byte| *byte == b'\n');
    let headers: Vec<(String, &[u8])> = lines
        .filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let (name, value) = line.split_at_checked(colon)?;
            let name = std::str::from_utf8(name).ok()?.to_ascii_lowercase();
            Some((name, value.get(1..).unwrap_or_default().trim_ascii()))
        })
        .collect();
    let all = || headers.iter().map(|(name, value)| (name.as_str(), *value));
    let origin = Forwarded::read_origin(all());
    let Ok(read) = Forwarded::read(all()) else {
        return false;
    };
    assert!(origin.is_ok_and(|origin| origin.origin == read.origin));
    for (name, value) in all() {
        let plain: String = name.chars().map(as_programs_read).collect();
        assert!(
            value.is_empty() || !IDENTITY.contains(&plain.as_str()),
            "{name}"
        );
    }
    holds(&read);
    let own = SITE.as_ref().filter(|site| site.is_at(&read.origin));
    if let Some(rule) = own.and_then(|site| site.rule(&read.path)) {
        let small = read.path.to_ascii_lowercase();
        let inside = small == "/admin" || small.starts_with("/admin/");
        assert_eq!(rule.path == "/admin/", inside, "{}", read.path);
    }
    true
}

fn as_programs_read(letter: char) -> char {
    if letter.is_ascii_alphanumeric() {
        letter
    } else {
        '-'
    }
}

fn holds(read: &Forwarded) {
    let url = Url::parse(&read.origin);
    assert!(url.is_ok_and(|url| url.origin().ascii_serialization() == read.origin));
    assert!(read.uri.starts_with('/') && read.uri.bytes().all(|byte| byte.is_ascii_graphic()));
    let path = &read.path;
    assert!(path.starts_with('/') && !path.contains("//") && !path.contains(['\\', ';']));
    assert!(
        !path.split('/').any(|part| matches!(part, "." | "..")),
        "{path}"
    );
    assert!(!path.contains(char::is_control));
    // A browser that is sent there asks for the same path.
    let whole = Url::parse(&format!("{}{}", read.origin, read.uri));
    let mut same = whole.iter().map(|url| url.origin().ascii_serialization());
    assert!(same.any(|origin| origin == read.origin), "{}", read.uri);
    let (proto, host) = read.origin.split_once("://").unwrap_or_default();
    let again = [
        ("x-forwarded-proto", proto),
        ("x-forwarded-host", host),
        ("x-forwarded-uri", &read.uri),
        ("x-forwarded-method", &read.method),
    ];
    let again = Forwarded::read(
        again
            .into_iter()
            .map(|(name, value)| (name, value.as_bytes())),
    );
    assert_eq!(again.as_ref(), Ok(read));
    assert_eq!(read.at(&read.uri).as_ref(), Ok(read));
}

fn seeds() -> Vec<Vec<u8>> {
    let whole = |host: &str, uri: &str, more: &str| {
        format!(
            "X-Forwarded-Proto: https\nX-Forwarded-Host: {host}\nX-Forwarded-Uri: {uri}\n\
             X-Forwarded-Method: POST\nCookie: a=b\n{more}"
        )
        .into_bytes()
    };
    vec![
        whole("wiki.example.ch", "/Admin/a%20b?x=/../", ""),
        whole("wiki.example.ch", "/admin/a%20b+c?x=/../", "Remote-User:\n"),
        whole("wiki.example.ch:8443", "/", "Remote_User: anna\n"),
        whole("[2001:db8::7]:1", "/%61dmin/", "X-Real-IP: 203.0.113.7\n"),
    ]
}
