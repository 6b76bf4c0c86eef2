//! Where the database is, and how to get there safely.

use std::{fmt, fs, path::PathBuf, sync::Arc, time::Duration};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject},
};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_postgres::config::{Config, Host, SslMode, TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Cause, unverified::Unverified};

/// So many connections at most, if the address says nothing: a server allows a hundred, and there are
/// several nodes.
const POOL_SIZE: usize = 24;
/// A size beyond this one is a slip of the pen.
const POOL_SIZE_MAX: usize = 1000;
/// Where a server listens, if the address says nothing.
const PORT: u16 = 5432;
/// How long one host may take to answer at all.
const CONNECT: Duration = Duration::from_secs(2);
/// How long what was sent may stay unacknowledged.
const UNACKNOWLEDGED: Duration = Duration::from_secs(5);

/// The address of a database: `postgres://USER:PASSWORD@HOST:PORT/DATABASE?…`, with several
/// `HOST:PORT` if there are several servers; the one that can be written is used. Never shows its
/// password.
///
/// Beside what PostgreSQL's own library understands, `sslmode` is `verify-full` (the default, but on
/// this machine), `require` (encrypted, to whomever) or `disable`; `sslrootcert` names the file of the
/// authorities to trust instead of the system's; `password_file` names a file with the password;
/// `pool_size` says how many connections there are at most (24).
#[derive(Clone)]
pub struct Address {
    config: Box<Config>,
    password_file: Option<PathBuf>,
    pool_size: usize,
    root: Option<PathBuf>,
    tls: Tls,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Tls {
    Disable,
    Require,
    VerifyFull,
}

/// Why an address cannot be used. Says nothing that stands in it but names of parameters.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// A host is missing.
    #[error("it names no host; write `postgres://USER@HOST/DATABASE`")]
    NoHost,
    /// Another scheme.
    #[error("it does not begin with `postgres://`")]
    NotPostgres,
    /// A user is missing.
    #[error("it names no user; write `postgres://USER@HOST/DATABASE`")]
    NoUser,
    /// A size that is none.
    #[error("`pool_size` is a number from 1 to {POOL_SIZE_MAX}")]
    PoolSize,
    /// A mode that is none of ours.
    #[error("`sslmode` is `verify-full`, `require` or `disable`")]
    SslMode,
    /// Something else; the library's sentence.
    #[error("{0}; special characters in user, password and names are written as `%XX`")]
    Unreadable(String),
}

