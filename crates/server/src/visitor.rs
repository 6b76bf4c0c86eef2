//! Who calls: the client's address, as decided from the socket's peer and from proxies we trust.
//!
//! The address is the socket's peer. A header counts only if that peer is a listed proxy, only the
//! one configured mechanism counts, and it is walked from the right to the first hop that is no
//! listed proxy. Whatever cannot be read means *unknown*, and unknown is public.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use ipnet::IpNet;
use serde::Deserialize;

/// How a trusted proxy tells whom it speaks for. Exactly one is configured.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Forwarding {
    /// `Forwarded: for=…` [RFC 7239].
    Forwarded,
    /// No proxy: the peer is the client.
    #[default]
    None,
    /// PROXY protocol, version 1 or 2: the listener has replaced the peer already.
    ProxyProtocol,
    /// `X-Forwarded-For`.
    XForwardedFor,
}

/// The socket's peer, put into each request by the listener.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// More hops than this are no network but an attack.
const HOPS_MAX: usize = 16;

/// The client's address, or none if it cannot be known.
#[must_use]
pub fn client_address(
    peer: IpAddr,
    headers: &HeaderMap,
    forwarding: Forwarding,
    trusted: &[IpNet],
) -> Option<IpAddr> {
    let peer = peer.to_canonical();
    let is_trusted = |address: IpAddr| trusted.iter().any(|net| net.contains(&address));
    let hops = match forwarding {
        Forwarding::None | Forwarding::ProxyProtocol => return Some(peer),
        _ if !is_trusted(peer) => return Some(peer),
        Forwarding::XForwardedFor => joined(headers, "x-forwarded-for")?,
        Forwarding::Forwarded => joined(headers, "forwarded")?,
    };
    let parse = match forwarding {
        Forwarding::Forwarded => forwarded_for,
        _ => plain,
    };
    for hop in hops.rsplit(',').take(HOPS_MAX) {
        let address = parse(hop.trim())?.to_canonical();
        if !is_trusted(address) {
            return Some(address);
        }
    }
    // Every hop is one of our own proxies: nobody is behind them, or the list is wrong.
    None
}

/// Whether a request that is not from a trusted proxy carries a header that only such may send.
#[must_use]
pub fn claims_to_be_forwarded(headers: &HeaderMap) -> bool {
    ["forwarded", "x-forwarded-for", "x-real-ip"]
        .iter()
        .any(|name| headers.contains_key(*name))
}

/// All instances of a header as one list, as if a proxy had joined them.
pub(crate) fn joined(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut all = Vec::new();
    for value in headers.get_all(name) {
        all.push(value.to_str().ok()?);
    }
    (!all.is_empty()).then(|| all.join(","))
}

fn plain(hop: &str) -> Option<IpAddr> {
    hop.parse().ok()
}

/// The `for` of one element, such as `for="[2001:db8::1]:47011";proto=https`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut found = None;
    for pair in element.split(';') {
        let (name, value) = pair.split_once('=')?;
        if name.trim().eq_ignore_ascii_case("for") {
            if found.is_some() {
                return None;
            }
            found = Some(value.trim());
        }
    }
    let value = found?;
    let value = value
        .strip_prefix('"')
        .map_or(Some(value), |rest| rest.strip_suffix('"'))?;
    if let Some(rest) = value.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        let fine = port.is_empty() || port.strip_prefix(':')?.parse::<u16>().is_ok();
        let address: IpAddr = address.parse().ok()?;
        return (fine && address.is_ipv6()).then_some(address);
    }
    match value.parse::<SocketAddr>() {
        Ok(socket) => Some(socket.ip()),
        Err(_) => value.parse::<IpAddr>().ok().filter(IpAddr::is_ipv4),
    }
}

#[cfg(test)]
mod tests;
