//! The page that carries an answer to an application as a form, which goes off by itself, with a button
//! where scripts are off.

use super::shown_by;

/// The page.
#[derive(Clone, Debug)]
pub struct Posted {
    /// Where the form goes: one of the application's own addresses.
    pub to: String,
    /// Names and values.
    pub fields: Vec<(String, String)>,
}

shown_by!(Posted, "posted.html");

#[cfg(test)]
impl super::Samples for Posted {
    fn samples() -> Vec<(&'static str, Self)> {
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let plain = Self {
            to: "https://app.example.ch/signin-oidc".to_owned(),
            fields: vec![
                field("code", &"c2VhbGVk".repeat(100)),
                field("state", "a \"quoted\" <state>"),
            ],
        };
        vec![("plain", plain)]
    }
}
