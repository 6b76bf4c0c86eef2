//! Front-Channel Logout 1.0: where a browser that signs out tells an application so, in a frame.

use super::Issuer;
use crate::form::with_query;
use crate::oauth::client::{Client, web_origin};

/// A frame of the page that is shown after a sign-out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Frame {
    /// Scheme, host and port, as a policy for browsers names them.
    pub origin: String,
    /// What the frame loads.
    pub src: String,
}

impl Client {
    /// The frame that tells this application that the session `sid`, as its ID tokens name it, has ended; none
    /// if it wants none.
    // [Front-Channel Logout §2] "The OP renders <iframe src="frontchannel_logout_uri"> in a page with the registered logout URI as the source to trigger the logout actions by the RP."
    #[must_use]
    pub fn farewell_frame(&self, issuer: &Issuer, sid: &str) -> Option<Frame> {
        let uri = self.frontchannel_logout_uri.as_deref()?;
        let origin = web_origin(uri)?;
        // [Front-Channel Logout §2] "if either is included, both MUST be"
        let told = |value| self.frontchannel_logout_session_required.then_some(value);
        let pairs = [("iss", told(issuer.as_str())), ("sid", told(sid))];
        // [Front-Channel Logout §2] "which MUST be retained when adding additional query parameters"
        let src = with_query(uri, &pairs);
        Some(Frame { origin, src })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::client::{ClientFlaw, UriFlaw};
    use crate::testing::{ent, issuer};

    fn told(uri: &str, session: bool) -> Client {
        Client {
            frontchannel_logout_uri: Some(uri.to_owned()),
            frontchannel_logout_session_required: session,
            ..ent()
        }
    }

    /// [Front-Channel Logout §2] "if either is included, both MUST be"
    /// [Front-Channel Logout §2] "which MUST be retained when adding additional query parameters"
    /// [Front-Channel Logout §2] "The OP renders <iframe src="frontchannel_logout_uri"> in a page with the registered logout URI as the source to trigger the logout actions by the RP."
    #[test]
    fn an_application_is_told_who_says_it_and_which_session_if_it_wants_to_know() {
        assert_eq!(ent().farewell_frame(&issuer(), "5e55"), None);
        let plain = told("https://edu.example/out?a=1", false);
        let frame = plain.farewell_frame(&issuer(), "5e55").unwrap();
        assert_eq!(frame.origin, "https://edu.example");
        assert_eq!(frame.src, "https://edu.example/out?a=1");
        let strict = told("https://edu.example/out?a=1", true);
        let frame = strict.farewell_frame(&issuer(), "5e55").unwrap();
        let expected = "https://edu.example/out?a=1&iss=https%3A%2F%2Fid.example&sid=5e55";
        assert_eq!(frame.src, expected);
    }

    /// [Front-Channel Logout §2] "The logout URI MUST NOT include a fragment component."
    /// [C01] [Front-Channel Logout §2] "The domain, port, and scheme of this URL MUST be the same as that of a registered Redirection URI value."
    #[test]
    fn a_frame_loads_nothing_but_the_application_itself() {
        assert_eq!(told("https://edu.example/out", false).check(), []);
        for elsewhere in [
            "https://other.example/out",
            "https://edu.example:8443/out",
            "http://localhost/out",
        ] {
            let flaws = told(elsewhere, false).check();
            assert!(
                matches!(flaws.as_slice(), [ClientFlaw::FrontChannel(_)]),
                "{elsewhere}: {flaws:?}"
            );
        }
        let fragment = told("https://edu.example/out#x", false).check();
        let flaw = UriFlaw::Fragment;
        assert!(
            fragment
                .iter()
                .any(|found| matches!(found, ClientFlaw::Uri { flaw: it, .. } if *it == flaw))
        );
        let without = Client {
            frontchannel_logout_session_required: true,
            ..ent()
        };
        assert_eq!(without.check().len(), 1);
    }

    /// [P08] A host that would end a policy's source and begin another directive is no origin.
    #[test]
    fn what_is_odd_in_a_policy_is_no_origin() {
        assert_eq!(web_origin("https://edu.example;script-src/out"), None);
        assert_eq!(web_origin("https://edu,x.example/out"), None);
        assert_eq!(web_origin("ch.example.app:/out"), None);
        let good = web_origin("http://127.0.0.1:8401/out?x");
        assert_eq!(good.as_deref(), Some("http://127.0.0.1:8401"));
        assert_eq!(
            web_origin("http://[::1]:8401/").as_deref(),
            Some("http://[::1]:8401")
        );
    }
}
