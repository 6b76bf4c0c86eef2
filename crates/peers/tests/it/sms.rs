//! Text messages through a real Kannel.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::Arc,
    thread,
    time::Duration,
};

use peers::{Cause, Clock, Gateways, PeerError, SendSms, Sms, connect};

use crate::{kannel::Kannel, process::free_port};

#[tokio::test]
async fn a_text_arrives_at_the_sms_centre_as_it_was_written() {
    let kannel = Kannel::start();
    let gateway = sender(&gateway("kannel", kannel.send_port));

    for text in [
        "Votre clé: 123456 für Zürich & Sion",
        "100 % + 5 € {to} ?a=b#c",
    ] {
        assert_eq!(gateway.send(&sms(text)).await.unwrap().peer, "kannel");
        assert_eq!(
            shown(&kannel.next_message()),
            format!("ETAT-VS +41791110001 {text}")
        );
    }

    let text = "Élève ☎ ê 😀\n@edu.example #654321";
    gateway.send(&sms(text)).await.unwrap();
    let message = kannel.next_message();
    assert!(
        message.starts_with("ETAT-VS +41791110001 ucs-2 "),
        "{message}"
    );
    assert_eq!(shown(&message), format!("ETAT-VS +41791110001 {text}"));
}

#[tokio::test]
async fn a_number_is_written_as_the_gateway_wants_it() {
    let kannel = Kannel::start();
    for (format, written) in [("0041", "0041791110001"), ("41", "41791110001")] {
        let text = gateway("kannel", kannel.send_port).replace(
            "method = \"GET\"",
            &format!("method = \"GET\"\nnumber = \"{format}\""),
        );
        sender(&text).send(&sms("123456")).await.unwrap();
        assert_eq!(
            shown(&kannel.next_message()),
            format!("ETAT-VS {written} 123456")
        );
    }
}

#[tokio::test]
async fn wrong_credentials_are_a_refusal_for_good() {
    let kannel = Kannel::start();
    let text = gateway("kannel", kannel.send_port).replace("furkapw", "s3cret-but-wrong");
    let error = sender(&text).send(&sms("123456")).await.unwrap_err();
    assert_eq!(error, permanent("kannel", Cause::Answered(403)));
    tells_nothing(&error);
}

#[tokio::test]
async fn a_gateway_that_is_down_is_a_matter_of_time_and_the_next_one_is_asked() {
    let down = free_port();
    let error = sender(&gateway("down", down))
        .send(&sms("123456"))
        .await
        .unwrap_err();
    assert!(error.is_temporary());
    assert!(error.to_string().contains("no connection"), "{error}");
    tells_nothing(&error);

    let kannel = Kannel::start();
    let both = gateway("down", down) + &gateway("kannel", kannel.send_port);
    assert_eq!(
        sender(&both).send(&sms("123456")).await.unwrap().peer,
        "kannel"
    );
    assert_eq!(shown(&kannel.next_message()), "ETAT-VS +41791110001 123456");
}

/// [P10] A gateway that never answers does not hold anybody for ever.
#[tokio::test]
async fn a_silent_gateway_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let text = gateway("silent", silent.local_addr().unwrap().port());
    let text = text.replace("[sms.query]", "timeout_s = 1\n[sms.query]");
    let error = sender(&text).send(&sms("123456")).await.unwrap_err();
    assert_eq!(error, temporary("silent", Cause::TimedOut(1)));
}

/// Whoever answers with a redirect would otherwise get the code sent where they like.
#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let location = elsewhere.local_addr().unwrap();
    let port = answers(format!(
        "HTTP/1.1 302 Found\r\nLocation: http://{location}/\r\n\r\n"
    ));
    let error = sender(&gateway("moved", port))
        .send(&sms("123456"))
        .await
        .unwrap_err();
    assert_eq!(error, permanent("moved", Cause::Answered(302)));
    assert!(elsewhere.accept().is_err(), "nobody came");
}

