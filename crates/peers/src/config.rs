//! `gateways.toml`: which gateways there are.

use std::{collections::BTreeSet, io, path::PathBuf};

use serde::Deserialize;

use crate::{HttpGateway, Smtp};

/// Longest configuration read, in bytes.
const CONFIG_BYTES_MAX: usize = 256 * 1024;

/// The gateways of an installation, checked.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateways {
    /// SMS gateways, the preferred one first.
    #[serde(default)]
    pub sms: Vec<HttpGateway>,
    /// The mail server.
    pub mail: Option<Smtp>,
}

impl Gateways {
    /// Reads and checks the text of `gateways.toml`. Secrets are not fetched yet.
    ///
    /// # Errors
    /// When it is no TOML, has unknown keys, or describes what cannot work.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        if text.len() > CONFIG_BYTES_MAX {
            return Err(ConfigError::TooLong);
        }
        let gateways: Self = toml::from_str(text).map_err(|error| ConfigError::Syntax {
            line: error.span().map_or(0, |span| line_of(text, span.start)),
            message: error.message().to_owned(),
        })?;
        let mut names = BTreeSet::new();
        for gateway in &gateways.sms {
            gateway
                .check()
                .map_err(|message| ConfigError::gateway(gateway, &message))?;
            if !names.insert(gateway.name()) {
                return Err(ConfigError::gateway(gateway, "two gateways have this name"));
            }
        }
        if let Some(mail) = &gateways.mail {
            mail.check().map_err(|message| ConfigError::Gateway {
                name: "mail".into(),
                message,
            })?;
        }
        Ok(gateways)
    }

    /// A commented sample, which is itself a right configuration.
    #[must_use]
    pub fn example() -> &'static str {
        include_str!("example.toml")
    }
}

/// Line of a position, from 1.
fn line_of(text: &str, position: usize) -> usize {
    text.bytes()
        .take(position)
        .filter(|byte| *byte == b'\n')
        .count()
        .saturating_add(1)
}

/// What is wrong with the gateways' configuration. Contains no secret.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that should hold certificates does not.
    #[error("reading certificates from `{}`: it holds none in PEM form", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
    },
    /// The TLS library cannot be used.
    #[error("preparing to call applications: {0}")]
    Client(String),
    /// A variable of the environment is missing.
    #[error(
        "reading a secret: the environment has no `{name}`; set it or correct `{{env:{name}}}`"
    )]
    Environment {
        /// Its name.
        name: String,
    },
    /// A file cannot be read.
    #[error("reading `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A gateway is described wrongly.
    #[error("gateway `{name}`: {message}")]
    Gateway {
        /// Its name; `mail` for the mail server.
        name: String,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// It is no TOML, or has the wrong keys.
    #[error("line {line} of the gateways: {message}")]
    Syntax {
        /// From 1; 0 when unknown.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// More than 256 KiB.
    #[error("the gateways' configuration is longer than {CONFIG_BYTES_MAX} bytes")]
    TooLong,
}

impl ConfigError {
    pub(crate) fn gateway(gateway: &HttpGateway, message: &str) -> Self {
        Self::Gateway {
            name: gateway.name().to_owned(),
            message: message.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
