//! What the caller gives the demo, and what the provider must be told about it.

use std::net::SocketAddr;

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use jsonwebtoken::EncodingKey;
use serde::Serialize;
use serde_json::json;

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
    /// The ISM's signing key for `private_key_jwt`.
    pub ism_key: ClientKey,
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
            application: vec![self.ent(), self.ism()],
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
        Registration {
            auth: "basic",
            secret_sha256: Some(HEXLOWER.encode(hash.as_ref())),
            id_token_alg: "ES256",
            minimum: "password",
            ..Registration::at("ent", name, &self.origins.ent)
        }
    }

    fn ism(&self) -> Registration {
        let name = Names {
            fr: "ISM \u{2013} Administration scolaire",
            de: "ISM \u{2013} Schulverwaltung",
            en: "ISM \u{2013} school administration",
        };
        Registration {
            auth: "private_key_jwt",
            jwks: Some(json!({ "keys": [self.ism_key.public_jwk()] })),
            id_token_alg: "RS256",
            minimum: "strong",
            ..Registration::at("ism", name, &self.origins.ism)
        }
    }
}

/// What cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Thirty-two bytes outside the order of the curve.
    #[error("the bytes given as client key are no P-256 private key; draw others")]
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
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks: Option<serde_json::Value>,
    scopes: Vec<&'static str>,
    id_token_alg: &'static str,
    minimum: &'static str,
    trusted: bool,
    enabled: bool,
    name: Names,
}

impl Registration {
    fn at(id: &'static str, name: Names, origin: &str) -> Self {
        Self {
            id,
            kind: "confidential",
            redirect_uris: vec![format!("{origin}/callback")],
            post_logout_redirect_uris: vec![format!("{origin}/signed-out")],
            backchannel_logout_uri: format!("{origin}/session-over"),
            initiate_login_uri: format!("{origin}/initiate"),
            home: format!("{origin}/"),
            auth: "",
            secret_sha256: None,
            jwks: None,
            scopes: vec!["openid", "profile", "email"],
            id_token_alg: "",
            minimum: "",
            trusted: true,
            enabled: true,
            name,
        }
    }
}

#[derive(Serialize)]
struct Names {
    fr: &'static str,
    de: &'static str,
    en: &'static str,
}

/// A P-256 key by which a client proves itself; prints nothing of it.
#[derive(Clone)]
pub struct ClientKey {
    signing: EncodingKey,
    x: String,
    y: String,
}

impl ClientKey {
    /// The key whose private scalar is `bytes`, so that the caller decides chance and keeping.
    ///
    /// # Errors
    /// [`SettingsError::Key`] where the bytes are zero or beyond the curve's order (about one in
    /// 2³² draws).
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, SettingsError> {
        let public = PrivateKey::from_private_key(&ECDH_P256, bytes)
            .map_err(|_| SettingsError::Key)?
            .compute_public_key()
            .map_err(|_| SettingsError::Key)?;
        let pair = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            bytes,
            public.as_ref(),
        )
        .map_err(|_| SettingsError::Key)?;
        let document = pair.to_pkcs8v1().map_err(|_| SettingsError::Key)?;
        let (Some(x), Some(y)) = (public.as_ref().get(1..33), public.as_ref().get(33..65)) else {
            return Err(SettingsError::Key);
        };
        Ok(Self {
            signing: EncodingKey::from_ec_der(document.as_ref()),
            x: BASE64URL_NOPAD.encode(x),
            y: BASE64URL_NOPAD.encode(y),
        })
    }

    /// The name of this key in the header of what it signs.
    pub(crate) const KID: &str = "ism-1";

    pub(crate) fn signing(&self) -> &EncodingKey {
        &self.signing
    }

    pub(crate) fn public_jwk(&self) -> serde_json::Value {
        json!({
            "kty": "EC", "crv": "P-256", "x": self.x, "y": self.y,
            "use": "sig", "alg": "ES256", "kid": Self::KID,
        })
    }
}

impl std::fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientKey(..)")
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
        let (ent, ism) = (&read["application"][0], &read["application"][1]);
        assert_eq!(
            ent["redirect_uris"][0].as_str(),
            Some("http://localhost:8401/callback")
        );
        assert_eq!(ent["auth"].as_str(), Some("basic"));
        assert_eq!(ent["secret_sha256"].as_str().map(str::len), Some(64));
        assert_eq!(ism["minimum"].as_str(), Some("strong"));
        assert_eq!(ism["jwks"]["keys"][0]["crv"].as_str(), Some("P-256"));
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
    }

    #[test]
    fn zeros_are_no_key() {
        assert!(matches!(
            ClientKey::from_bytes(&[0; 32]),
            Err(SettingsError::Key)
        ));
    }
}
