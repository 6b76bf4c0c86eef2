//! Artifacts and the messages that fetch what they stand for.

use super::*;
use crate::saml::samples::{
    APPLICATION, STRANGERS, application, expected, filled, idp, message, ours, signed_message,
    template, verifying,
};
use crate::testing::NOW;

const HANDLE: [u8; 20] = [7; 20];

fn artifact() -> Artifact {
    Artifact::new(&idp().entity_id, HANDLE)
}

fn inside() -> String {
    let text = artifact().text();
    format!("<samlp:Artifact>{text}</samlp:Artifact>")
}

fn read_at(body: &str, now: i64) -> Result<ArtifactResolve, Unresolved> {
    let (application, here) = (application(), idp().artifacts);
    let expected = Expected {
        now,
        ..expected(&here)
    };
    ArtifactResolve::read(body.as_bytes(), expected, |id| {
        (id == APPLICATION).then(|| application.party())
    })
}

fn read(body: &str) -> Result<ArtifactResolve, Unresolved> {
    read_at(body, NOW)
}

/// Why a question is not believed.
fn fault(message: &str) -> Fault {
    match read(&soap::envelope(|_| (), message)) {
        Err(Unresolved::NotBelieved { id, fault, .. }) => {
            assert_eq!(id, "_message");
            fault
        }
        other => panic!("{other:?}"),
    }
}

