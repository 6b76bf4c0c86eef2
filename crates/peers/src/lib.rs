//! Whom we call: gateways for SMS, a server for mail, applications that want news. The only crate that opens outgoing
//! connections for the provider.
//!
//! Deliberately absent: when to send, how often to try again and what to say (`journey`, `server`).
//! A send is one attempt; the caller's outbox repeats it after [`PeerError::Temporary`].

mod breaker;
mod config;
mod look;
mod mail;
mod notice;
mod secret;
mod sms;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use reqwest::StatusCode;

pub use self::{
    config::{ConfigError, Gateways},
    look::{Seen, Unseen, look},
    mail::Smtp,
    notice::{Callback, News, PostForm},
    secret::SecretRef,
    sms::{Fallback, HttpGateway, gsm7},
};

/// Monotonic time since some fixed moment, for how long a failing gateway is left alone.
pub type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// Somebody who carries a text to a telephone.
#[async_trait]
pub trait SendSms: Send + Sync {
    /// Hands over one message. `Ok` means that the gateway took it, not that it arrived.
    ///
    /// # Errors
    /// [`PeerError::Temporary`] when a later attempt may succeed, [`PeerError::Permanent`] when it
    /// would be refused again. Neither contains the text.
    async fn send(&self, sms: &Sms) -> Result<Receipt, PeerError>;
}

/// Somebody who carries a letter to a mailbox.
#[async_trait]
pub trait SendMail: Send + Sync {
    /// Hands over one mail. `Ok` means that the server took responsibility for it.
    ///
    /// # Errors
    /// As [`SendSms::send`].
    async fn send(&self, mail: &Mail) -> Result<Receipt, PeerError>;
}

/// A text message. Prints its id only.
#[derive(Clone)]
pub struct Sms {
    /// Names this message in all its attempts, so that a gateway can drop doubles.
    pub id: String,
    /// The number in E.164 form, `+41791234567`.
    pub to: String,
    /// The text, at most [`gsm7::SEGMENTS_MAX`] segments.
    pub text: String,
}

/// A mail of plain text. Prints its id only.
#[derive(Clone)]
pub struct Mail {
    /// Names this mail in all its attempts; the local part of its `Message-ID`. Letters, digits, `-`,
    /// `_` and `.`, at most 64.
    pub id: String,
    /// The address, without a name.
    pub to: String,
    /// The subject: one line.
    pub subject: String,
    /// The text; lines end in `\n`.
    pub text: String,
}

impl fmt::Debug for Sms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sms({:?})", self.id)
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mail({:?})", self.id)
    }
}

/// Who took a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The gateway's name in the configuration, or the mail server's host.
    pub peer: String,
}

/// Why a message was not taken. Contains neither its text nor any secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeerError {
    /// It would be refused again.
    #[error("handing a message to `{peer}` was refused for good: {cause}")]
    Permanent {
        /// Who refused.
        peer: String,
        /// Why.
        cause: Cause,
    },
    /// A later attempt may succeed.
    #[error("handing a message to `{peer}` failed for the moment: {cause}")]
    Temporary {
        /// Who failed.
        peer: String,
        /// Why.
        cause: Cause,
    },
}

impl PeerError {
    /// Whether the same message may be tried again.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Temporary { .. })
    }

    fn permanent(peer: &str, cause: Cause) -> Self {
        Self::Permanent {
            peer: peer.to_owned(),
            cause,
        }
    }

    fn temporary(peer: &str, cause: Cause) -> Self {
        Self::Temporary {
            peer: peer.to_owned(),
            cause,
        }
    }
}

/// What went wrong with a peer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// It answered with this status: of HTTP, or of SMTP.
    #[error("it answered {0}")]
    Answered(u16),
    /// It failed several times and is left alone for a while.
    #[error("it failed {0} times in a row and is not asked for a while")]
    LeftAlone(u32),
    /// A part of the message cannot be sent at all.
    #[error("the {0} cannot be sent")]
    Malformed(&'static str),
    /// The status was right, the text expected in the answer was missing.
    #[error("its answer lacks the text that means success")]
    NotSuccess,
    /// There is nobody to ask.
    #[error("none is configured; add one to `gateways.toml`")]
    NotConfigured,
    /// It sent more than is read.
    #[error("its answer is longer than {0} bytes")]
    TooLong(usize),
    /// No answer in time.
    #[error("no answer within {0} s")]
    TimedOut(u64),
    /// No connection, no TLS, or the connection broke.
    #[error("no connection: {0}")]
    Unreachable(String),
}

/// Who sends text messages, who sends mail, and who posts to applications.
pub type Senders = (Arc<dyn SendSms>, Arc<dyn SendMail>, Arc<dyn PostForm>);

/// Makes the senders a configuration describes: SMS gateways in their order, and mail. Reads the secrets
/// and certificates it names; opens no connection.
///
/// # Errors
/// When a secret or certificate cannot be read.
pub fn connect(gateways: &Gateways, clock: Clock) -> Result<Senders, ConfigError> {
    let mut in_order: Vec<(String, Arc<dyn SendSms>)> = Vec::new();
    for gateway in &gateways.sms {
        in_order.push((
            gateway.name().to_owned(),
            Arc::new(sms::HttpSms::connect(gateway)?),
        ));
    }
    let mail: Arc<dyn SendMail> = match &gateways.mail {
        Some(smtp) => Arc::new(mail::SmtpMail::connect(smtp)?),
        None => Arc::new(mail::NoMail),
    };
    let applications = Arc::new(notice::HttpPost::connect()?);
    Ok((Arc::new(Fallback::new(in_order, clock)), mail, applications))
}

/// The innermost reason of an error, on one line of bounded length: outer layers repeat addresses.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut reason = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    let text = reason.to_string();
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(200)
        .collect()
}

/// [RFC 9110 §15.5.9, §15.6; RFC 6585 §4] statuses that speak of the moment and not of the message.
fn may_succeed_later(status: StatusCode) -> bool {
    matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY)
        || status == StatusCode::TOO_MANY_REQUESTS
        || status.is_server_error()
}

/// Whether a host name or address is this machine.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    match address.parse::<std::net::IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [P02] A code on its way is not printed.
    #[test]
    fn messages_print_no_text() {
        let sms = Sms {
            id: "m1".into(),
            to: "+41791110001".into(),
            text: "123456".into(),
        };
        assert_eq!(format!("{sms:?}"), r#"Sms("m1")"#);
        let [to, subject, text] = ["anna@edu.example", "Code", "123456"].map(str::to_owned);
        let mail = Mail {
            id: "m2".into(),
            to,
            subject,
            text,
        };
        assert_eq!(format!("{mail:?}"), r#"Mail("m2")"#);
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for host in [
            "localhost",
            "127.0.0.1",
            "127.8.0.1",
            "::1",
            "[::1]",
            "::ffff:127.0.0.1",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.example", "10.0.0.1", "sms.example", "", "::"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
