//! Ports of loopback where nobody listens.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    time::Duration,
};

use crate::Trouble;

/// Longer than any answer about somebody's health.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;
/// How long an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// A port that is free now; who needs it must be ready to find it taken.
///
/// # Errors
/// If the system has none.
pub(crate) fn free() -> Result<u16, Trouble> {
    let [port] = several()?;
    Ok(port)
}

/// Different ports that are free now.
///
/// # Errors
/// If the system has not as many.
pub(crate) fn several<const N: usize>() -> Result<[u16; N], Trouble> {
    let mut listeners = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        // All stay open until the last is found: the system would give the same again.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .map_err(Trouble::of("looking for a free port"))?;
        let address = listener.local_addr();
        *port = address
            .map_err(Trouble::of("looking for a free port"))?
            .port();
        listeners.push(listener);
    }
    Ok(ports)
}

/// Whether somebody listens on a port.
pub(crate) fn answers(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Whether the HTTP server on a port answers this path with 200.
pub(crate) fn says_ok(port: u16, path: &str) -> bool {
    let ask = || -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(ANSWER_MAX))?;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
        Ok(answer)
    };
    // `HTTP/1.1 200 …`, or `1.0`.
    ask().is_ok_and(|answer| answer.get(8..13) == Some(b" 200 "))
}

#[cfg(test)]
mod tests {
    use super::several;

    #[test]
    fn no_port_is_given_twice() {
        let mut ports = several::<20>().unwrap();
        ports.sort_unstable();
        assert!(ports.windows(2).all(|two| two[0] != two[1]));
    }
}
