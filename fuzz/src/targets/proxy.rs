//! Addresses that proxies tell: only a listed proxy is believed, and only as far as listed ones go.

use std::net::IpAddr;
use std::sync::LazyLock;

use http::{HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;

use super::{Target, choice, seed};
use crate::visitor::{self, Forwarding, client_address};

pub(super) const TARGET: Target = Target {
    name: "proxy",
    bytes_max: 2048,
    dictionary: "headers",
    seeds,
    accepts,
};

static TRUSTED: LazyLock<Vec<IpNet>> = LazyLock::new(|| {
    let nets = ["10.0.0.0/24", "2001:db8:1::/64"];
    nets.iter().filter_map(|net| net.parse().ok()).collect()
});

/// Whom nobody lists.
const STRANGER: &str = "203.0.113.9";
/// Who is listed.
const PROXY: &str = "10.0.0.1";

/// The first byte chooses the mechanism; the rest is the values of its header, a line each.
fn accepts(input: &[u8]) -> bool {
    let Some((chosen, rest)) = choice(input) else {
        return false;
    };
    let (forwarding, name) = match chosen % 2 {
        0 => (Forwarding::XForwardedFor, "x-forwarded-for"),
        _ => (Forwarding::Forwarded, "forwarded"),
    };
    let lines = rest.split(|byte| *byte == b'\n');
    let values: Vec<HeaderValue> = lines
        .filter_map(|line| HeaderValue::from_bytes(line).ok())
        .collect();
    let headers = as_headers(name, values.clone());
    let address = |text: &str| text.parse::<IpAddr>().ok();
    let Some((stranger, proxy)) = address(STRANGER).zip(address(PROXY)) else {
        return false;
    };
    for unasked in [Forwarding::None, Forwarding::ProxyProtocol, forwarding] {
        let told = client_address(stranger, &headers, unasked, &TRUSTED);
        assert_eq!(told, Some(stranger), "a stranger is believed");
    }
    assert_eq!(
        visitor::claims_to_be_forwarded(&headers),
        !headers.is_empty()
    );
    let told = client_address(proxy, &headers, forwarding, &TRUSTED);
    let Some(client) = told else { return false };
    assert!(!TRUSTED.iter().any(|net| net.contains(&client)));
    assert_eq!(client, client.to_canonical());
    // What a client puts in front of what proxies say changes nothing.
    for lie in ["198.51.100.7", "for=198.51.100.7", "junk", "10.0.0.2"] {
        let lie = HeaderValue::from_static(lie);
        let longer = as_headers(name, [vec![lie], values.clone()].concat());
        assert_eq!(client_address(proxy, &longer, forwarding, &TRUSTED), told);
    }
    true
}

fn as_headers(name: &'static str, values: Vec<HeaderValue>) -> HeaderMap {
    let name = HeaderName::from_static(name);
    values
        .into_iter()
        .map(|value| (name.clone(), value))
        .collect()
}

fn seeds() -> Vec<Vec<u8>> {
    vec![
        seed(0, "203.0.113.7, 10.0.0.2\n10.0.0.3"),
        seed(0, "junk, 2001:db8::7 ,2001:db8:1::2"),
        seed(0, "::ffff:203.0.113.7"),
        seed(
            1,
            "for=203.0.113.7;proto=https, for=\"[2001:db8:1::2]:47011\"",
        ),
        seed(1, "by=x; For=\"203.0.113.7:80\""),
    ]
}
