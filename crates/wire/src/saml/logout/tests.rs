//! Logout messages, both ways, and those that are refused.

use super::*;
use crate::saml::NameIdFormat;
use crate::saml::samples::{
    APPLICATION, application, expected, idp, message, ours, posted, query, signed_message,
    verifying,
};
use crate::testing::NOW;

const INSIDE: &str = "<saml:NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:transient\">_t</saml:NameID><samlp:SessionIndex>s-1</samlp:SessionIndex>";

fn here() -> String {
    format!("Destination=\"{}\"", idp().slo)
}

fn read(received: &Received) -> Result<LogoutRequest, Fault> {
    let (here, metadata) = (idp().slo, application());
    LogoutRequest::read(received, expected(&here), |id| {
        (id == APPLICATION).then(|| metadata.party())
    })
}

/// [X11] A logout that nobody signed signs nobody out.
/// [Profiles §4.4.3.1] "The <LogoutRequest> message MUST be signed if the HTTP POST or Redirect binding is used."
#[test]
fn an_unsigned_or_forged_logout_is_refused() {
    let unsigned = message("LogoutRequest", &here(), INSIDE);
    assert_eq!(
        read(&posted(Kind::Request, &unsigned)),
        Err(Fault::Unsigned)
    );
    let signed = signed_message("LogoutRequest", &here(), INSIDE);
    let request = read(&posted(Kind::Request, &signed)).unwrap();
    assert_eq!(request.session_indexes, ["s-1"]);
    assert_eq!(request.name_id.value, "_t");
    let forged = signed.replace(">_t<", ">_u<");
    assert_eq!(
        read(&posted(Kind::Request, &forged)),
        Err(Fault::SignatureNotGood)
    );
    let good = query(Kind::Request, &unsigned, None);
    assert!(read(&Received::redirect(good.as_bytes()).unwrap()).is_ok());
    let bare = good.split("&SigAlg").next().unwrap();
    assert_eq!(
        read(&Received::redirect(bare.as_bytes()).unwrap()),
        Err(Fault::Unsigned)
    );
}

/// A list of sessions that is cut short leaves one open, and nobody is told. Sixteen are looked at, and a
/// seventeenth is too many to be passed on.
#[test]
fn a_logout_that_names_too_many_sessions_is_refused_and_not_cut() {
    let named = |count: usize| {
        let more: String = (1..count)
            .map(|at| format!("<samlp:SessionIndex>o-{at}</samlp:SessionIndex>"))
            .collect();
        let inside = INSIDE.replace(
            "<samlp:SessionIndex>",
            &format!("{more}<samlp:SessionIndex>"),
        );
        read(&posted(
            Kind::Request,
            &signed_message("LogoutRequest", &here(), &inside),
        ))
    };
    let all = named(16).unwrap().session_indexes;
    assert_eq!(
        (all.len(), all.last().map(String::as_str)),
        (16, Some("s-1"))
    );
    assert_eq!(named(17), Err(Fault::TooManySessions));
}

#[test]
fn a_logout_for_another_time_place_or_name_is_refused() {
    let by = |attributes: &str, inside: &str| {
        read(&posted(
            Kind::Request,
            &signed_message("LogoutRequest", attributes, inside),
        ))
    };
    assert_eq!(by("", INSIDE), Err(Fault::Destination));
    let over = format!(
        "{} NotOnOrAfter=\"{}\"",
        here(),
        moment::written(NOW - WINDOW_S)
    );
    assert_eq!(by(&over, INSIDE), Err(Fault::Stale));
    let other = INSIDE.replace(
        "Format=",
        "SPNameQualifier=\"https://other.example/\" Format=",
    );
    assert_eq!(by(&here(), &other), Err(Fault::SessionUnknown));
    assert_eq!(by(&here(), ""), Err(Fault::SessionUnknown));
}

/// Both sides of the conversation, made by one and read by the other.
/// [Profiles §4.4.3.4] "The <LogoutResponse> message MUST be signed if the HTTP POST or Redirect binding is used."
#[test]
fn requests_and_answers_go_both_ways() {
    let (idp, credential, metadata) = (idp(), ours(), application());
    let making = Making {
        speaker: &idp.entity_id,
        credential: &credential,
        now: NOW,
        chance: &[7; 20],
    };
    let name = NameId {
        format: NameIdFormat::Transient,
        value: "_t".to_owned(),
    };
    let (binding, out) = making.request(metadata.party(), &name, "s-1").unwrap();
    assert_eq!(
        (binding, out.to.as_str()),
        (Binding::Redirect, "https://ism.example/slo")
    );
    let location = out.location(&credential).unwrap();
    let received = Received::redirect(location.split_once('?').unwrap().1.as_bytes()).unwrap();
    let tree = received.tree().unwrap();
    let signed = received
        .signed(tree.root(), &[verifying(&credential)])
        .unwrap();
    assert!(signed.element().is(&SAMLP, "LogoutRequest"));
    assert_eq!(signed.element().attribute("ID"), Some(making.id().as_str()));

    let asked = read(&posted(
        Kind::Request,
        &signed_message("LogoutRequest", &here(), INSIDE),
    ));
    let (binding, answer) = asked
        .unwrap()
        .answer(&making, metadata.party(), Status::PARTIAL_LOGOUT)
        .unwrap();
    assert_eq!(
        (binding, answer.to.as_str()),
        (Binding::Post, "https://ism.example/slo/post")
    );
    assert_eq!(answer.relay_state.as_deref(), Some("ss:mem:1"));
    let received = posted(Kind::Response, &answer.xml);
    let tree = received.tree().unwrap();
    assert!(
        received
            .signed(tree.root(), &[verifying(&credential)])
            .is_ok()
    );
    assert!(answer.xml.contains("PartialLogout"));
}

/// [Profiles §4.4.4.2] "The responder MUST authenticate itself to the requester and ensure message integrity, either by signing the message or using a binding-specific mechanism."
#[test]
fn an_answer_says_whether_the_session_is_gone() {
    let metadata = application();
    let read = |xml: &str| {
        let (here, received) = (idp().slo, posted(Kind::Response, xml));
        LogoutResponse::read(&received, expected(&here), |_| Some(metadata.party()))
    };
    let attributes = format!("{} InResponseTo=\"_ours\"", here());
    let status = |codes: &str| format!("<samlp:Status>{codes}</samlp:Status>");
    let code = |name: &str, inside: &str| {
        format!(
            "<samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:{name}\">{inside}</samlp:StatusCode>"
        )
    };
    for (codes, success) in [
        (code("Success", ""), true),
        (code("Success", &code("PartialLogout", "")), false),
        (code("Responder", ""), false),
    ] {
        let answer = read(&signed_message(
            "LogoutResponse",
            &attributes,
            &status(&codes),
        ))
        .unwrap();
        assert_eq!(
            (answer.success, answer.in_response_to.as_str()),
            (success, "_ours")
        );
    }
    let unsigned = message("LogoutResponse", &attributes, &status(&code("Success", "")));
    assert_eq!(read(&unsigned), Err(Fault::Unsigned));
}
