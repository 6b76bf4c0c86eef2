//! Mail over SMTP, encrypted or not at all.

use std::{fs, path::PathBuf, time::Duration};

use async_trait::async_trait;
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox, SinglePart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::{
        self,
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
        extension::ClientId,
    },
};
use serde::Deserialize;

use crate::{
    Cause, ConfigError, Mail, PeerError, Receipt, SecretRef, SendMail, innermost, is_loopback,
};

const TIMEOUT_S_MAX: u64 = 60;
const SUBJECT_CHARS_MAX: usize = 200;
const TEXT_BYTES_MAX: usize = 64 * 1024;
const ID_CHARS_MAX: usize = 64;

/// The mail server, as `gateways.toml` describes it; see [`crate::Gateways::example`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    host: String,
    port: Option<u16>,
    tls: Encryption,
    from: String,
    username: Option<String>,
    password: Option<SecretRef>,
    #[serde(default = "timeout_s_default")]
    timeout_s: u64,
    ca_file: Option<PathBuf>,
}

fn timeout_s_default() -> u64 {
    20
}

/// How the connection is encrypted. There is no "if the server offers it".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Encryption {
    Implicit,
    None,
    Starttls,
}

impl Smtp {
    /// What the types do not say. The error is one sentence.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.host.is_empty() || !self.host.bytes().all(|b| b.is_ascii_graphic()) {
            return Err("`host` needs a name or an address".to_owned());
        }
        if self.tls == Encryption::None && !is_loopback(&self.host) {
            return Err("`tls = \"none\"` is allowed only to this machine".to_owned());
        }
        if !(1..=TIMEOUT_S_MAX).contains(&self.timeout_s) {
            return Err(format!("`timeout_s` must be 1 to {TIMEOUT_S_MAX}"));
        }
        if self.username.is_some() != self.password.is_some() {
            return Err("`username` and `password` go together".to_owned());
        }
        if self.username.as_ref().is_some_and(String::is_empty) {
            return Err("`username` is empty; leave both out to send without".to_owned());
        }
        self.sender().map(drop)
    }

    fn sender(&self) -> Result<Mailbox, String> {
        let sender: Mailbox = self.from.parse().map_err(|error| {
            format!("`from` is no address like `Name <name@example.ch>`: {error}")
        })?;
        Ok(sender)
    }

    fn encryption(&self) -> Result<Tls, ConfigError> {
        if self.tls == Encryption::None {
            return Ok(Tls::None);
        }
        let mut parameters = TlsParameters::builder(self.host.clone());
        if let Some(path) = &self.ca_file {
            let unreadable = |source| ConfigError::File {
                path: path.clone(),
                source,
            };
            let pem = fs::read(path).map_err(unreadable)?;
            let certificate = Certificate::from_pem(&pem);
            let no_certificate = |_| ConfigError::Certificate { path: path.clone() };
            parameters = parameters.add_root_certificate(certificate.map_err(no_certificate)?);
        }
        let parameters = parameters
            .build()
            .map_err(|error| wrong(&innermost(&error)))?;
        Ok(match self.tls {
            Encryption::Implicit => Tls::Wrapper(parameters),
            _ => Tls::Required(parameters),
        })
    }
}

fn wrong(message: &str) -> ConfigError {
    ConfigError::Gateway {
        name: "mail".to_owned(),
        message: message.to_owned(),
    }
}

/// A mail server ready to be asked. Each mail has its own connection.
pub(crate) struct SmtpMail {
    host: String,
    from: Mailbox,
    timeout_s: u64,
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

impl SmtpMail {
    pub(crate) fn connect(smtp: &Smtp) -> Result<Self, ConfigError> {
        let from = smtp.sender().map_err(|message| wrong(&message))?;
        let port = smtp.port.unwrap_or(match smtp.tls {
            Encryption::Implicit => 465,
            Encryption::None => 25,
            Encryption::Starttls => 587,
        });
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host)
            .port(port)
            .tls(smtp.encryption()?)
            .hello_name(ClientId::Domain(from.email.domain().to_owned()))
            .timeout(Some(Duration::from_secs(smtp.timeout_s)));
        if let (Some(username), Some(password)) = (&smtp.username, &smtp.password) {
            let password = password.read()?.to_string();
            transport = transport.credentials(Credentials::new(username.clone(), password));
        }
        let (host, timeout_s) = (smtp.host.clone(), smtp.timeout_s);
        Ok(Self {
            host,
            from,
            timeout_s,
            transport: transport.build(),
        })
    }

