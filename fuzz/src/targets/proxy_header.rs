//! The header of the PROXY protocol: what is read is the header, and not one byte behind it.

use std::net::IpAddr;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::Target;
use crate::proxy_header;

pub(super) const TARGET: Target = Target {
    name: "proxy_header",
    bytes_max: 2200,
    dictionary: "headers",
    seeds,
    accepts,
};

/// How a header of version 2 begins, and how long it is before the addresses.
const VERSION_2: (&[u8], usize) = (b"\r\n\r\n\0\r\nQUIT\n", 16);
/// What a client says, once the proxy has spoken.
const BEHIND: &[u8] = b"PROXY TCP4 198.51.100.7 198.51.100.8 1 2\r\nGET / HTTP/1.1\r\n";

/// The input is what comes over a connection.
fn accepts(input: &[u8]) -> bool {
    let Some((address, len)) = read(input) else {
        return false;
    };
    assert_eq!(address, address.to_canonical());
    let (header, _) = input.split_at_checked(len).unwrap_or_default();
    let (begins, fixed) = VERSION_2;
    if header.starts_with(begins) {
        let told = header
            .get(fixed - 2..fixed)
            .and_then(|len| <[u8; 2]>::try_from(len).ok());
        let told = told.map(|len| fixed + usize::from(u16::from_be_bytes(len)));
        assert_eq!(told, Some(len), "its length is what it says");
        assert!(len <= fixed + 2048);
    } else {
        assert!(header.starts_with(b"PROXY ") && header.ends_with(b"\r\n"));
        assert!(len <= 107 && header.windows(2).filter(|end| *end == b"\r\n").count() == 1);
    }
    // Neither the end of the connection nor what a client says behind it changes anything.
    assert_eq!(read(header), Some((address, len)));
    assert_eq!(read(&[header, BEHIND].concat()), Some((address, len)));
    let short = header.split_last().and_then(|(_, short)| read(short));
    assert_eq!(short, None, "a header that is not whole is taken");
    true
}

/// The address, and how many bytes were read for it.
fn read(input: &[u8]) -> Option<(IpAddr, usize)> {
    let mut rest = input;
    let address = {
        let reading = pin!(proxy_header::read(&mut rest));
        // Bytes that are all there are never waited for.
        match reading.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(read) => read.ok()?,
            Poll::Pending => return None,
        }
    };
    Some((address, input.len() - rest.len()))
}

fn seeds() -> Vec<Vec<u8>> {
    let (begins, _) = VERSION_2;
    let version_2 = |told: &[u8]| [begins, told].concat();
    let six = [
        b"\x21\x21\x00\x24" as &[u8],
        &[0x20, 1, 0xd, 0xb8],
        &[1; 32],
    ]
    .concat();
    vec![
        b"PROXY TCP4 192.0.2.1 192.0.2.2 40000 443\r\n".to_vec(),
        b"PROXY TCP6 2001:db8::1 2001:db8::2 40000 443\r\nGET /".to_vec(),
        b"PROXY TCP6 ::ffff:192.0.2.1 ::1 1 65535\r\n".to_vec(),
        b"PROXY UNKNOWN\r\n".to_vec(),
        b"PROXY UNKNOWN and whatever is told beyond it\r\n".to_vec(),
        version_2(b"\x20\x00\x00\x00"),
        version_2(b"\x21\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\x9c\x40\x01\xbb"),
        version_2(b"\x21\x11\x00\x0f\xc0\x00\x02\x01\xc0\x00\x02\x02\x9c\x40\x01\xbb\x04\x00\x00"),
        version_2(&six),
        version_2(b"\x21\x31\x00\x02ab"),
    ]
}
