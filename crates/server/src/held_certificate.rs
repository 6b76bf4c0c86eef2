//! The certificate that an application shows: from our own TLS, or from a proxy that speaks TLS for us.
//!
//! A [`HeldCertificate`] is proof that somebody at the other end has the key of a certificate. It is made from a
//! handshake that has ended well, or from the header of a listed proxy, and from nothing else.

use std::net::IpAddr;

use http::HeaderMap;
use ipnet::IpNet;
use rustls::ServerConnection;
use wire::certificate::Chain;

use crate::visitor::{Forwarding, joined};

/// The header in which a proxy passes on the certificate that it was shown [RFC 9440 §2.2].
const CLIENT_CERT: &str = "client-cert";
/// The header in which it passes on what leads to an authority [RFC 9440 §2.3].
const CLIENT_CERT_CHAIN: &str = "client-cert-chain";

/// A certificate of which the other end has the key. The listener puts it into the requests of its connection.
#[derive(Clone, Debug)]
pub(crate) struct HeldCertificate(Chain);

impl HeldCertificate {
    /// What the other end of a connection has shown. Its signature in the handshake was verified, or there would
    /// be no connection.
    // [RFC 8705 §2] "In order to utilize TLS for OAuth client authentication, the TLS connection between the client and the authorization server MUST have been established or re-established with mutual-TLS X.509 certificate authentication"
    pub(crate) fn of_handshake(connection: &ServerConnection) -> Option<Self> {
        Chain::of(connection.peer_certificates()?).map(Self)
    }

    /// What was shown.
    #[must_use]
    pub(crate) const fn chain(&self) -> &Chain {
        &self.0
    }
}

/// Which proxies are believed, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Believed<'a> {
    /// Whether they pass certificates on.
    pub(crate) certificates: bool,
    /// How they tell whom they speak for.
    pub(crate) forwarding: Forwarding,
    /// Which they are.
    pub(crate) trusted: &'a [IpNet],
}

/// The certificate of whoever sent a request. Between a listed proxy and us, the connection is the proxy's, and
/// so is its certificate: only what the proxy says counts then. From everybody else, only the connection does.
#[must_use]
pub(crate) fn client_certificate(
    peer: IpAddr,
    headers: &HeaderMap,
    held: Option<&HeldCertificate>,
    believed: Believed<'_>,
) -> Option<HeldCertificate> {
    let peer = peer.to_canonical();
    let listed = believed.trusted.iter().any(|net| net.contains(&peer));
    let speaks = matches!(
        believed.forwarding,
        Forwarding::Forwarded | Forwarding::XForwardedFor
    );
    match listed && speaks {
        true if believed.certificates => passed_on(headers),
        true => None,
        false => held.cloned(),
    }
}

/// What a believed proxy passes on. Of two certificates, none is believed.
fn passed_on(headers: &HeaderMap) -> Option<HeldCertificate> {
    let mut certificates = headers.get_all(CLIENT_CERT).iter();
    let one = certificates.next()?.to_str().ok()?;
    if certificates.next().is_some() {
        tracing::warn!("a proxy passes two certificates on: it must replace what a client sends");
        return None;
    }
    let chain = joined(headers, CLIENT_CERT_CHAIN);
    let chain: Vec<&str> = chain.iter().map(String::as_str).collect();
    Chain::of_headers(one, &chain).map(HeldCertificate)
}

#[cfg(test)]
mod tests;