impl Address {
    /// Reads an address; connects to nothing.
    ///
    /// # Errors
    /// What is wrong with it, without a word of what may be secret.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(AddressError::NotPostgres);
        }
        let secrets_end = text.find('@').unwrap_or_default();
        let (_, rest) = text.split_at(secrets_end);
        let query_at = rest.find('?').map(|at| secrets_end.saturating_add(at));
        let (base, query) = text.split_at(query_at.unwrap_or(text.len()));
        let mut address = Self {
            config: Box::default(),
            password_file: None,
            pool_size: POOL_SIZE,
            root: None,
            tls: Tls::VerifyFull,
        };
        let mut tls = None;
        let mut others = vec![];
        for parameter in query.trim_start_matches('?').split('&') {
            match parameter.split_once('=') {
                None if parameter.is_empty() => {}
                Some(("password_file", path)) => address.password_file = Some(path.into()),
                Some(("pool_size", size)) => address.pool_size = pool_size(size)?,
                Some(("sslmode", mode)) => tls = Some(Tls::parse(mode)?),
                Some(("sslrootcert", "system")) => address.root = None,
                Some(("sslrootcert", path)) => address.root = Some(path.into()),
                _ => others.push(parameter),
            }
        }
        let text = format!("{base}?{}", others.join("&"));
        *address.config = text.parse().map_err(unreadable)?;
        address.tls = tls.unwrap_or_else(|| address.usual_tls());
        address.settle()?;
        Ok(address)
    }

    fn settle(&mut self) -> Result<(), AddressError> {
        if self.config.get_hosts().is_empty() {
            return Err(AddressError::NoHost);
        }
        if self.config.get_user().is_none() {
            return Err(AddressError::NoUser);
        }
        self.config.ssl_mode(match self.tls {
            Tls::Disable => SslMode::Disable,
            Tls::Require | Tls::VerifyFull => SslMode::Require,
        });
        self.config
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .tcp_user_timeout(UNACKNOWLEDGED)
            .keepalives_idle(Duration::from_secs(10))
            .keepalives_interval(Duration::from_secs(3))
            .keepalives_retries(3);
        if self.config.get_connect_timeout().is_none() {
            self.config.connect_timeout(CONNECT);
        }
        if self.config.get_application_name().is_none() {
            self.config.application_name("furka");
        }
        Ok(())
    }

    /// Without a word about it: nothing leaves this machine unprotected.
    fn usual_tls(&self) -> Tls {
        let here = |host: &Host| match host {
            Host::Tcp(name) => {
                let address = name.parse::<std::net::IpAddr>();
                name == "localhost" || address.is_ok_and(|address| address.is_loopback())
            }
            #[cfg(unix)]
            Host::Unix(_) => true,
        };
        match self.config.get_hosts().iter().all(here) {
            true => Tls::Disable,
            false => Tls::VerifyFull,
        }
    }

    /// Whether the address itself holds a password: whoever keeps it keeps a secret.
    #[must_use]
    pub fn holds_password(&self) -> bool {
        self.config.get_password().is_some()
    }

    /// The user.
    pub(super) fn user(&self) -> &str {
        self.config.get_user().unwrap_or_default()
    }

    /// The name of the database: the user's, if the address names none.
    pub(super) fn database(&self) -> &str {
        self.config.get_dbname().unwrap_or_else(|| self.user())
    }

    /// The servers, as `HOST:PORT`.
    pub(super) fn hosts(&self) -> String {
        let ports = self.config.get_ports();
        let hosts = self.config.get_hosts().iter().enumerate();
        let hosts = hosts.map(|(at, host)| {
            let port = ports.get(at).or_else(|| ports.first()).unwrap_or(&PORT);
            match host {
                Host::Tcp(name) if name.contains(':') => format!("[{name}]:{port}"),
                Host::Tcp(name) => format!("{name}:{port}"),
                #[cfg(unix)]
                Host::Unix(path) => format!("{}:{port}", path.display()),
            }
        });
        hosts.collect::<Vec<_>>().join(",")
    }

    /// An address for each server alone, whatever that server is.
    pub(super) fn each(&self) -> Vec<Self> {
        let (hosts, ports) = (self.config.get_hosts(), self.config.get_ports());
        let alone = |(at, host): (usize, &Host)| {
            let mut config = Config::new();
            match host {
                Host::Tcp(name) => config.host(name),
                #[cfg(unix)]
                Host::Unix(path) => config.host_path(path),
            };
            let port = ports.get(at).or_else(|| ports.first());
            config
                .port(port.copied().unwrap_or(PORT))
                .user(self.user())
                .dbname(self.database())
                .ssl_mode(self.config.get_ssl_mode())
                .connect_timeout(CONNECT)
                .tcp_user_timeout(UNACKNOWLEDGED)
                .application_name("furka");
            if let Some(address) = self.config.get_hostaddrs().get(at) {
                config.hostaddr(*address);
            }
            if let Some(password) = self.config.get_password() {
                config.password(password);
            }
            Self {
                config: Box::new(config),
                ..self.clone()
            }
        };
        hosts.iter().enumerate().map(alone).collect()
    }

    /// How many connections there are at most.
    pub(super) fn pool_size(&self) -> usize {
        self.pool_size
    }

    /// What the library connects with, the password included.
    pub(super) fn config(&self) -> Result<Config, Cause> {
        let mut config = Config::clone(&self.config);
        if let Some(path) = &self.password_file {
            let unread = |source| UnreadFile {
                path: path.clone(),
                source,
            };
            let password = zeroize::Zeroizing::new(fs::read(path).map_err(unread)?);
            config.password(password.trim_ascii_end());
        }
        Ok(config)
    }

    /// How what is sent is protected; none if it is not.
    pub(super) fn tls(&self) -> Result<Option<MakeRustlsConnect>, Cause> {
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?;
        let config = match (self.tls, &self.root) {
            (Tls::Disable, _) => return Ok(None),
            (_, Some(path)) => config.with_root_certificates(roots(path)?),
            (Tls::VerifyFull, None) => config.with_platform_verifier()?,
            (Tls::Require, None) => config
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Unverified::default())),
        };
        Ok(Some(MakeRustlsConnect::new(config.with_no_client_auth())))
    }
}

/// `postgres://USER@HOST:PORT/DATABASE`.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (user, hosts, database) = (self.user(), self.hosts(), self.database());
        write!(f, "postgres://{user}@{hosts}/{database}")
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Tls {
    fn parse(mode: &str) -> Result<Self, AddressError> {
        match mode {
            "disable" => Ok(Self::Disable),
            "require" => Ok(Self::Require),
            "verify-full" => Ok(Self::VerifyFull),
            _ => Err(AddressError::SslMode),
        }
    }
}

fn pool_size(text: &str) -> Result<usize, AddressError> {
    let size = text.parse().ok();
    size.filter(|size| (1..=POOL_SIZE_MAX).contains(size))
        .ok_or(AddressError::PoolSize)
}

fn unreadable(error: tokio_postgres::Error) -> AddressError {
    let why = std::error::Error::source(&error).map(ToString::to_string);
    AddressError::Unreadable(why.unwrap_or_else(|| error.to_string()))
}

/// A file that the address names.
#[derive(Debug, thiserror::Error)]
#[error("`{}`, which the address of the database names, cannot be read", .path.display())]
struct UnreadFile<E: std::error::Error + 'static> {
    path: PathBuf,
    source: E,
}

fn roots(path: &PathBuf) -> Result<RootCertStore, Cause> {
    let unread = |source| UnreadFile {
        path: path.clone(),
        source,
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(unread)? {
        roots.add(certificate.map_err(unread)?)?;
    }
    Ok(roots)
}
