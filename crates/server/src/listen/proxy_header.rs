//! The header of the PROXY protocol, versions 1 and 2: a listed proxy says whom it speaks for.
//!
//! [PROXY protocol §2] The receiver "MUST not try to guess whether the protocol header is present or
//! not": whoever is listed sends one, and nobody else is asked. A proxy that speaks for itself, or for
//! somebody it does not know, speaks for [`UNKNOWN`], which is public wherever the proxy stands.

use std::{
    future::poll_fn,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    pin::Pin,
};

use tokio::io::{AsyncRead, ReadBuf};

/// In transition space, so no zone can ever list it.
pub(super) const UNKNOWN: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);

const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// The shortest line of version 1 is `PROXY UNKNOWN\r\n`; version 2 is longer.
const SHORTEST: usize = 15;
/// [PROXY protocol §2.1] "the worst case" is a line of 107 characters with its end.
const LINE_MAX: usize = 107;
/// Addresses and what some proxies tell beyond them.
const BODY_MAX: usize = 2048;

/// Reads the header and not one byte more: the client's address as the proxy says it.
///
/// # Errors
/// When there is no such header, or it is broken. The connection is of no use then.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<IpAddr> {
    let mut first = [0; SHORTEST];
    read_exact(stream, &mut first).await?;
    if first.starts_with(&SIGNATURE) {
        let [.., command, family, len_high] = first;
        let mut len_low = [0];
        read_exact(stream, &mut len_low).await?;
        let [len_low] = len_low;
        let mut body = vec![0; usize::from(u16::from_be_bytes([len_high, len_low]))];
        if body.len() > BODY_MAX {
            return Err(broken());
        }
        read_exact(stream, &mut body).await?;
        return version_2(command, family, &body).ok_or_else(broken);
    }
    let mut line = first.to_vec();
    // A line must not be read beyond its end: what follows belongs to TLS or HTTP.
    while !line.ends_with(b"\r\n") {
        if line.len() >= LINE_MAX || !line.starts_with(b"PROXY ") {
            return Err(broken());
        }
        let mut next = [0];
        read_exact(stream, &mut next).await?;
        line.extend(next);
    }
    version_1(&line).ok_or_else(broken)
}

fn version_1(line: &[u8]) -> Option<IpAddr> {
    let line = std::str::from_utf8(line.strip_suffix(b"\r\n")?).ok()?;
    let mut words = line.strip_prefix("PROXY ")?.split(' ');
    let family = words.next()?;
    if family == "UNKNOWN" {
        return Some(UNKNOWN);
    }
    let (source, target) = (words.next()?, words.next()?);
    for port in [words.next()?, words.next()?] {
        port.parse::<u16>().ok()?;
    }
    if words.next().is_some() {
        return None;
    }
    match family {
        "TCP4" => {
            target.parse::<Ipv4Addr>().ok()?;
            source.parse::<Ipv4Addr>().ok().map(IpAddr::V4)
        }
        "TCP6" => {
            target.parse::<Ipv6Addr>().ok()?;
            source.parse::<Ipv6Addr>().ok().map(|v6| v6.to_canonical())
        }
        _ => None,
    }
}

fn version_2(command: u8, family: u8, body: &[u8]) -> Option<IpAddr> {
    const LOCAL: u8 = 0x20;
    const PROXY: u8 = 0x21;
    const OVER_IPV4: u8 = 0x11;
    const OVER_IPV6: u8 = 0x21;
    match (command, family) {
        (LOCAL, _) => Some(UNKNOWN),
        (PROXY, OVER_IPV4) => {
            let (source, rest) = body.split_first_chunk::<4>()?;
            (rest.len() >= 8).then(|| IpAddr::V4(Ipv4Addr::from(*source)))
        }
        (PROXY, OVER_IPV6) => {
            let (source, rest) = body.split_first_chunk::<16>()?;
            (rest.len() >= 20).then(|| Ipv6Addr::from(*source).to_canonical())
        }
        // Unspecified, or a UNIX socket: somebody without an address.
        (PROXY, 0x00 | 0x31) => Some(UNKNOWN),
        _ => None,
    }
}

fn broken() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "no right header of the PROXY protocol",
    )
}