/// [Bindings §3.6.4] "The issuer constructs the SourceID component of the artifact by taking the SHA-1 hash of the identification URL."
#[test]
fn an_artifact_is_read_as_it_is_written() {
    let text = artifact().text();
    let bytes = BASE64.decode(text.as_bytes()).unwrap();
    assert_eq!(&bytes[..4], [0, 4, 0, 0]);
    assert_eq!(&bytes[24..], HANDLE);
    // By `printf abc | sha1sum`.
    let known = data_encoding::HEXLOWER.encode(&source_of("abc"));
    assert_eq!(known, "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_eq!(Artifact::read(&text), Some(artifact()));
    assert_eq!(format!("{:?}", artifact()), "Artifact");
    let (mut other, mut long) = (bytes.clone(), bytes.clone());
    other[1] = 3;
    long.push(0);
    for bad in [
        String::new(),
        "A".repeat(60),
        BASE64.encode(&other),
        BASE64.encode(&long),
        BASE64.encode(&bytes[..43]),
        text.replace('A', "%"),
        format!("{text} "),
    ] {
        assert_eq!(Artifact::read(&bad), None, "{bad}");
    }
}

#[test]
fn the_state_goes_beside_the_artifact() {
    let location = artifact().location("https://app.example/acs?a=1", Some("a b&c"));
    let (before, after) = location.split_once("&SAMLart=").unwrap();
    assert_eq!(before, "https://app.example/acs?a=1");
    assert!(after.ends_with("&RelayState=a+b%26c") || after.ends_with("&RelayState=a%20b%26c"));
    let bare = artifact().location("https://app.example/acs", None);
    assert!(!bare.contains("RelayState"), "{bare}");
}

/// Another application with the same artifact finds nothing.
#[test]
fn a_message_waits_under_the_name_of_its_application() {
    let key = artifact().key(APPLICATION);
    assert_eq!(key, artifact().key(APPLICATION));
    assert_ne!(key, artifact().key("https://other.example/"));
    let other = Artifact::new(&idp().entity_id, [8; 20]);
    assert_ne!(key, other.key(APPLICATION));
}

#[test]
fn a_question_is_believed_when_its_application_signed_it() {
    let good = signed_message("ArtifactResolve", "", &inside());
    let asked = read(&soap::envelope(|_| (), &good)).unwrap();
    assert_eq!((&*asked.id, &*asked.issuer), ("_message", APPLICATION));
    assert_eq!(asked.artifact, artifact());
    let here = format!("Destination=\"{}\"", idp().artifacts);
    let named = signed_message("ArtifactResolve", &here, &inside());
    assert!(read(&soap::envelope(|_| (), &named)).is_ok());

    let unsigned = message("ArtifactResolve", "", &inside());
    assert_eq!(fault(&unsigned), Fault::Unsigned);
    let theirs = format!("{}{}", template("_message"), inside());
    let stranger = message("ArtifactResolve", "", &theirs);
    let stranger = filled(&stranger, "_message", &STRANGERS);
    assert_eq!(fault(&stranger), Fault::SignatureNotGood);
    let other = Artifact::new(&idp().entity_id, [8; 20]).text();
    let changed = good.replace(&artifact().text(), &other);
    assert_eq!(fault(&changed), Fault::SignatureNotGood);
    let other = good.replace(APPLICATION, "https://other.example/");
    assert_eq!(fault(&other), Fault::IssuerUnknown);
    let elsewhere = "Destination=\"https://evil.example/\"";
    let elsewhere = signed_message("ArtifactResolve", elsewhere, &inside());
    assert_eq!(fault(&elsewhere), Fault::Destination);
    let empty = signed_message("ArtifactResolve", "", "");
    assert_eq!(fault(&empty), Fault::Schema);
    let twice = signed_message("ArtifactResolve", "", &inside().repeat(2));
    assert_eq!(fault(&twice), Fault::Schema);
    let late = read_at(&soap::envelope(|_| (), &good), NOW + 301);
    assert!(matches!(
        late,
        Err(Unresolved::NotBelieved {
            fault: Fault::Stale,
            ..
        })
    ));
}

#[test]
fn what_is_no_question_gets_no_answer() {
    let good = signed_message("ArtifactResolve", "", &inside());
    let client = Unresolved::NoQuestion(Blame::Client);
    for body in [
        String::new(),
        good.clone(),
        "<!DOCTYPE a><a/>".to_owned(),
        soap::envelope(|_| (), &signed_message("AuthnRequest", "", "")),
        soap::envelope(|_| (), &format!("{good}<a/>")),
        soap::envelope(|_| (), &good.replace("ID=\"_message\"", "")),
        " ".repeat(70_000),
    ] {
        assert_eq!(read(&body), Err(client.clone()), "{body}");
    }
    let demanding = soap::envelope(
        |headers| {
            headers.leaf(&SAML, "Issuer", &[("S:mustUnderstand", "1")], "");
        },
        &good,
    );
    let must = Unresolved::NoQuestion(Blame::MustUnderstand);
    assert_eq!(read(&demanding), Err(must));
    let mut odd = crate::testing::Odd(11);
    let whole = soap::envelope(|_| (), &good);
    for _ in 0..500 {
        let _ = read(&odd.mutated(&whole));
    }
}

#[test]
fn an_answer_is_signed_around_a_signed_message() {
    let (credential, idp) = (ours(), idp());
    let making = Making {
        speaker: &idp.entity_id,
        credential: &credential,
        now: NOW,
        chance: &[1; 20],
    };
    let waiting = signed_message("Response", "", "<samlp:Status/>");
    for waiting in [None, Some(waiting.as_str())] {
        let text = making.resolved("_question", waiting).unwrap();
        let tree = Tree::read(&text, &Bounds::MESSAGE).unwrap();
        let answer = Envelope::of(tree.root()).unwrap().body;
        assert!(answer.is(&SAMLP, "ArtifactResponse"));
        assert_eq!(answer.attribute("InResponseTo"), Some("_question"));
        assert!(Signed::enveloped(answer, &[verifying(&credential)]).is_ok());
        let status = answer.the(&SAMLP, "Status").unwrap();
        let code = status.the(&SAMLP, "StatusCode").unwrap();
        assert!(code.attribute("Value").unwrap().ends_with(":Success"));
        let inside = answer.one(&SAMLP, "Response").unwrap();
        assert_eq!(inside.is_some(), waiting.is_some());
        if let Some(inside) = inside {
            assert!(Signed::enveloped(inside, &application().signing).is_ok());
        }
    }
}
