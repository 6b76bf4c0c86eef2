//! What the caller gives the demo, and what the provider must be told about it.

use std::net::SocketAddr;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use serde::Serialize;
use serde_json::json;
use wire::jose::SigningKey;
use wire::saml::relying_party::Own;
use wire::saml::{Credential, certificate};

use crate::people::Person;
use crate::phone::token::HardwareToken;
use crate::place::Places;
use crate::secret::Secret;

/// The public origins of the four ports, without a slash at the end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Origins {
    /// Port N: the provider behind the front proxy. It is the issuer as well.
    pub provider: String,
    /// Port N+1.
    pub ent: String,
    /// Port N+2.
    pub ism: String,
    /// Port N+3.
    pub phone: String,
}

impl Origins {
    /// The four origins on `localhost` from `port` upwards.
    pub fn on_localhost(port: u16) -> Self {
        let origin = |above: u16| format!("http://localhost:{}", port.saturating_add(above));
        Self {
            provider: origin(0),
            ent: origin(1),
            ism: origin(2),
            phone: origin(3),
        }
    }
}

/// Everything about one canton that is fixed at its start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where its rooms stand.
    pub origins: Origins,
    /// The ENT's client secret.
    pub ent_secret: Secret,
    /// The key that the ISM signs its requests with.
    pub ism_key: SamlKey,
    /// What makes the names by which the ISM knows people its own: at least 32 letters and digits of chance.
    pub ism_salt: Secret,
    /// What the provider shows at the SMS gateway as bearer token.
    pub gateway_token: Secret,
    /// Whom one can be.
    pub people: Vec<Person>,
    /// The hardware tokens that people hold.
    pub tokens: Vec<HardwareToken>,
    /// `otpauth://` links that the authenticator app has scanned already.
    pub scanned: Vec<String>,
    /// The addresses of home, school and State.
    pub places: Places,
}

impl Settings {
    /// `applications.toml` for the provider: the registrations of ENT and ISM.
    ///
    /// # Errors
    /// Fails only where the text cannot be made, which no setting causes.
    pub fn applications_toml(&self) -> Result<String, SettingsError> {
        toml::to_string(&Registrations {
            application: vec![self.ent()],
            saml: vec![self.ism()],
        })
        .map_err(SettingsError::Toml)
    }

    /// `gateways.toml` for the provider: text messages go to the phone's page, mail to the server
    /// at `mailbox`. It holds the gateway's token.
    ///
    /// # Errors
    /// Fails only where the text cannot be made, which no setting causes.
    pub fn gateways_toml(&self, mailbox: SocketAddr) -> Result<String, SettingsError> {
        let gateways = json!({
            "sms": [{
                "name": "demo",
                "url": format!("{}/gateway/sms", self.origins.phone),
                "headers": { "Authorization": format!("Bearer {}", self.gateway_token.reveal()) },
                "body": { "json": r#"{"to": "{to}", "text": "{text}", "id": "{id}"}"# },
            }],
            "mail": {
                "host": mailbox.ip().to_string(),
                "port": mailbox.port(),
                "tls": "none",
                "from": "Canton <noreply@edu.example.ch>",
            },
        });
        toml::to_string(&gateways).map_err(SettingsError::Toml)
    }

    fn ent(&self) -> Registration {
        let hash = digest(&SHA256, self.ent_secret.reveal().as_bytes());
        let name = Names {
            fr: "ENT \u{2013} Environnement num\u{e9}rique de travail",
            de: "DAU \u{2013} Digitale Arbeitsumgebung",
            en: "ENT \u{2013} digital workspace",
        };
        let origin = &self.origins.ent;
        Registration {
            id: "ent",
            kind: "confidential",
            redirect_uris: vec![format!("{origin}/callback")],
            post_logout_redirect_uris: vec![format!("{origin}/signed-out")],
            backchannel_logout_uri: format!("{origin}/session-over"),
            initiate_login_uri: format!("{origin}/initiate"),
            home: format!("{origin}/"),
            auth: "basic",
            secret_sha256: HEXLOWER.encode(hash.as_ref()),
            scopes: vec!["openid", "profile", "email"],
            id_token_alg: "ES256",
            minimum: "password",
            trusted: true,
            enabled: true,
            name,
        }
    }

    fn ism(&self) -> SamlRegistration {
        let name = Names {
            fr: "ISM \u{2013} Administration scolaire",
            de: "ISM \u{2013} Schulverwaltung",
            en: "ISM \u{2013} school administration",
        };
        let certificate = self.ism_key.credential().certificate();
        SamlRegistration {
            id: "ism",
            salt: self.ism_salt.reveal().to_owned(),
            attributes: vec![
                "subject_id",
                "uid",
                "display_name",
                "given_name",
                "sn",
                "mail",
                "methods",
            ],
            minimum: "strong",
            signed_requests: true,
            backchannel_logout: true,
            unsolicited: true,
            enabled: true,
            metadata: self.ism_own().metadata(certificate),
            name,
        }
    }

    /// The ISM's names and addresses.
    pub(crate) fn ism_own(&self) -> Own {
        let below = |path: &str| format!("{}/saml/{path}", self.origins.ism);
        Own {
            entity_id: below("metadata"),
            consumer: below("acs"),
            logout: below("slo"),
        }
    }
}

/// What cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Another key than RSA.
    #[error(
        "the key given to the ISM is no RSA key, with which SAML messages are signed; generate one"
    )]
    Key,
    /// A file could not be written.
    #[error("writing the provider's files as TOML failed")]
    Toml(#[source] toml::ser::Error),
    /// A link in `scanned` is none.
    #[error("reading the link an authenticator app has scanned failed")]
    Scanned(#[source] crate::phone::authenticator::ScanError),
}

#[derive(Serialize)]
struct Registrations {
    application: Vec<Registration>,
    saml: Vec<SamlRegistration>,
}

#[derive(Serialize)]
struct SamlRegistration {
    id: &'static str,
    salt: String,
    attributes: Vec<&'static str>,
    minimum: &'static str,
    signed_requests: bool,
    backchannel_logout: bool,
    unsolicited: bool,
    enabled: bool,
    metadata: String,
    name: Names,
}

#[derive(Serialize)]
struct Registration {
    id: &'static str,
    kind: &'static str,
    redirect_uris: Vec<String>,
    post_logout_redirect_uris: Vec<String>,
    backchannel_logout_uri: String,
    initiate_login_uri: String,
    home: String,
    auth: &'static str,
    secret_sha256: String,
    scopes: Vec<&'static str>,
    id_token_alg: &'static str,
    minimum: &'static str,
    trusted: bool,
    enabled: bool,
    name: Names,
}

#[derive(Serialize)]
struct Names {
    fr: &'static str,
    de: &'static str,
    en: &'static str,
}

/// An RSA key with the certificate that carries its public half in metadata; prints nothing of it.
#[derive(Clone)]
pub struct SamlKey {
    key: Arc<SigningKey>,
    certificate: String,
}

impl SamlKey {
    /// This key, so that the caller decides chance and keeping.
    ///
    /// # Errors
    /// [`SettingsError::Key`] where it is no RSA key.
    pub fn new(key: SigningKey) -> Result<Self, SettingsError> {
        let certificate = certificate(&key).ok_or(SettingsError::Key)?;
        let key = Arc::new(key);
        Ok(Self { key, certificate })
    }

    pub(crate) fn credential(&self) -> Credential<'_> {
        Credential::new(&self.key, &self.certificate)
    }
}

