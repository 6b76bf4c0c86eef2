//! An application and the provider, both real; and answers that must not be believed.

use super::*;
use crate::saml::Credential;
use crate::saml::binding::Received;
use crate::saml::metadata::{Described, Names, ServiceProvider, describe};
use crate::saml::request::{AuthnRequest, Registered};
use crate::saml::response::{self, Attribute, Statement};
use crate::saml::samples::{expected, idp, ours, posted, theirs};
use crate::saml::{LogoutRequest, LogoutResponse, Status};
use crate::testing::NOW;

const STRONG: &str = "https://refeds.org/profile/mfa";

fn own() -> Own {
    Own {
        entity_id: "https://ism.example/saml".to_owned(),
        consumer: "https://ism.example/saml/acs".to_owned(),
        logout: "https://ism.example/saml/slo".to_owned(),
    }
}

fn described(credential: Credential<'_>) -> String {
    let names = Names {
        fr: "Canton".to_owned(),
        de: "Kanton".to_owned(),
    };
    let what = Described {
        id: "_m",
        scopes: &["id.example".to_owned()],
        names: &names,
        valid_until: NOW + 60,
    };
    describe(&idp(), &what, &[credential]).unwrap()
}

fn provider() -> IdentityProvider {
    IdentityProvider::read(&described(ours()), &idp().entity_id, NOW).unwrap()
}

fn application() -> ServiceProvider {
    ServiceProvider::read(&own().metadata(theirs().certificate()), None, NOW).unwrap()
}

