//! The page that carries a SAML message to an application: a form that goes off by itself, with a
//! button where scripts are off.

use super::{Frame, shown_by};

/// The page.
#[derive(Clone, Debug)]
pub struct Onward {
    /// Where the form goes: an address from the application's metadata.
    pub to: String,
    /// `SAMLRequest` or `SAMLResponse`.
    pub parameter: &'static str,
    /// The message, as base64.
    pub message: String,
    /// What the application wants back.
    pub relay_state: Option<String>,
    /// What people call the application.
    pub application: String,
    /// The person may not enter: they are told here first, and nothing goes off by itself.
    pub denied: bool,
}

shown_by!(Onward, "onward.html");

impl Onward {
    fn title(&self, frame: &Frame<'_>) -> String {
        if self.denied {
            return frame.say("refused-not-for-you").into_owned();
        }
        frame
            .given("application", self.application.as_str())
            .say("onward-title")
    }
}

#[cfg(test)]
impl super::Samples for Onward {
    fn samples() -> Vec<(&'static str, Self)> {
        let plain = Self {
            to: "https://ism.vs.ch/Shibboleth.sso/SAML2/POST".to_owned(),
            parameter: "SAMLResponse",
            message: "UEhOaGJXeHc=".repeat(400),
            relay_state: Some("ss:mem:1f2e".to_owned()),
            application: "ISM".to_owned(),
            denied: false,
        };
        let denied = Self {
            denied: true,
            ..plain.clone()
        };
        vec![("denied", denied), ("plain", plain)]
    }
}
