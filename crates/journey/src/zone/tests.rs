//! The table of addresses that are inside and, mostly, are not.

use super::*;

const ZONES: &str = r#"
[[zone]]
id = "state"
kind = "state"
name = { fr = "État", de = "Staat", en = "State" }
networks = ["10.0.0.0/8", "192.0.2.0/24", "2001:db8:1::/48"]
owner = "SCI"
review_by = "2027-08-01"
second_factor = "not-asked"
enrolment = "refused"

[[zone]]
id = "school-guests"
kind = "other"
name = { fr = "Visiteurs", de = "Gäste", en = "Guests" }
networks = ["10.20.0.0/16"]
no_ipv6 = true
owner = "SCI"
review_by = "2027-08-01"
second_factor = "asked"
enrolment = "allowed"
"#;

fn zone_with(network: &str) -> String {
    ZONES.replace("192.0.2.0/24", network)
}

fn at(address: &str) -> String {
    Zones::parse(ZONES)
        .unwrap()
        .locate(address.parse().ok())
        .id()
        .to_owned()
}

/// [N03] IPv4-mapped addresses are canonicalised; transition space is never inside.
/// [N02] What cannot be read is public.
#[test]
fn only_listed_addresses_are_inside() {
    for inside in [
        "10.0.0.1",
        "10.255.255.255",
        "192.0.2.9",
        "::ffff:10.1.2.3",
        "2001:db8:1::9",
        "::ffff:192.0.2.255",
        "2001:db8:1:ffff:ffff:ffff:ffff:ffff",
    ] {
        assert_eq!(at(inside), "state", "{inside}");
    }
    for outside in [
        "9.255.255.255",
        "11.0.0.0",
        "192.0.3.0",
        "2001:db8:2::1",
        "::10.1.2.3",
        "::1",
        "64:ff9b::10.1.2.3",
        "64:ff9b:1::a01:203",
        "2002:a01:203::1",
        "2001:0:a01:203::1",
        "2001:db8:1::5efe:a01:203",
        "2001:db8:1::200:5efe:a01:203",
        "::ffff:0:10.1.2.3",
        "010.1.2.3",
        "10.1.2",
        "10.1.2.3:80",
        "10.1.2.3 ",
        " 10.1.2.3",
        "[2001:db8:1::9]",
        "2001:db8:1::9%eth0",
        "0x0a010203",
        "167838211",
        "10.1.2.3/32",
        "",
        "a",
        "unknown",
        "_x",
        "127.0.0.1",
        "0.0.0.0",
        "::",
        "255.255.255.255",
        "fe80::1",
        "ff02::1",
        "10.1.2.256",
        "１０.1.2.3",
        "10,1.2.3",
        "2001:db8:1:::9",
        "\u{0}",
        "localhost",
        "::ffff:10.1.2",
        "1e1.0.0.1",
    ] {
        assert_eq!(at(outside), "public", "{outside}");
    }
}

#[test]
fn the_longest_prefix_decides() {
    assert_eq!(at("10.20.0.1"), "school-guests");
    assert_eq!(at("10.21.0.1"), "state");
}

/// [N03] Host bits, mapped prefixes, `/0` and transition space are refused at start.
#[test]
fn a_network_that_says_more_than_it_means_is_refused() {
    for (network, word) in [
        ("10.1.2.3/8", "bits set"),
        ("0.0.0.0/0", "too wide"),
        ("::/0", "transition"),
        ("2000::/3", "transition"),
        ("2a00::/16", "too wide"),
        ("::ffff:10.0.0.0/104", "transition"),
        ("2002:a00::/24", "transition"),
        ("64:ff9b::/96", "transition"),
        ("2001::/32", "transition"),
        ("10.0.0.0", "no network"),
        ("fe80::1%eth0/64", "no network"),
        ("", "no network"),
        ("10.0.0.0/33", "no network"),
        ("10.20.0.0/16", "both list"),
    ] {
        let error = Zones::parse(&zone_with(network)).unwrap_err().to_string();
        assert!(error.contains(word), "{network}: {error}");
    }
}

/// [N04] Both families are listed, or the file says that there is no IPv6.
#[test]
fn a_site_without_ipv6_says_so() {
    let text = ZONES.replace("no_ipv6 = true", "");
    let error = Zones::parse(&text).unwrap_err().to_string();
    assert!(error.contains("no_ipv6 = true"), "{error}");
}

#[test]
fn an_unknown_key_or_a_second_zone_of_one_name_is_refused() {
    assert!(Zones::parse(&ZONES.replace("owner", "ownr")).is_err());
    assert!(Zones::parse(&ZONES.replace("school-guests", "state")).is_err());
    assert!(Zones::parse(&ZONES.replace("\"state\"\nkind", "\"public\"\nkind")).is_err());
}

/// [N02] Whatever bytes arrive, the answer is a place, and it is public.
#[test]
fn random_text_is_never_inside() {
    let mut seed = 0x9e37_79b9_u64;
    for _ in 0..20_000 {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let alphabet = b"0123456789abcdef:.[]%/ ,x\0";
        let text: String = (0..(seed >> 60))
            .map(|i| {
                let at = (seed >> (i * 3)) as usize % alphabet.len();
                alphabet[at] as char
            })
            .collect();
        let address: Option<IpAddr> = text.parse().ok();
        let canonical = address.map(|address| address.to_canonical());
        let listed = canonical.is_some_and(|address| match address {
            IpAddr::V4(v4) => v4.octets()[0] == 10 || v4.octets()[..3] == [192, 0, 2],
            IpAddr::V6(v6) => v6.segments()[..3] == [0x2001, 0xdb8, 1],
        });
        assert!(listed || at(&text) == "public", "{text}");
    }
}

/// [N01] Who is believed as a proxy is one host or a small network, and can be met at all.
#[test]
fn a_proxy_is_one_host_or_a_small_network() {
    let small = |text: &str| is_small(&text.parse().unwrap());
    assert!(small("192.0.2.1/32") && small("192.0.2.0/24") && small("2001:db8::/64"));
    assert!(!small("192.0.0.0/16") && !small("2001:db8::/48") && !small("192.0.2.1/24"));
    assert!(!small("::ffff:192.0.2.0/120"));
}
