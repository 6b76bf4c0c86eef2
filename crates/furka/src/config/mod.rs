//! `furka.toml`: what a server must know before it can open its database.
//!
//! Deliberately absent: zones, policy, applications and gateways, which are resources in the
//! database, so that they can change without a restart.

mod database;
mod options;
mod sample;

use std::{
    fmt, fs,
    net::{Ipv4Addr, SocketAddr},
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use ipnet::IpNet;
use server::Forwarding;
use toml::de::{DeTable, DeValue};
use url::Url;

use self::options::{Entry, Given, OPTIONS};
pub(crate) use self::{database::Database, options::is_loopback, sample::sample};

/// Longest file read, in bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// The boot configuration, checked. Paths are complete.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) database: Database,
    pub(crate) forwarding: Forwarding,
    /// None: as many as the machine has cores.
    pub(crate) hash_workers: Option<NonZeroUsize>,
    pub(crate) institution: Institution,
    pub(crate) key_file: PathBuf,
    pub(crate) listen: SocketAddr,
    pub(crate) log: String,
    pub(crate) management_listen: SocketAddr,
    pub(crate) mtls: Mtls,
    pub(crate) public_url: Url,
    pub(crate) support: String,
    pub(crate) tls: Tls,
    pub(crate) trusted_proxies: Vec<IpNet>,
}

/// The name on every page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Institution {
    pub(crate) de: Option<String>,
    pub(crate) en: Option<String>,
    pub(crate) fr: Option<String>,
}

/// Where applications show certificates, if they do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mtls {
    /// Its own door, which asks for them.
    pub(crate) listen: Option<SocketAddr>,
    /// Whether proxies pass them on.
    pub(crate) proxies_pass_certificates: bool,
    /// Where applications find it.
    pub(crate) url: Option<Url>,
}

/// Certificate and key: both or none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tls {
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
}

impl Tls {
    /// Both files.
    pub(crate) fn files(&self) -> Option<(&Path, &Path)> {
        Some((self.certificate.as_deref()?, self.key.as_deref()?))
    }
}

impl Institution {
    /// The name in every language; another language's where one is missing.
    pub(crate) fn name(&self) -> journey::zone::Name {
        let or_any = |name: &Option<String>| name.clone().unwrap_or_else(|| self.any().to_owned());
        journey::zone::Name {
            de: or_any(&self.de),
            en: or_any(&self.en),
            fr: or_any(&self.fr),
        }
    }

    /// The name in the order of preference of who reads it.
    pub(crate) fn any(&self) -> &str {
        let names = [&self.fr, &self.de, &self.en];
        names
            .into_iter()
            .flatten()
            .next()
            .map_or("Furka", String::as_str)
    }
}

/// Why a configuration is refused: everything that is wrong with it, not only the first.
#[derive(Debug)]
pub(crate) struct ConfigError {
    file: PathBuf,
    pub(crate) wrong: Vec<Wrong>,
}

