//! All registered applications: the file `applications.toml`.

use serde::{Deserialize, Serialize};

use super::{Client, ClientFlaw};

/// The registered applications.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Applications {
    /// One table a registered application.
    #[serde(default)]
    pub application: Vec<Client>,
}

/// What is wrong with the file, and where.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ApplicationsFlaw {
    /// An application is not as it must be.
    #[error("application `{id}`: {flaw}")]
    Application {
        /// Its id as written.
        id: String,
        /// What is wrong.
        flaw: ClientFlaw,
    },
    /// Two applications have the same id.
    #[error("application `{0}` is there twice; give one of them another id")]
    Twice(String),
}

impl Applications {
    /// Everything that is wrong; empty when the applications may be used.
    #[must_use]
    pub fn check(&self) -> Vec<ApplicationsFlaw> {
        let mut flaws = Vec::new();
        for (number, client) in self.application.iter().enumerate() {
            if self
                .application
                .iter()
                .take(number)
                .any(|other| other.id == client.id)
            {
                flaws.push(ApplicationsFlaw::Twice(client.id.clone()));
            }
            flaws.extend(
                client
                    .check()
                    .into_iter()
                    .map(|flaw| ApplicationsFlaw::Application {
                        id: client.id.clone(),
                        flaw,
                    }),
            );
        }
        flaws
    }

    /// The application of this id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Client> {
        self.application.iter().find(|client| client.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ent, native};

    #[test]
    fn the_file_is_read_written_and_checked_as_a_whole() {
        let good = Applications {
            application: vec![ent(), native()],
        };
        let text = toml::to_string(&good).unwrap();
        assert_eq!(toml::from_str::<Applications>(&text).unwrap(), good);
        assert_eq!(good.check(), []);
        assert_eq!(good.find("native"), Some(&native()));
        assert_eq!(good.find(""), None);
        let nameless = Client {
            id: String::new(),
            ..ent()
        };
        let bad = Applications {
            application: vec![ent(), ent(), nameless],
        };
        assert_eq!(
            bad.check(),
            [
                ApplicationsFlaw::Twice("ent".to_owned()),
                ApplicationsFlaw::Application {
                    id: String::new(),
                    flaw: ClientFlaw::Id
                }
            ]
        );
        assert!(toml::from_str::<Applications>("[[applications]]").is_err());
    }
}
