//! [Guide 1.2] "À noter : la configuration de l'authentification forte n'est possible qu'hors du
//! réseau de l'État du Valais et des établissements cantonaux."

use journey::Timestamp;

use super::{Frame, Link, Who, qr, shown_by, time};

/// The refusal to enrol in a network where nobody enrols, with the way on.
#[derive(Clone, Debug)]
pub struct EnrolElsewhere {
    /// The name of the network that was recognised.
    pub zone: String,
    /// The address at which one goes on, once, from a public network.
    pub resume_link: String,
    /// Until when it works.
    pub valid_until: Timestamp,
    /// Whether the address was sent to the person's mailbox, too.
    pub mailed: bool,
    /// Who is enrolling.
    pub who: Option<Who>,
    /// Back to the application.
    pub back: Option<Link>,
}

shown_by!(EnrolElsewhere, "elsewhere.html");

impl EnrolElsewhere {
    fn qr(&self) -> Option<String> {
        qr::svg(&self.resume_link)
    }

    fn until(&self, frame: &Frame<'_>) -> String {
        time::day_and_clock(frame, self.valid_until)
    }
}

#[cfg(test)]
impl super::Samples for EnrolElsewhere {
    fn samples() -> Vec<(&'static str, Self)> {
        let plain = Self {
            zone: "Centre scolaire de Martigny".to_owned(),
            resume_link: "https://identite.vs.ch/resume/mJ3vQ2kX9bT7wLr5".to_owned(),
            valid_until: Timestamp(1_786_946_100),
            mailed: true,
            who: Some(Who::sample()),
            back: Some(Link {
                name: "ENT".to_owned(),
                url: "https://edu.vs.ch/".to_owned(),
            }),
        };
        vec![
            (
                "no-way-back",
                Self {
                    back: None,
                    mailed: false,
                    who: None,
                    ..plain.clone()
                },
            ),
            ("plain", plain),
        ]
    }
}