async fn read_exact(stream: &mut (impl AsyncRead + Unpin), bytes: &mut [u8]) -> io::Result<()> {
    let mut rest = ReadBuf::new(bytes);
    while rest.remaining() > 0 {
        let before = rest.remaining();
        poll_fn(|context| Pin::new(&mut *stream).poll_read(context, &mut rest)).await?;
        if rest.remaining() == before {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read_all(mut bytes: &[u8]) -> (Option<IpAddr>, usize) {
        let len = bytes.len();
        let address = read(&mut bytes).await.ok();
        (address, len - bytes.len())
    }

    fn version_2_bytes(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let len = u16::try_from(body.len()).unwrap().to_be_bytes();
        [&SIGNATURE, [command, family].as_slice(), &len, body].concat()
    }

    #[tokio::test]
    async fn a_line_says_the_address_and_nothing_behind_it_is_taken() {
        for (line, address) in [
            (
                "PROXY TCP4 203.0.113.7 192.0.2.1 56324 443\r\n",
                "203.0.113.7",
            ),
            (
                "PROXY TCP6 2001:db8::7 2001:db8::1 56324 443\r\n",
                "2001:db8::7",
            ),
            (
                "PROXY TCP6 ::ffff:203.0.113.7 2001:db8::1 56324 443\r\n",
                "203.0.113.7",
            ),
            ("PROXY UNKNOWN\r\n", "::"),
            ("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", "::"),
        ] {
            let (found, taken) = read_all(format!("{line}GET / HTTP/1.1\r\n").as_bytes()).await;
            assert_eq!(found, Some(address.parse().unwrap()), "{line}");
            assert_eq!(taken, line.len(), "{line}");
        }
    }

    #[tokio::test]
    async fn a_binary_header_says_the_address_and_nothing_behind_it_is_taken() {
        let v4 = [[203, 0, 113, 7], [192, 0, 2, 1], [1, 2, 3, 4]].concat();
        let mut v6 = Ipv6Addr::from_bits(7).octets().to_vec();
        v6.extend([0; 20]);
        for (command, family, body, address) in [
            (0x21, 0x11, v4.clone(), "203.0.113.7"),
            (
                0x21,
                0x11,
                [v4.clone(), vec![4, 0, 1, 0]].concat(),
                "203.0.113.7",
            ),
            (0x21, 0x21, v6, "::7"),
            (0x20, 0x00, vec![], "::"),
            (0x20, 0x11, v4, "::"),
            (0x21, 0x00, vec![], "::"),
            (0x21, 0x31, vec![0; 216], "::"),
        ] {
            let header = version_2_bytes(command, family, &body);
            let (found, taken) = read_all(&[header.as_slice(), b"GET /"].concat()).await;
            assert_eq!(found, Some(address.parse().unwrap()));
            assert_eq!(taken, header.len());
        }
    }

    /// [N02] Whatever is broken is no address at all.
    #[tokio::test]
    async fn a_broken_header_is_refused() {
        let mut broken = vec![
            version_2_bytes(0x21, 0x11, &[0; 11]),
            version_2_bytes(0x21, 0x21, &[0; 35]),
            version_2_bytes(0x21, 0x12, &[0; 12]),
            version_2_bytes(0x31, 0x11, &[0; 12]),
            version_2_bytes(0x22, 0x11, &[0; 12]),
            version_2_bytes(0x21, 0x11, &[0; BODY_MAX + 1]),
            SIGNATURE.to_vec(),
        ];
        for line in [
            "",
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "PROXY\r\n               ",
            "PROXY TCP4 203.0.113.7 192.0.2.1 56324\r\n",
            "PROXY TCP4 203.0.113.7 192.0.2.1 56324 443 1\r\n",
            "PROXY TCP4 203.0.113.07 192.0.2.1 56324 443\r\n",
            "PROXY TCP4 2001:db8::7 2001:db8::1 56324 443\r\n",
            "PROXY TCP4 203.0.113.7 192.0.2.1 56324 65536\r\n",
            "PROXY  TCP4 203.0.113.7 192.0.2.1 56324 443\r\n",
            "proxy TCP4 203.0.113.7 192.0.2.1 56324 443\r\n",
            "PROXY TCP4 203.0.113.7 192.0.2.1 56324 443\n",
            "PROXY TCP4 203.0.113.7\0 192.0.2.1 56324 443\r\n",
            &format!("PROXY UNKNOWN {}\r\n", "a".repeat(200)),
        ] {
            broken.push(line.as_bytes().to_vec());
        }
        for bytes in broken {
            assert_eq!(
                read_all(&bytes).await.0,
                None,
                "{:?}",
                String::from_utf8_lossy(&bytes)
            );
        }
    }
}