/// One thing that is wrong.
#[derive(Debug)]
pub(crate) struct Wrong {
    /// `line 7`, `the environment's FURKA_LISTEN`, or nothing.
    place: Option<String>,
    sentence: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{place}: {}", self.sentence),
            None => f.write_str(&self.sentence),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the configuration `{}` cannot be used",
            self.file.display()
        )?;
        for wrong in &self.wrong {
            write!(f, "\n  {wrong}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Reads the file, then the variables of the environment that override it.
    ///
    /// # Errors
    /// Everything that is wrong, with its line.
    pub(crate) fn load(
        path: &Path,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let refuse = |wrong| ConfigError {
            file: path.to_owned(),
            wrong,
        };
        let unreadable = |why: String| {
            refuse(vec![Wrong {
                place: None,
                sentence: format!("it cannot be read: {why}"),
            }])
        };
        let len = fs::metadata(path)
            .map_err(|error| unreadable(error.to_string()))?
            .len();
        if len > FILE_BYTES_MAX {
            return Err(unreadable("it is longer than 64 KiB".to_owned()));
        }
        let text = fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::read(&text, environment, folder).map_err(refuse)
    }

    fn read(
        text: &str,
        environment: impl Iterator<Item = (String, String)>,
        folder: &Path,
    ) -> Result<Self, Vec<Wrong>> {
        let mut config = Self::of_defaults();
        let mut wrong = Vec::new();
        let mut given = match values(text, &mut wrong) {
            Ok(given) => given,
            Err(syntax) => return Err(vec![syntax]),
        };
        for (name, value) in environment {
            if let Some(option) = OPTIONS.iter().find(|option| option.variable() == name) {
                given.retain(|(_, other, _)| other.key != option.key);
                let place = format!("`{name}` of the environment");
                given.push((place, option, Given::Text(value)));
            }
        }
        for option in &OPTIONS {
            let required = matches!(option.default, options::Default::None);
            if required && !given.iter().any(|(_, other, _)| other.key == option.key) {
                let sentence = format!(
                    "`{}` is missing; write `{} = {}`",
                    option.key, option.key, option.example
                );
                wrong.push(Wrong {
                    place: None,
                    sentence,
                });
            }
        }
        for (place, option, value) in &given {
            if let Err(why) = (option.take)(&mut config, value) {
                let sentence = format!("`{}`: {why}", option.key);
                wrong.push(Wrong {
                    place: Some(place.clone()),
                    sentence,
                });
            }
        }
        if wrong.is_empty() {
            wrong.extend(config.contradictions().into_iter().map(|sentence| Wrong {
                place: None,
                sentence,
            }));
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        config.database.seen_from(folder);
        for path in std::iter::once(&mut config.key_file)
            .chain(config.tls.certificate.as_mut())
            .chain(config.tls.key.as_mut())
        {
            *path = folder.join(&*path);
        }
        Ok(config)
    }

    /// Nothing given: the defaults of the list, and an address that the list demands.
    fn of_defaults() -> Self {
        let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let Ok(public_url) = Url::parse("http://localhost") else {
            unreachable!("this is an address")
        };
        let mut config = Self {
            database: Database::Sqlite(PathBuf::new()),
            forwarding: Forwarding::None,
            hash_workers: None,
            institution: Institution::default(),
            key_file: PathBuf::new(),
            listen: nowhere,
            log: String::new(),
            management_listen: nowhere,
            mtls: Mtls::default(),
            public_url,
            support: String::new(),
            tls: Tls::default(),
            trusted_proxies: Vec::new(),
        };
        for option in &OPTIONS {
            if let options::Default::Text(default) = option.default {
                let value = if default.starts_with('[') {
                    ""
                } else {
                    default.trim_matches('"')
                };
                let taken = (option.take)(&mut config, &Given::Text(value.to_owned()));
                debug_assert!(taken.is_ok(), "the default of `{}`", option.key);
            }
        }
        config
    }

    /// What is right by itself and wrong together.
    fn contradictions(&self) -> Vec<String> {
        let mut found = Vec::new();
        let plain = self.tls.files().is_none();
        let no_proxy = self.trusted_proxies.is_empty();
        if self.tls.certificate.is_some() != self.tls.key.is_some() {
            found.push(
                "`tls.certificate` and `tls.key` belong together; give both, or none".to_owned(),
            );
        }
        if self.forwarding == Forwarding::None && !no_proxy {
            found.push(
                "`trusted_proxies` are listed, but `forwarding` is \"none\"; say how they tell whom they \
                 speak for"
                    .to_owned(),
            );
        }
        if self.forwarding != Forwarding::None && no_proxy {
            found.push(
                "`forwarding` believes proxies, but `trusted_proxies` lists none; list them, or write \
                 `forwarding = \"none\"`"
                    .to_owned(),
            );
        }
        if plain && no_proxy && !self.listen.ip().is_loopback() {
            found.push(format!(
                "plain HTTP on `{}` would carry passwords in the open; give `tls.certificate` and \
                 `tls.key`, or list the proxy that speaks TLS in `trusted_proxies`",
                self.listen
            ));
        }
        if plain && no_proxy && self.listen.ip().is_loopback() && !is_loopback(&self.public_url) {
            found.push(
                "`public_url` is not this machine, so a proxy must stand before `listen`: without \
                 `trusted_proxies`, everybody would have the proxy's address"
                    .to_owned(),
            );
        }
        if self.management_listen == self.listen {
            found.push(
                "`listen` and `management_listen` are the same; give each its own port".to_owned(),
            );
        }
        found.extend(self.contradictions_of_mtls());
        found
    }

    fn contradictions_of_mtls(&self) -> Vec<String> {
        let Mtls {
            listen,
            proxies_pass_certificates: passed_on,
            url,
        } = &self.mtls;
        let taken = [Some(self.listen), Some(self.management_listen)];
        let in_headers = [Forwarding::Forwarded, Forwarding::XForwardedFor];
        let own = url
            .as_ref()
            .is_some_and(|url| url.origin() == self.public_url.origin());
        let wrong = [
            (
                listen.is_some() && self.tls.files().is_none(),
                "`mtls.listen` speaks TLS; give `tls.certificate` and `tls.key`",
            ),
            (
                listen.is_some() && taken.contains(listen),
                "`mtls.listen` is taken by `listen` or `management_listen`; give it its own port",
            ),
            (
                listen.is_some() && own,
                "`mtls.url` and `public_url` are the same, but `mtls.listen` has a port of its own; \
                 browsers would be asked for certificates",
            ),
            (
                url.is_some() && listen.is_none() && !passed_on,
                "`mtls.url` is given, but nobody asks for certificates there; give `mtls.listen`, or write \
                 `mtls.proxies = \"client-cert\"`",
            ),
            (
                url.is_none() && (listen.is_some() || *passed_on),
                "`mtls.url` is missing: applications must know where to show their certificates",
            ),
            (
                *passed_on && !in_headers.contains(&self.forwarding),
                "`mtls.proxies` is a header of listed proxies; `forwarding` must be \"x-forwarded-for\" or \
                 \"forwarded\"",
            ),
        ];
        let wrong = wrong.into_iter().filter(|(wrong, _)| *wrong);
        wrong.map(|(_, why)| why.to_owned()).collect()
    }

    /// What is allowed, but seldom meant.
    pub(crate) fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        if !self.management_listen.ip().is_loopback() {
            doubts.push(format!(
                "health and metrics are open on `{}`; keep the public away from that port",
                self.management_listen
            ));
        }
        if self.institution.fr.is_none() || self.institution.de.is_none() {
            doubts.push(
                "`institution.fr` or `institution.de` is missing; pages show another name"
                    .to_owned(),
            );
        }
        if self.support.is_empty() {
            doubts.push(
                "`support` is missing; pages that refuse somebody name nobody to ask".to_owned(),
            );
        }
        doubts
    }
}

/// Variables that look like options and are none.
pub(crate) fn unknown_variables(names: impl Iterator<Item = String>) -> Vec<String> {
    names
        .filter(|name| name.starts_with("FURKA_") && name != "FURKA_CONFIG")
        .filter(|name| OPTIONS.iter().all(|option| option.variable() != *name))
        .collect()
}

type Found<'a> = (String, &'a Entry, Given);

