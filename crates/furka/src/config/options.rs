//! Every option of `furka.toml`, once: what it means, what it may be, and how it is taken. The sample
//! file, the environment's names and the sentences of refusals are made from this list.

use std::{net::SocketAddr, path::PathBuf};

use ipnet::IpNet;
use journey::zone::is_small;
use server::Forwarding;
use tracing_subscriber::EnvFilter;
use url::{Host, Url};

use super::Config;

/// One option.
pub(crate) struct Entry {
    /// The value without one in the file; empty if it must be given.
    pub(crate) default: Default,
    /// A right value, as it stands in the file.
    pub(crate) example: &'static str,
    /// Its name; with a dot, in a table.
    pub(crate) key: &'static str,
    /// What it means to who writes it.
    pub(crate) meaning: &'static str,
    /// Takes a value, or says what would be right.
    pub(crate) take: fn(&mut Config, &Given) -> Result<(), String>,
}

/// What is taken where nothing is given.
#[derive(Clone, Copy)]
pub(crate) enum Default {
    /// It must be given.
    None,
    /// It may be left out, and there is none then.
    Nothing,
    /// This, as it would stand in the file.
    Text(&'static str),
}

/// A value as it was given: text, or a list of texts.
#[derive(Clone, Debug)]
pub(crate) enum Given {
    /// `[ "…", "…" ]`
    List(Vec<String>),
    /// `"…"`
    Text(String),
}

impl Entry {
    /// The variable of the environment that overrides it: `FURKA_TLS_KEY` for `tls.key`.
    pub(crate) fn variable(&self) -> String {
        format!("FURKA_{}", self.key.replace('.', "_").to_ascii_uppercase())
    }
}

impl Given {
    fn text(&self) -> Result<&str, String> {
        match self {
            Self::Text(text) if !text.trim().is_empty() => Ok(text.trim()),
            Self::Text(_) => Err("it is empty".to_owned()),
            Self::List(_) => Err("it is a list; write one text".to_owned()),
        }
    }

    /// The environment has no lists: commas stand between.
    fn list(&self) -> Vec<&str> {
        match self {
            Self::List(items) => items.iter().map(|item| item.trim()).collect(),
            Self::Text(text) => text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .collect(),
        }
    }

    fn path(&self) -> Result<PathBuf, String> {
        self.text().map(PathBuf::from)
    }

