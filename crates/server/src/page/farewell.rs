//! After a sign-out, or a sign-in over the session of somebody else: the browser tells applications of it, each
//! in a frame of its own that nobody sees.

use super::{Link, shown_by};

/// The page.
#[derive(Clone, Debug)]
pub struct Farewell {
    /// The applications.
    pub rows: Vec<FarewellRow>,
    /// Where one goes on, if anywhere. Without a name, it is no application.
    pub link: Option<Link>,
    /// Who is here has signed in, and somebody else is out.
    pub of_somebody_else: bool,
}

/// One application.
#[derive(Clone, Debug)]
pub struct FarewellRow {
    /// What people call it.
    pub name: String,
    /// What its frame loads.
    pub src: String,
}

shown_by!(Farewell, "farewell.html");

#[cfg(test)]
impl super::Samples for Farewell {
    fn samples() -> Vec<(&'static str, Self)> {
        let row = |name: &str, src: &str| FarewellRow {
            name: name.to_owned(),
            src: src.to_owned(),
        };
        let plain = Self {
            rows: vec![
                row(
                    "ENT",
                    "https://edu.vs.ch/out?iss=https%3A%2F%2Fid.example&sid=5e55",
                ),
                row(
                    "Moodle \"M\" <Martigny>",
                    "https://moodle.example.ch/out?a=\"1\"",
                ),
            ],
            link: Some(Link {
                name: "ENT".to_owned(),
                url: "https://edu.vs.ch/bye?state=a".to_owned(),
            }),
            of_somebody_else: false,
        };
        let saml = Self {
            link: Some(Link {
                name: String::new(),
                url: "/saml/leave".to_owned(),
            }),
            ..plain.clone()
        };
        let own = Self {
            link: None,
            ..plain.clone()
        };
        let over = Self {
            link: Some(Link {
                name: String::new(),
                url: "https://edu.vs.ch/callback?code=c".to_owned(),
            }),
            of_somebody_else: true,
            ..plain.clone()
        };
        vec![
            ("own", own),
            ("over", over),
            ("plain", plain),
            ("saml", saml),
        ]
    }
}
