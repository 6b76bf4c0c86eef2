//! Whose word counts about a certificate.

use http::HeaderValue;
use rcgen::generate_simple_self_signed;
use wire::certificate::Chain;

use super::*;

fn certificate() -> (HeldCertificate, String) {
    let made = generate_simple_self_signed(vec!["sync.example".to_owned()]).unwrap();
    let field = format!(":{}:", data_encoding::BASE64.encode(made.cert.der()));
    let chain = Chain::of(&[made.cert.der().clone()]).unwrap();
    (HeldCertificate(chain), field)
}

fn headers(certificates: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for one in certificates {
        headers.append(CLIENT_CERT, HeaderValue::from_str(one).unwrap());
    }
    headers
}

fn seen(
    peer: &str,
    headers: &HeaderMap,
    held: Option<&HeldCertificate>,
    (forwarding, certificates): (Forwarding, bool),
) -> Option<String> {
    let believed = Believed {
        certificates,
        forwarding,
        trusted: &["192.0.2.1/32".parse().unwrap()],
    };
    let shown = client_certificate(peer.parse().unwrap(), headers, held, believed);
    shown.map(|held| held.chain().thumbprint())
}

const PROXY: &str = "192.0.2.1";
const STRANGER: &str = "203.0.113.20";
const ON: (Forwarding, bool) = (Forwarding::XForwardedFor, true);

/// [N01] The header of a stranger is nothing, and neither is that of a proxy that was not to send it.
#[test]
fn only_a_listed_proxy_passes_certificates_on() {
    let (theirs, field) = certificate();
    let said = headers(&[&field]);
    let thumbprint = Some(theirs.chain().thumbprint());
    assert_eq!(seen(PROXY, &said, None, ON), thumbprint);
    assert_eq!(seen("::ffff:192.0.2.1", &said, None, ON), thumbprint);
    assert_eq!(seen(STRANGER, &said, None, ON), None);
    for how in [
        (Forwarding::XForwardedFor, false),
        (Forwarding::Forwarded, false),
        (Forwarding::ProxyProtocol, true),
        (Forwarding::None, true),
    ] {
        assert_eq!(seen(PROXY, &said, None, how), None, "{how:?}");
    }
}

/// [N01] What a client sends through a proxy that forgets to replace it makes two, and two are none.
#[test]
fn of_two_certificates_none_is_believed() {
    let ((_, one), (_, two)) = (certificate(), certificate());
    assert_eq!(seen(PROXY, &headers(&[&one, &two]), None, ON), None);
    assert_eq!(seen(PROXY, &headers(&[&one, &one]), None, ON), None);
    let joined = format!("{one}, {two}");
    for bad in [joined.as_str(), "", "::", "no", one.trim_matches(':')] {
        assert_eq!(seen(PROXY, &headers(&[bad]), None, ON), None, "{bad}");
    }
    let mut chained = headers(&[&one]);
    chained.append(CLIENT_CERT_CHAIN, HeaderValue::from_static("no"));
    assert_eq!(seen(PROXY, &chained, None, ON), None);
}

/// A connection between a proxy and us is the proxy's, and its certificate is not that of an application.
#[test]
fn the_certificate_of_a_proxy_is_nobodys() {
    let ((proxys, _), (theirs, field)) = (certificate(), certificate());
    assert_eq!(seen(PROXY, &headers(&[]), Some(&proxys), ON), None);
    let off = (Forwarding::XForwardedFor, false);
    assert_eq!(seen(PROXY, &headers(&[&field]), Some(&proxys), off), None);
    let thumbprint = Some(theirs.chain().thumbprint());
    let said = headers(&[&field]);
    assert_eq!(seen(PROXY, &said, Some(&proxys), ON), thumbprint);
    // A stranger's connection counts, and nothing that comes over it.
    let own = Some(proxys.chain().thumbprint());
    assert_eq!(seen(STRANGER, &said, Some(&proxys), ON), own);
    // Passed through with the PROXY protocol, the address may even be a proxy's.
    let passed = (Forwarding::ProxyProtocol, false);
    assert_eq!(seen(PROXY, &said, Some(&proxys), passed), own);
}