    fn socket(&self) -> Result<SocketAddr, String> {
        let text = self.text()?;
        let wrong =
            |_| format!("`{text}` is no address and port, such as `0.0.0.0:443` or `[::]:443`");
        text.parse().map_err(wrong)
    }
}

/// All options, in the order of the sample file: tables last, as TOML demands.
pub(crate) static OPTIONS: [Entry; 18] = [
    Entry {
        key: "public_url",
        meaning: "The address people and applications use, without a path. It is the issuer of all \
                  tokens and stands in every link: choose it once. https, unless it is this machine.",
        default: Default::None,
        example: "\"https://login.example.ch\"",
        take: |config, given| {
            given
                .text()
                .and_then(public_url)
                .map(|url| config.public_url = url)
        },
    },
    Entry {
        key: "listen",
        meaning: "Where it listens. Plain HTTP is spoken only to this machine or to listed proxies.",
        default: Default::Text("\"127.0.0.1:8400\""),
        example: "\"0.0.0.0:443\"",
        take: |config, given| given.socket().map(|socket| config.listen = socket),
    },
    Entry {
        key: "management_listen",
        meaning: "Where health and metrics are, in plain HTTP. Not for the public.",
        default: Default::Text("\"127.0.0.1:8410\""),
        example: "\"127.0.0.1:9090\"",
        take: |config, given| {
            given
                .socket()
                .map(|socket| config.management_listen = socket)
        },
    },
    Entry {
        key: "database",
        meaning: "The database: `sqlite:PATH`, from the folder of this file, for one machine; or, for \
                  several, `postgres://USER@HOST/DATABASE`.",
        default: Default::Text("\"sqlite:furka.sqlite\""),
        example: "\"sqlite:/var/lib/furka/furka.sqlite\"",
        take: |config, given| {
            given
                .text()
                .and_then(str::parse)
                .map(|database| config.database = database)
        },
    },
    Entry {
        key: "key_file",
        meaning: "The key that seals what is secret in the database. Keep a copy elsewhere, and not \
                  beside the copies of the database.",
        default: Default::Text("\"furka.key\""),
        example: "\"/etc/furka/furka.key\"",
        take: |config, given| given.path().map(|path| config.key_file = path),
    },
    Entry {
        key: "trusted_proxies",
        meaning: "The proxies that are believed when they say whom they speak for: single addresses or \
                  small networks, at least /24 or /64.",
        default: Default::Text("[]"),
        example: "[\"192.0.2.10\", \"2001:db8::/64\"]",
        take: |config, given| {
            proxies(&given.list()).map(|proxies| config.trusted_proxies = proxies)
        },
    },
    Entry {
        key: "forwarding",
        meaning: "How they say it, exactly one way: \"none\", \"x-forwarded-for\", \"forwarded\" or \
                  \"proxy-protocol\".",
        default: Default::Text("\"none\""),
        example: "\"x-forwarded-for\"",
        take: |config, given| {
            given
                .text()
                .and_then(forwarding)
                .map(|how| config.forwarding = how)
        },
    },
    Entry {
        key: "support",
        meaning: "Whom people ask when a page refuses them, as they are to read it.",
        default: Default::Nothing,
        example: "\"Service desk, 027 000 00 00\"",
        take: |config, given| {
            given
                .text()
                .map(|text| text.clone_into(&mut config.support))
        },
    },
    Entry {
        key: "log",
        meaning: "How much is logged: \"error\", \"warn\", \"info\" or \"debug\", also by part, such as \
                  \"info,server=debug\".",
        default: Default::Text("\"info\""),
        example: "\"warn\"",
        take: |config, given| given.text().and_then(log).map(|log| config.log = log),
    },
    Entry {
        key: "hash_workers",
        meaning: "How many passwords are hashed at the same time: \"cores\", or a number. More than the \
                  machine has cores is never faster.",
        default: Default::Text("\"cores\""),
        example: "\"2\"",
        take: |config, given| {
            given
                .text()
                .and_then(workers)
                .map(|workers| config.hash_workers = workers)
        },
    },
    Entry {
        key: "tls.certificate",
        meaning: "A certificate with its chain, PEM. It is read again when it changes. Without one, plain \
                  HTTP is spoken.",
        default: Default::Nothing,
        example: "\"/etc/furka/tls/fullchain.pem\"",
        take: |config, given| given.path().map(|path| config.tls.certificate = Some(path)),
    },
    Entry {
        key: "tls.key",
        meaning: "Its private key, PEM.",
        default: Default::Nothing,
        example: "\"/etc/furka/tls/privkey.pem\"",
        take: |config, given| given.path().map(|path| config.tls.key = Some(path)),
    },
    Entry {
        key: "mtls.url",
        meaning: "Where applications show certificates (RFC 8705), without a path: another host or port, so \
                  that browsers are not asked for any. Without it, certificates count nowhere.",
        default: Default::Nothing,
        example: "\"https://login.example.ch:8443\"",
        take: |config, given| {
            given
                .text()
                .and_then(public_url)
                .map(|url| config.mtls.url = Some(url))
        },
    },
    Entry {
        key: "mtls.listen",
        meaning: "Where it listens for them and asks for certificates, with the same `tls.certificate`.",
        default: Default::Nothing,
        example: "\"0.0.0.0:8443\"",
        take: |config, given| {
            given
                .socket()
                .map(|socket| config.mtls.listen = Some(socket))
        },
    },
    Entry {
        key: "mtls.proxies",
        meaning: "Whether the listed proxies pass on the certificates they were shown: \"none\", or \
                  \"client-cert\" (RFC 9440). They must replace what a client sends in these headers.",
        default: Default::Text("\"none\""),
        example: "\"client-cert\"",
        take: |config, given| {
            given
                .text()
                .and_then(passed_on)
                .map(|passed_on| config.mtls.proxies_pass_certificates = passed_on)
        },
    },
    Entry {
        key: "institution.fr",
        meaning: "The name that stands on every page, in French. Where a language has none, another \
                  one's stands in.",
        default: Default::Nothing,
        example: "\"Canton d'Exemple\"",
        take: |config, given| name(given).map(|name| config.institution.fr = Some(name)),
    },
    Entry {
        key: "institution.de",
        meaning: "The same in German.",
        default: Default::Nothing,
        example: "\"Kanton Beispiel\"",
        take: |config, given| name(given).map(|name| config.institution.de = Some(name)),
    },
    Entry {
        key: "institution.en",
        meaning: "The same in English.",
        default: Default::Nothing,
        example: "\"Canton of Example\"",
        take: |config, given| name(given).map(|name| config.institution.en = Some(name)),
    },
];

fn public_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text)
        .map_err(|_| format!("`{text}` is no address such as `https://login.example.ch`"))?;
    let bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !bare {
        return Err(format!(
            "`{text}` must end after the host or port: no path, no `?`, no user"
        ));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err(format!(
            "`{text}` must begin with `https://`: passwords are typed there"
        )),
    }
}