/// Something that the application makes.
fn asks<T>(make: impl FnOnce(&Making<'_>) -> T) -> T {
    make(&Making {
        speaker: &own().entity_id,
        credential: &theirs(),
        now: NOW,
        chance: &[7; 20],
    })
}

fn query(location: &str) -> Received {
    let (_, query) = location.split_once('?').unwrap();
    Received::redirect(query.as_bytes()).unwrap()
}

/// The application's request, as the provider reads it.
fn request() -> AuthnRequest {
    let ask = Ask {
        force_authn: true,
        classes: vec![STRONG.to_owned()],
        relay_state: "state".to_owned(),
        ..Ask::default()
    };
    let location = asks(|making| {
        let message = ask.request(making, &own(), &provider()).unwrap();
        message.location(making.credential).unwrap()
    });
    let (metadata, here) = (application(), idp().sso);
    let find = |_: &str| {
        Some(Registered {
            metadata: &metadata,
            must_sign: true,
        })
    };
    AuthnRequest::read(&query(&location), expected(&here), find).unwrap()
}

fn statement() -> Statement {
    Statement {
        name_id: NameId {
            format: NameIdFormat::Persistent,
            value: "anna".to_owned(),
        },
        auth_instant: NOW - 60,
        session_index: "s-1".to_owned(),
        session_until: NOW + 3600,
        class: STRONG,
        attributes: vec![Attribute {
            name: "urn:oid:2.5.4.42",
            friendly: "givenName",
            values: vec!["Zo\u{eb}".to_owned()],
        }],
    }
}

/// An answer of the provider to this request, signed with this key.
fn answer(request: &AuthnRequest, credential: Credential<'_>) -> String {
    let making = response::Making {
        idp: &idp(),
        credential: &credential,
        now: NOW,
        chance: &std::array::from_fn(|at| at as u8),
    };
    making.response(request, &statement(), None).unwrap().xml
}

fn read_at(xml: &str, own: &Own, now: i64) -> Result<Answer, Doubt> {
    Answer::read(&posted(Kind::Response, xml), own, &provider(), now)
}

fn doubt(xml: &str) -> Doubt {
    read_at(xml, &own(), NOW).unwrap_err()
}

#[test]
fn a_request_is_granted_and_its_answer_believed() {
    let request = request();
    assert!(request.force_authn && !request.is_passive);
    assert_eq!(request.consumer, own().consumer);
    assert_eq!(request.relay_state.as_deref(), Some("state"));
    assert_eq!(request.requested.as_ref().unwrap().classes, [STRONG]);
    let answer = read_at(&answer(&request, ours()), &own(), NOW).unwrap();
    assert_eq!(answer.in_response_to, request.id);
    let asserted = answer.said.unwrap();
    assert_eq!(asserted.name_id, statement().name_id);
    assert_eq!(asserted.session_index.as_deref(), Some("s-1"));
    assert_eq!(asserted.session_until, Some(NOW + 3600));
    assert_eq!(
        (asserted.class.as_str(), asserted.auth_instant),
        (STRONG, NOW - 60)
    );
    assert_eq!(asserted.attributes["urn:oid:2.5.4.42"], ["Zo\u{eb}"]);
}

/// [X05] Neither a stranger's key nor one that the message brings along is believed.
#[test]
fn an_answer_that_the_provider_did_not_sign_is_not_believed() {
    let good = answer(&request(), ours());
    assert_eq!(doubt(&answer(&request(), theirs())), Doubt::Signature);
    assert_eq!(doubt(&good.replace(">anna<", ">root<")), Doubt::Signature);
    let cut = |text: &str| {
        let (from, to) = (text.find("<ds:Signature").unwrap(), "</ds:Signature>");
        let until = from + text[from..].find(to).unwrap() + to.len();
        format!("{}{}", &text[..from], &text[until..])
    };
    assert_eq!(doubt(&cut(&good)), Doubt::Signature);
    assert_eq!(doubt(&cut(&cut(&good))), Doubt::Signature);
    let assertion = &good[good.find("<saml:Assertion").unwrap()..];
    let assertion = assertion.strip_suffix("</samlp:Response>").unwrap();
    assert_eq!(doubt(assertion), Doubt::Form);
}

/// [X02] A second assertion beside the signed one is not read instead of it.
#[test]
fn a_second_assertion_is_not_read() {
    let good = answer(&request(), ours());
    let at = good.find("<saml:Assertion").unwrap();
    let evil = "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_e\"/>";
    let both = format!("{}{evil}{}", &good[..at], &good[at..]);
    assert_eq!(doubt(&both), Doubt::Signature);
}

/// [X08] Audience, recipient and times are those of this application, now.
#[test]
fn an_answer_for_another_application_address_or_time_is_not_believed() {
    let good = answer(&request(), ours());
    let other = |change: fn(&mut Own)| {
        let mut own = own();
        change(&mut own);
        read_at(&good, &own, NOW).unwrap_err()
    };
    assert_eq!(other(|own| own.entity_id.push('x')), Doubt::Audience);
    assert_eq!(other(|own| own.consumer.push('x')), Doubt::Recipient);
    assert!(read_at(&good, &own(), NOW + 299).is_ok());
    for now in [NOW + 360, NOW - 301, NOW + 86_400] {
        assert_eq!(read_at(&good, &own(), now), Err(Doubt::Time), "{now}");
    }
    let mut elsewhere = provider();
    elsewhere.entity_id = "https://other.example/".to_owned();
    let read = Answer::read(&posted(Kind::Response, &good), &own(), &elsewhere, NOW);
    assert_eq!(read, Err(Doubt::Issuer));
}

#[test]
fn a_refusal_says_why() {
    let (request, credential) = (request(), ours());
    let making = response::Making {
        idp: &idp(),
        credential: &credential,
        now: NOW,
        chance: &[1; 96],
    };
    let xml = making.refusal(&request, Fault::Passive).unwrap().xml;
    let answer = read_at(&xml, &own(), NOW).unwrap();
    assert_eq!(answer.in_response_to, request.id);
    let declined = answer.said.unwrap_err();
    assert_eq!(declined.code, "NoPassive");
    assert_eq!(declined.message, Fault::Passive.row().description);
}

/// [X11] The application asks to leave, the provider answers; the provider asks, the application answers.
#[test]
fn both_sides_can_end_the_session() {
    let (provider, application) = (provider(), application());
    let name = statement().name_id;
    let location = asks(|making| {
        let (_, message) = making.request(provider.party(), &name, "s-1").unwrap();
        message.location(making.credential).unwrap()
    });
    let here = idp().slo;
    let asked = LogoutRequest::read(&query(&location), expected(&here), |_| {
        Some(application.party())
    });
    let asked = asked.unwrap();
    assert_eq!(
        (&asked.name_id, asked.session_indexes.as_slice()),
        (&name, &["s-1".to_owned()][..])
    );

    let (idp, credential) = (idp(), ours());
    let speaks = Making {
        speaker: &idp.entity_id,
        credential: &credential,
        now: NOW,
        chance: &[8; 20],
    };
    let (_, back) = asked
        .answer(&speaks, application.party(), Status::SUCCESS)
        .unwrap();
    let back = query(&back.location(&credential).unwrap());
    let here = own().logout;
    let answer = LogoutResponse::read(&back, expected(&here), |_| Some(provider.party())).unwrap();
    assert!(answer.success);
    assert_eq!(answer.in_response_to, asked.id);

    let (_, ends) = speaks.request(application.party(), &name, "s-1").unwrap();
    let ends = query(&ends.location(&credential).unwrap());
    let ends = LogoutRequest::read(&ends, expected(&here), |_| Some(provider.party())).unwrap();
    assert!(ends.name_id == name && !ends.asynchronous);
    let mut other = provider.clone();
    other.entity_id = "https://other.example/".to_owned();
    let (_, foreign) = speaks.request(application.party(), &name, "s-1").unwrap();
    let foreign = query(&foreign.location(&credential).unwrap());
    let read = LogoutRequest::read(&foreign, expected(&here), |_| Some(other.party()));
    assert_eq!(read, Err(Fault::SessionUnknown));
}

/// [Asynchronous Single Logout §2.1] The provider posts by itself, and waits for nothing.
#[test]
fn the_provider_says_without_a_browser_that_a_session_has_ended() {
    let (provider, application) = (provider(), application());
    let (idp, credential, name) = (idp(), ours(), statement().name_id);
    let speaks = Making {
        speaker: &idp.entity_id,
        credential: &credential,
        now: NOW,
        chance: &[8; 20],
    };
    let news = speaks.news(application.party(), &name, "s-1").unwrap();
    assert_eq!(news.to, own().logout);
    let received = Received::post(news.form().as_bytes()).unwrap();
    let here = own().logout;
    let ended = LogoutRequest::read(&received, expected(&here), |_| Some(provider.party()));
    let ended = ended.unwrap();
    assert!(ended.asynchronous);
    assert_eq!(
        (ended.name_id, ended.session_indexes),
        (name, vec!["s-1".to_owned()])
    );
    let forged = Outgoing {
        xml: news.xml.replace(">s-1<", ">s-2<"),
        ..news
    };
    let received = Received::post(forged.form().as_bytes()).unwrap();
    let read = LogoutRequest::read(&received, expected(&here), |_| Some(provider.party()));
    assert_eq!(read, Err(Fault::SignatureNotGood));
}

#[test]
fn metadata_of_a_provider_is_read_or_refused_in_words() {
    use crate::saml::metadata::MetadataError;
    let read = provider();
    assert_eq!(
        (read.sso, read.scopes),
        (idp().sso, vec!["id.example".to_owned()])
    );
    let text = described(ours());
    let read = |text: &str, id: &str, now| IdentityProvider::read(text, id, now).unwrap_err();
    let id = idp().entity_id;
    assert_eq!(
        read(&text, "https://other.example/", NOW),
        MetadataError::NoEntity
    );
    assert_eq!(read(&text, &id, NOW + 60), MetadataError::Expired);
    let application = own().metadata(theirs().certificate());
    let own = own().entity_id;
    assert_eq!(
        read(&application, &own, NOW),
        MetadataError::NoIdentityProvider
    );
    let deaf = text.replace("SingleSignOnService", "SingleSignOnNowhere");
    assert_eq!(read(&deaf, &id, NOW), MetadataError::NoSignOn);
    let keyless = text.replace("KeyDescriptor", "KeylessDescriptor");
    assert_eq!(read(&keyless, &id, NOW), MetadataError::NoKey);
}