/// The values of the file with their lines. Keys nobody knows are wrong.
fn values(text: &str, wrong: &mut Vec<Wrong>) -> Result<Vec<Found<'static>>, Wrong> {
    let line = |at: usize| {
        let before = text.as_bytes().iter().take(at);
        let lines = before.filter(|byte| **byte == b'\n').count();
        format!("line {}", lines.saturating_add(1))
    };
    let document = DeTable::parse(text).map_err(|error| Wrong {
        place: error.span().map(|span| line(span.start)),
        sentence: error.message().to_owned(),
    })?;
    let mut found = Vec::new();
    for (at, key, value) in flat(document.get_ref()) {
        let place = line(at);
        let option = OPTIONS.iter().find(|option| option.key == key);
        let sentence = match (option, given(value)) {
            (None, _) => unknown(&key),
            (Some(option), Some(given)) => {
                found.push((place, option, given));
                continue;
            }
            (Some(option), None) => {
                let example = option.example;
                format!("`{key}` must be text in quotes, such as `{example}`")
            }
        };
        wrong.push(Wrong {
            place: Some(place),
            sentence,
        });
    }
    Ok(found)
}

/// All values with their places and dotted names, in the order of the file. A table without anything in
/// it is a value, too: its name may be wrong.
fn flat<'a>(table: &'a DeTable<'a>) -> Vec<(usize, String, &'a DeValue<'a>)> {
    let mut all = Vec::new();
    for (key, value) in table {
        match value.get_ref() {
            DeValue::Table(inner) if !inner.is_empty() => {
                for (name, value) in inner {
                    let name = format!("{}.{}", key.get_ref(), name.get_ref());
                    all.push((value.span().start, name, value.get_ref()));
                }
            }
            DeValue::Table(_) if is_table(key.get_ref()) => {}
            other => all.push((key.span().start, key.get_ref().to_string(), other)),
        }
    }
    all.sort_by_key(|(at, _, _)| *at);
    all
}

/// Whether there are options in a table of this name.
fn is_table(name: &str) -> bool {
    OPTIONS.iter().any(|option| {
        option
            .key
            .split_once('.')
            .is_some_and(|(table, _)| table == name)
    })
}

fn given(value: &DeValue<'_>) -> Option<Given> {
    match value {
        DeValue::String(text) => Some(Given::Text(text.to_string())),
        DeValue::Array(items) => {
            let items = items
                .iter()
                .map(|item| item.get_ref().as_str().map(str::to_owned));
            items.collect::<Option<_>>().map(Given::List)
        }
        _ => None,
    }
}

fn unknown(key: &str) -> String {
    let near = OPTIONS
        .iter()
        .min_by_key(|option| distance(option.key, key));
    match near.filter(|option| distance(option.key, key) <= 3) {
        Some(option) => format!("there is no option `{key}`; is `{}` meant?", option.key),
        None => {
            format!("there is no option `{key}`; remove it, or see the file `furka init` writes")
        }
    }
}

/// How many letters must be changed, added or left out to make one text of the other.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (at, a) in one.chars().enumerate() {
        let mut left = at + 1;
        let mut before = std::mem::replace(&mut row, vec![left]).into_iter();
        let mut diagonal = before.next().unwrap_or_default();
        for (b, above) in other.chars().zip(before) {
            left = (diagonal + usize::from(a != b))
                .min(left + 1)
                .min(above + 1);
            diagonal = above;
            row.push(left);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
