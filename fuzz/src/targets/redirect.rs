//! Redirect addresses: whatever is done to a registered one, it is taken if and only if it is one.
//!
//! The bytes of an input choose what is done, where and how often, so that inputs are near to what is
//! registered: case, dots, encodings, user names, ports, slashes, letters that look alike, line ends.

use wire::oauth::authorize::Refused;
use wire::oauth::client::Client;

use super::{Target, authorize};
use crate::sample::{CHALLENGE, CLIENTS};

pub(super) const TARGET: Target = Target {
    name: "redirect",
    bytes_max: 64,
    dictionary: "oauth",
    seeds,
    accepts,
};

/// What is put into an address somewhere.
const PUT: &[&str] = &[
    "/",
    "//",
    "/./",
    "/../",
    "..",
    ".",
    "\\",
    "/\\",
    "@",
    ":@",
    "x@",
    "edu.example@",
    ":",
    ":443",
    ":80",
    ":0",
    ":51004",
    ":65536",
    "#",
    "#x",
    "?",
    "??",
    "&",
    ";",
    "%",
    "%00",
    "%0d%0a",
    "%2e",
    "%2F",
    "%40",
    "%3a",
    "%25",
    "%5c",
    "%61",
    "\r\n",
    "\n",
    "\t",
    " ",
    "\0",
    "+",
    "*",
    "\u{e9}",
    "\u{301}",
    "\u{2170}",
    "\u{3002}",
    "\u{ff0e}",
    "\u{ff0f}",
    "\u{200b}",
    "\u{202e}",
    "https://",
    "http://",
    "//evil.example",
    "javascript:",
    "data:",
    "evil.example",
    ".evil.example",
    "xn--",
    "127.0.0.1",
    "[::1]",
    "[::ffff:7f00:1]",
    "localhost",
    "0",
    "1",
    "a",
    "Z",
];

/// Pairs of which one stands for the other.
const SWAPPED: &[(&str, &str)] = &[
    ("https", "http"),
    ("https", "HTTPS"),
    ("://", ":/"),
    ("://", ":///"),
    ("/", "%2f"),
    ("/", "\\"),
    (".", "%2e"),
    (".", "\u{3002}"),
    ("e", "\u{435}"),
    ("k", "\u{212a}"),
    ("127.0.0.1", "127.1"),
    ("127.0.0.1", "0x7f.0.0.1"),
    ("127.0.0.1", "localhost"),
    ("[::1]", "[0:0:0:0:0:0:0:1]"),
    ("edu.example", "edu.example."),
    ("edu.example", "edu.example.evil.example"),
    ("callback", "callback/"),
    ("callback", "Callback"),
    ("?tenant=1", "?tenant=2"),
    ("?tenant=1", ""),
];

fn accepts(input: &[u8]) -> bool {
    let mut bytes = input.iter().copied();
    let (Some(who), Some(which)) = (bytes.next(), bytes.next()) else {
        return false;
    };
    let at = usize::from(who) % CLIENTS.len().max(1);
    let Some(client) = CLIENTS.get(at) else {
        return false;
    };
    let at = usize::from(which) % client.redirect_uris.len().max(1);
    let Some(registered) = client.redirect_uris.get(at) else {
        return false;
    };
    let mut uri = registered.clone();
    while let (Some(what), Some(place)) = (bytes.next(), bytes.next()) {
        uri = changed(&uri, what, usize::from(place));
    }
    is_taken(client, &uri)
}

/// An address with one accident.
fn changed(uri: &str, what: u8, place: usize) -> String {
    let letters = uri.chars().count();
    let at = uri
        .char_indices()
        .nth(place % letters.saturating_add(1))
        .map_or(uri.len(), |(at, _)| at);
    let (start, rest) = uri.split_at_checked(at).unwrap_or((uri, ""));
    let mut after = rest.chars();
    let first = after.next();
    let choice = usize::from(what);
    match what {
        0 => [start, after.as_str()].concat(),
        1 => start.to_owned(),
        2 => rest.to_owned(),
        3 => [start, &rest.chars().map(other_case).collect::<String>()].concat(),
        4 => {
            let encoded = first.map(|letter| format!("%{:02x}", u32::from(letter) & 0xff));
            [start, &encoded.unwrap_or_default(), after.as_str()].concat()
        }
        5 => [uri, start].concat(),
        6..=63 => {
            let swapped = SWAPPED.get(choice % SWAPPED.len());
            let (from, to) = swapped.copied().unwrap_or_default();
            [start, &rest.replacen(from, to, 1)].concat()
        }
        _ => {
            let put = PUT.get(choice % PUT.len()).copied().unwrap_or_default();
            [start, put, rest].concat()
        }
    }
}

fn other_case(letter: char) -> char {
    if letter.is_ascii_lowercase() {
        letter.to_ascii_uppercase()
    } else {
        letter.to_ascii_lowercase()
    }
}

/// Whether a request with this address is granted: then it is registered. Refused, it is not, and nobody
/// is sent there.
fn is_taken(client: &Client, uri: &str) -> bool {
    let query = authorize::query(&[
        ("client_id", &client.id),
        ("redirect_uri", uri),
        ("response_type", "code"),
        ("scope", "openid"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    let registered = authorize::is_registered(client, uri);
    match authorize::parsed(&query, |id| (id == client.id).then_some(client)) {
        Ok(request) => {
            assert!(registered && request.redirect_uri == uri, "taken: {uri:?}");
            true
        }
        Err(refused) => {
            assert!(matches!(refused, Refused::Page(_)), "redirected: {uri:?}");
            assert!(!registered, "refused: {uri:?}");
            false
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let registered = [[0, 0], [0, 1], [1, 0], [1, 1], [1, 2], [2, 0]];
    let mut seeds: Vec<Vec<u8>> = registered.map(Vec::from).into();
    seeds.extend([6, 64, 128, 200].map(|what| vec![0, 1, what, 8, what + 1, 20]));
    seeds
}