/// Whether an address leads to this machine only.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(v4)) => v4.is_loopback(),
        Some(Host::Ipv6(v6)) => v6.is_loopback(),
        None => false,
    }
}

fn proxies(list: &[&str]) -> Result<Vec<IpNet>, String> {
    let one = |text: &&str| {
        let address = text
            .parse::<std::net::IpAddr>()
            .map(|address| address.to_canonical().into());
        let net: IpNet = address
            .or_else(|_| text.parse())
            .map_err(|_| format!("`{text}` is no address or network, such as `192.0.2.10`"))?;
        if is_small(&net) {
            Ok(net)
        } else {
            Err(format!(
                "`{text}` is too wide, or has bits set behind its prefix: whoever is in it is believed \
                 about anybody's address; list the proxies' own addresses"
            ))
        }
    };
    list.iter().map(one).collect()
}

fn forwarding(text: &str) -> Result<Forwarding, String> {
    match text {
        "none" => Ok(Forwarding::None),
        "x-forwarded-for" => Ok(Forwarding::XForwardedFor),
        "forwarded" => Ok(Forwarding::Forwarded),
        "proxy-protocol" => Ok(Forwarding::ProxyProtocol),
        _ => Err(format!(
            "`{text}` is none of `none`, `x-forwarded-for`, `forwarded`, `proxy-protocol`"
        )),
    }
}

fn passed_on(text: &str) -> Result<bool, String> {
    match text {
        "none" => Ok(false),
        "client-cert" => Ok(true),
        _ => Err(format!("`{text}` is none of `none`, `client-cert`")),
    }
}

fn log(text: &str) -> Result<String, String> {
    match EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(format!(
            "`{text}` is no log level such as `info` or `warn,server=debug`"
        )),
    }
}

fn name(given: &Given) -> Result<String, String> {
    let text = given.text()?;
    if text.chars().count() > 80 || text.contains(char::is_control) {
        return Err("a name has at most 80 characters, on one line".to_owned());
    }
    Ok(text.to_owned())
}

fn workers(text: &str) -> Result<Option<std::num::NonZeroUsize>, String> {
    if text == "cores" {
        return Ok(None);
    }
    match text.parse::<std::num::NonZeroUsize>() {
        Ok(workers) if workers.get() <= 256 => Ok(Some(workers)),
        _ => Err(format!(
            "`{text}` is neither `cores` nor a number from 1 to 256"
        )),
    }
}