/// [P07] An endless answer is not read to its end.
#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let filler = "x".repeat(70 * 1024);
    let port = answers(format!("HTTP/1.1 200 OK\r\n\r\n{filler}accepted"));
    let text = gateway("endless", port);
    let text = text.replace(
        "[sms.query]",
        "success.contains = \"accepted\"\n[sms.query]",
    );
    let error = sender(&text).send(&sms("123456")).await.unwrap_err();
    assert_eq!(error, permanent("endless", Cause::NotSuccess));
}

#[tokio::test]
async fn an_answer_that_lacks_the_expected_text_is_a_refusal() {
    let expects = |port| {
        gateway("strict", port).replace("[sms.query]", "success.contains = \"OK\"\n[sms.query]")
    };
    let refusing = answers("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nERROR 17".to_owned());
    let error = sender(&expects(refusing))
        .send(&sms("123456"))
        .await
        .unwrap_err();
    assert_eq!(error, permanent("strict", Cause::NotSuccess));

    let taking = answers("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nOK 1".to_owned());
    assert!(sender(&expects(taking)).send(&sms("123456")).await.is_ok());
}

/// [P11] A certificate nobody vouches for is refused.
#[tokio::test]
async fn a_gateway_with_an_unknown_certificate_is_refused() {
    let smtp = crate::smtp::Smtp::start("implicit");
    let text = gateway("tls", smtp.port).replace("http://127.0.0.1", "https://localhost");
    let error = sender(&text).send(&sms("123456")).await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
    assert!(error.is_temporary());
}

fn gateway(name: &str, port: u16) -> String {
    format!(
        r#"
[[sms]]
name = "{name}"
url = "http://127.0.0.1:{port}/cgi-bin/sendsms"
method = "GET"
from = "ETAT-VS"
[sms.query]
username = "furka"
password = "furkapw"
to = "{{to}}"
from = "{{from}}"
text = "{{text}}"
coding = "{{coding}}"
charset = "UTF-8"
"#
    )
}

fn sender(gateways: &str) -> Arc<dyn SendSms> {
    let clock: Clock = Arc::new(|| Duration::ZERO);
    let (sms, ..) = connect(&Gateways::parse(gateways).unwrap(), clock).unwrap();
    sms
}

fn sms(text: &str) -> Sms {
    Sms {
        id: "m1".into(),
        to: "+41791110001".into(),
        text: text.into(),
    }
}

fn permanent(peer: &str, cause: Cause) -> PeerError {
    PeerError::Permanent {
        peer: peer.to_owned(),
        cause,
    }
}

fn temporary(peer: &str, cause: Cause) -> PeerError {
    PeerError::Temporary {
        peer: peer.to_owned(),
        cause,
    }
}

/// [P02] Neither the code nor a password is in an error.
fn tells_nothing(error: &PeerError) {
    let printed = format!("{error} {error:?}");
    for secret in ["123456", "s3cret", "furkapw", "79111"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

/// A line of the SMS centre, decoded: it shows binary texts and those with blanks in URL form.
fn shown(message: &str) -> String {
    let [from, to, encoding, text] = message
        .splitn(4, ' ')
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    let text = match encoding {
        "ucs-2" => {
            let units = percent_decoded(text);
            let units = units
                .chunks_exact(2)
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            String::from_utf16(&units.collect::<Vec<_>>()).unwrap()
        }
        "url" => String::from_utf8(percent_decoded(text)).unwrap(),
        _ => text.to_owned(),
    };
    format!("{from} {to} {text}")
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        rest = others;
        bytes.push(match first {
            b'+' => b' ',
            b'%' => {
                let (digits, behind) = rest.split_at(2);
                rest = behind;
                u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap()
            }
            byte => *byte,
        });
    }
    bytes
}

/// A server for one request, which it answers with these bytes.
fn answers(bytes: String) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let _length = stream.read(&mut request).unwrap();
        // Who has read enough hangs up.
        let _cut_off = stream.write_all(bytes.as_bytes());
    });
    port
}
