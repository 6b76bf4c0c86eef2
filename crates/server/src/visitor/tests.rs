//! What a stranger sends in headers never moves him inside.

use http::{HeaderName, HeaderValue};

use super::*;

fn proxies() -> Vec<IpNet> {
    ["192.0.2.1/32", "2001:db8:f::/64"]
        .iter()
        .map(|net| net.parse().unwrap())
        .collect()
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_str(value).unwrap(),
        );
    }
    map
}

fn seen(peer: &str, forwarding: Forwarding, pairs: &[(&str, &str)]) -> Option<String> {
    client_address(
        peer.parse().unwrap(),
        &headers(pairs),
        forwarding,
        &proxies(),
    )
    .map(|a| a.to_string())
}

/// [N01] Without a listed proxy the peer is the client, whatever the headers say.
#[test]
fn headers_of_strangers_do_not_count() {
    let lies = [
        ("x-forwarded-for", "10.20.3.7"),
        ("forwarded", "for=10.20.3.7"),
        ("x-real-ip", "10.20.3.7"),
        ("true-client-ip", "10.20.3.7"),
        ("x_forwarded_for", "10.20.3.7"),
        ("connection", "x-forwarded-for"),
    ];
    for forwarding in [
        Forwarding::None,
        Forwarding::XForwardedFor,
        Forwarding::Forwarded,
        Forwarding::ProxyProtocol,
    ] {
        assert_eq!(
            seen("203.0.113.20", forwarding, &lies).as_deref(),
            Some("203.0.113.20")
        );
    }
}

/// [N01] From the right to the first hop that is no proxy of ours; what is left of it was written by
/// anybody.
#[test]
fn the_rightmost_untrusted_hop_is_the_client() {
    let from = |list: &str| {
        seen(
            "192.0.2.1",
            Forwarding::XForwardedFor,
            &[("x-forwarded-for", list)],
        )
    };
    assert_eq!(from("203.0.113.20").as_deref(), Some("203.0.113.20"));
    assert_eq!(
        from("10.20.3.7, 203.0.113.20").as_deref(),
        Some("203.0.113.20")
    );
    assert_eq!(
        from("10.20.3.7, 203.0.113.20, 2001:db8:f::7").as_deref(),
        Some("203.0.113.20")
    );
    assert_eq!(from("::ffff:203.0.113.20").as_deref(), Some("203.0.113.20"));
    let two = seen(
        "192.0.2.1",
        Forwarding::XForwardedFor,
        &[
            ("x-forwarded-for", "10.20.3.7"),
            ("x-forwarded-for", "203.0.113.20"),
        ],
    );
    assert_eq!(two.as_deref(), Some("203.0.113.20"));
    assert_eq!(
        seen(
            "::ffff:192.0.2.1",
            Forwarding::XForwardedFor,
            &[("x-forwarded-for", "203.0.113.9")]
        )
        .as_deref(),
        Some("203.0.113.9")
    );
}

/// [N02] What cannot be read is unknown, and unknown is public: never the peer, never inside.
#[test]
fn what_cannot_be_read_is_unknown() {
    for list in [
        "",
        "a",
        "unknown",
        "10.20.3.7,",
        "10.20.3.7:80",
        "[::1]",
        "10.20.3.7, x",
        "192.0.2.1",
        "fe80::1%eth0",
        "010.1.1.1",
    ] {
        assert_eq!(
            seen(
                "192.0.2.1",
                Forwarding::XForwardedFor,
                &[("x-forwarded-for", list)]
            ),
            None,
            "{list}"
        );
    }
    assert_eq!(seen("192.0.2.1", Forwarding::XForwardedFor, &[]), None);
    let endless = vec!["192.0.2.1"; 400].join(",");
    assert_eq!(
        seen(
            "192.0.2.1",
            Forwarding::XForwardedFor,
            &[("x-forwarded-for", &format!("10.0.0.1,{endless}"))]
        ),
        None
    );
}

/// [N01] Exactly one mechanism is configured: the other one is not even looked at.
/// [N08] Nor are headers that only look like it.
#[test]
fn the_other_mechanism_is_not_looked_at() {
    assert_eq!(
        seen(
            "192.0.2.1",
            Forwarding::XForwardedFor,
            &[("forwarded", "for=10.20.3.7")]
        ),
        None
    );
    assert_eq!(
        seen(
            "192.0.2.1",
            Forwarding::Forwarded,
            &[("x-forwarded-for", "10.20.3.7")]
        ),
        None
    );
    assert_eq!(
        seen(
            "192.0.2.1",
            Forwarding::XForwardedFor,
            &[("x_forwarded_for", "10.20.3.7")]
        ),
        None
    );
    let both = [
        ("x-forwarded-for", "203.0.113.20"),
        ("x_forwarded_for", "10.20.3.7"),
        ("connection", "x-forwarded-for"),
    ];
    assert_eq!(
        seen("192.0.2.1", Forwarding::XForwardedFor, &both).as_deref(),
        Some("203.0.113.20")
    );
}

#[test]
fn the_standard_header_is_read_in_all_its_forms() {
    let from = |value: &str| seen("192.0.2.1", Forwarding::Forwarded, &[("forwarded", value)]);
    assert_eq!(
        from("for=203.0.113.20;proto=https;by=192.0.2.1").as_deref(),
        Some("203.0.113.20")
    );
    assert_eq!(
        from("For=\"[2001:db8:cafe::17]:4711\"").as_deref(),
        Some("2001:db8:cafe::17")
    );
    assert_eq!(
        from("for=10.20.3.7, for=\"203.0.113.20:80\"").as_deref(),
        Some("203.0.113.20")
    );
    for bad in [
        "for=unknown",
        "for=_hidden",
        "for=2001:db8::1",
        "for=\"10.0.0.1",
        "proto=https",
        "for=10.0.0.1;for=203.0.113.1",
        "for=[10.0.0.1]",
        "for=\"[::1]x\"",
    ] {
        assert_eq!(from(bad), None, "{bad}");
    }
}

/// [N01] Whatever a client writes to the left of what our proxy appends, the answer is what the
/// proxy saw.
#[test]
fn nothing_written_to_the_left_matters() {
    let mut seed = 7_u64;
    for _ in 0..20_000 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let alphabet = b"0123456789.:abcdef, ;=\"[]x";
        let written: String = (0..(seed >> 59))
            .map(|i| alphabet[((seed >> (i * 2)) as usize) % alphabet.len()] as char)
            .collect();
        let list = format!("{written}, 203.0.113.20");
        assert_eq!(
            seen(
                "192.0.2.1",
                Forwarding::XForwardedFor,
                &[("x-forwarded-for", &list)]
            )
            .as_deref(),
            Some("203.0.113.20"),
            "{written}"
        );
    }
}