    /// [P08] Nothing in a mail can become a header: addresses are parsed, the subject is one line, the id
    /// a word.
    fn write(&self, mail: &Mail) -> Result<Message, PeerError> {
        let refuse = |what| PeerError::permanent(&self.host, Cause::Malformed(what));
        let to: Address = mail.to.parse().map_err(|_| refuse("address"))?;
        let is_word = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if !(1..=ID_CHARS_MAX).contains(&mail.id.len()) || !mail.id.chars().all(is_word) {
            return Err(refuse("id"));
        }
        let subject_chars = mail.subject.chars().count();
        if subject_chars > SUBJECT_CHARS_MAX || mail.subject.contains(char::is_control) {
            return Err(refuse("subject"));
        }
        if mail.text.len() > TEXT_BYTES_MAX {
            return Err(refuse("text, which is too long,"));
        }
        // [RFC 3834 §5] tells vacation programs and lists that nobody wrote this by hand.
        let automatic = HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        );
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .message_id(Some(format!("<{}@{}>", mail.id, self.from.email.domain())))
            .subject(mail.subject.as_str())
            .raw_header(automatic)
            .singlepart(SinglePart::plain(mail.text.clone()))
            .map_err(|_| refuse("mail"))
    }

    fn failed(&self, error: &smtp::Error) -> PeerError {
        match error.status() {
            // [RFC 5321 §4.2.1] 5yz "The command was not accepted and the requested action did not occur.
            // The SMTP client SHOULD NOT repeat the exact request".
            Some(code) if error.is_permanent() => {
                PeerError::permanent(&self.host, Cause::Answered(code.into()))
            }
            Some(code) => PeerError::temporary(&self.host, Cause::Answered(code.into())),
            None if error.is_timeout() => self.too_late(),
            // A certificate or an encryption that is missing is no fault of the mail: it waits for a cure.
            None => PeerError::temporary(&self.host, Cause::Unreachable(innermost(error))),
        }
    }

    fn too_late(&self) -> PeerError {
        PeerError::temporary(&self.host, Cause::TimedOut(self.timeout_s))
    }
}

#[async_trait]
impl SendMail for SmtpMail {
    async fn send(&self, mail: &Mail) -> Result<Receipt, PeerError> {
        let message = self.write(mail)?;
        // The transport's own limit is for each command; this one is for the whole conversation.
        let limit = Duration::from_secs(self.timeout_s);
        match tokio::time::timeout(limit, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(Receipt {
                peer: self.host.clone(),
            }),
            Ok(Err(error)) => Err(self.failed(&error)),
            Err(_) => Err(self.too_late()),
        }
    }
}

/// No mail server is configured: mails wait until one is.
pub(crate) struct NoMail;

#[async_trait]
impl SendMail for NoMail {
    async fn send(&self, _: &Mail) -> Result<Receipt, PeerError> {
        Err(PeerError::temporary("mail", Cause::NotConfigured))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Gateways;

    fn sender() -> SmtpMail {
        let text =
            "[mail]\nhost = \"localhost\"\ntls = \"none\"\nfrom = \"École <no@edu.example>\"\n";
        SmtpMail::connect(&Gateways::parse(text).unwrap().mail.unwrap()).unwrap()
    }

    fn mail(to: &str, subject: &str, id: &str) -> Mail {
        let [id, to, subject, text] = [id, to, subject, "Code 123456\n"].map(str::to_owned);
        Mail {
            id,
            to,
            subject,
            text,
        }
    }

    fn written(mail: &Mail) -> String {
        String::from_utf8(sender().write(mail).unwrap().formatted()).unwrap()
    }

    #[test]
    fn a_mail_carries_its_id_and_says_that_it_is_automatic() {
        let text = written(&mail("anna@edu.example", "Clé d'accès", "m-1"));
        for line in [
            "Message-ID: <m-1@edu.example>\r\n",
            "To: anna@edu.example\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "From: =?utf-8?",
            "Subject: =?utf-8?",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }

    /// [P08] Nothing in a mail becomes a header.
    #[test]
    fn lines_cannot_be_smuggled_into_headers() {
        let refused = |mail: Mail| sender().write(&mail).unwrap_err();
        let permanent = |what| PeerError::permanent("localhost", Cause::Malformed(what));
        for to in [
            "a@b.example\r\nBcc: c@d.example",
            "a@b.example, c@d.example",
            "<a@b.example>",
            "",
        ] {
            assert_eq!(
                refused(mail(to, "Code", "m1")),
                permanent("address"),
                "{to}"
            );
        }
        for subject in ["a\r\nBcc: c@d.example", "a\nb", "a\0b", &"x".repeat(201)] {
            assert_eq!(
                refused(mail("a@b.example", subject, "m1")),
                permanent("subject")
            );
        }
        for id in ["", "a b", "a>\r\nBcc: c@d", "a@b", &"x".repeat(65)] {
            assert_eq!(
                refused(mail("a@b.example", "Code", id)),
                permanent("id"),
                "{id}"
            );
        }
    }
}
