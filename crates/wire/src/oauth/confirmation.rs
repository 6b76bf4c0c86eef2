//! To what a token is bound: whoever shows it must show that, too [RFC 7800].

use serde::{Deserialize, Serialize};

/// To what a token is bound; in a token, the claim `cnf`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Confirmation {
    /// The thumbprint of a key, which a proof shows [RFC 9449 §6].
    #[serde(rename = "jkt")]
    Key(String),
    /// The thumbprint of a certificate, which the TLS connection shows [RFC 8705 §3.1].
    #[serde(rename = "x5t#S256")]
    Certificate(String),
}

impl Confirmation {
    /// The thumbprint of the key, if it is one.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Key(key) => Some(key),
            Self::Certificate(_) => None,
        }
    }

    /// The thumbprint of the certificate, if it is one.
    #[must_use]
    pub fn certificate(&self) -> Option<&str> {
        match self {
            Self::Key(_) => None,
            Self::Certificate(certificate) => Some(certificate),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// [RFC 8705 §3.1] "The base64url-encoded value MUST omit all trailing pad '=' characters and MUST NOT include any line breaks, whitespace, or other additional characters."
    #[test]
    fn a_binding_is_written_as_the_standards_name_it() {
        for (bound, written) in [
            (Confirmation::Key("k".to_owned()), json!({ "jkt": "k" })),
            (
                Confirmation::Certificate("c".to_owned()),
                json!({ "x5t#S256": "c" }),
            ),
        ] {
            assert_eq!(serde_json::to_value(&bound).unwrap(), written);
            assert_eq!(
                serde_json::from_value::<Confirmation>(written).unwrap(),
                bound
            );
        }
        let both = json!({ "jkt": "k", "x5t#S256": "c" });
        assert!(serde_json::from_value::<Confirmation>(both).is_err());
    }
}
