//! Where a secret of the configuration is kept.

use std::{env, fmt, fs, path::PathBuf};

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::ConfigError;

/// A secret named in a configuration: `{env:NAME}` in the environment, `{file:PATH}` in a file (without
/// its last line end), anything else is the secret itself. Silent when printed.
#[derive(Clone, Deserialize)]
#[serde(from = "String")]
pub struct SecretRef(Kept);

#[derive(Clone)]
enum Kept {
    Environment(String),
    File(PathBuf),
    Here(Zeroizing<String>),
}

impl SecretRef {
    /// `env:NAME` or `file:PATH`, as between braces.
    pub(crate) fn named(reference: &str) -> Option<Self> {
        let (kind, place) = reference.split_once(':')?;
        match (kind, place) {
            (_, "") => None,
            ("env", name) => Some(Self(Kept::Environment(name.to_owned()))),
            ("file", path) => Some(Self(Kept::File(PathBuf::from(path)))),
            _ => None,
        }
    }

    /// Fetches the secret.
    ///
    /// # Errors
    /// When the variable or the file is not there.
    pub fn read(&self) -> Result<Zeroizing<String>, ConfigError> {
        match &self.0 {
            Kept::Environment(name) => env::var(name)
                .map(Zeroizing::new)
                .map_err(|_| ConfigError::Environment { name: name.clone() }),
            Kept::File(path) => {
                let read = fs::read_to_string(path).map(Zeroizing::new);
                let text = read.map_err(|source| ConfigError::File {
                    path: path.clone(),
                    source,
                })?;
                Ok(Zeroizing::new(
                    text.trim_end_matches(['\r', '\n']).to_owned(),
                ))
            }
            Kept::Here(secret) => Ok(secret.clone()),
        }
    }
}

impl From<String> for SecretRef {
    fn from(text: String) -> Self {
        let inside = text
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        match inside.and_then(Self::named) {
            Some(reference) => reference,
            None => Self(Kept::Here(Zeroizing::new(text))),
        }
    }
}

impl fmt::Debug for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kept::Environment(name) => write!(f, "{{env:{name}}}"),
            Kept::File(path) => write!(f, "{{file:{}}}", path.display()),
            Kept::Here(_) => f.write_str("SecretRef"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_from_where_it_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "s3cret\n").unwrap();
        let kept = SecretRef::from(format!("{{file:{}}}", path.display()));
        assert_eq!(kept.read().unwrap().as_str(), "s3cret");
        assert_eq!(
            SecretRef::from("s3cret".to_owned())
                .read()
                .unwrap()
                .as_str(),
            "s3cret"
        );
        assert!(
            !SecretRef::from("{env:PATH}".to_owned())
                .read()
                .unwrap()
                .is_empty()
        );

        let missing = SecretRef::from("{env:FURKA_NOT_SET}".to_owned())
            .read()
            .unwrap_err();
        assert!(missing.to_string().contains("`FURKA_NOT_SET`"), "{missing}");
    }

    /// [P02] A secret written into the configuration is not printed.
    #[test]
    fn a_secret_prints_nothing() {
        assert_eq!(
            format!("{:?}", SecretRef::from("s3cret".to_owned())),
            "SecretRef"
        );
        assert_eq!(
            format!("{:?}", SecretRef::from("{env:KEY}".to_owned())),
            "{env:KEY}"
        );
    }
}