impl std::fmt::Debug for SamlKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SamlKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toys::settings;

    #[test]
    fn the_registrations_are_what_the_portals_do() {
        let text = settings().applications_toml().unwrap();
        let read: toml::Value = toml::from_str(&text).unwrap();
        let (ent, ism) = (&read["application"][0], &read["saml"][0]);
        assert_eq!(
            ent["redirect_uris"][0].as_str(),
            Some("http://localhost:8401/callback")
        );
        assert_eq!(ent["auth"].as_str(), Some("basic"));
        assert_eq!(ent["secret_sha256"].as_str().map(str::len), Some(64));
        assert_eq!(ism["minimum"].as_str(), Some("strong"));
        // The provider's own reader takes it.
        let ism: wire::saml::Application = ism.clone().try_into().unwrap();
        assert_eq!(ism.check(), []);
        let described = ism.provider(0).unwrap();
        assert_eq!(
            described.default_consumer().unwrap().location,
            "http://localhost:8402/saml/acs"
        );
        assert!(!text.contains(settings().ent_secret.reveal()));
    }

    #[test]
    fn messages_are_sent_to_the_phone_and_the_mailbox() {
        let text = settings()
            .gateways_toml(([127, 0, 0, 1], 2525).into())
            .unwrap();
        let read: toml::Value = toml::from_str(&text).unwrap();
        let sms = &read["sms"][0];
        assert_eq!(
            sms["url"].as_str(),
            Some("http://localhost:8403/gateway/sms")
        );
        assert_eq!(
            sms["headers"]["Authorization"].as_str(),
            Some("Bearer gateway-token")
        );
        assert_eq!(read["mail"]["port"].as_integer(), Some(2525));
        assert_eq!(read["mail"]["tls"].as_str(), Some("none"));
    }

    #[test]
    fn no_secret_is_printed() {
        let printed = format!("{:?}", settings());
        assert!(!printed.contains(settings().ent_secret.reveal()));
        assert!(!printed.contains(settings().gateway_token.reveal()));
        assert!(!printed.contains(settings().ism_salt.reveal()));
    }

    #[test]
    fn a_key_that_is_not_rsa_is_no_key() {
        let key = SigningKey::generate(wire::jose::SigningAlg::Es256).unwrap();
        assert!(matches!(SamlKey::new(key), Err(SettingsError::Key)));
    }
}
