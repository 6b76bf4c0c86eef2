//! Mail to a real SMTP server.

use std::{net::TcpListener, sync::Arc, time::Duration};

use peers::{Cause, Clock, Gateways, Mail, PeerError, SendMail, connect};

use crate::{process::free_port, smtp::Smtp};

#[tokio::test]
async fn a_mail_is_delivered_over_starttls_by_an_authenticated_sender() {
    let server = Smtp::start("starttls");
    sender(&trusting(&server, "starttls"))
        .send(&mail("anna@edu.example"))
        .await
        .unwrap();

    let taken = server.next_mail();
    assert_eq!(
        (&taken["tls"], &taken["authenticated"]),
        (&true.into(), &true.into())
    );
    assert_eq!(taken["from"], "noreply@edu.example");
    assert_eq!(taken["to"], serde_json::json!(["anna@edu.example"]));
    let content = taken["content"].as_str().unwrap();
    for part in [
        "Message-ID: <m-1@edu.example>\r\n",
        "Subject: =?utf-8?b?",
        "Content-Type: text/plain; charset=utf-8\r\n",
        "Votre code d'activation:\r\n.123456\r\n",
    ] {
        assert!(content.contains(part), "{part}\n{content}");
    }
}

#[tokio::test]
async fn a_mail_is_delivered_over_implicit_tls() {
    let server = Smtp::start("implicit");
    sender(&trusting(&server, "implicit"))
        .send(&mail("anna@edu.example"))
        .await
        .unwrap();
    assert_eq!(server.next_mail()["tls"], true);
}

#[tokio::test]
async fn a_server_on_this_machine_may_be_spoken_to_in_clear() {
    let server = Smtp::start("plain");
    sender(&configuration(server.port, "none"))
        .send(&mail("anna@edu.example"))
        .await
        .unwrap();
    assert_eq!(server.next_mail()["tls"], false);
}

#[tokio::test]
async fn greylisting_is_a_matter_of_time_and_an_unknown_mailbox_is_not() {
    let server = Smtp::start("starttls");
    let sender = sender(&trusting(&server, "starttls"));

    let error = sender.send(&mail("grey@edu.example")).await.unwrap_err();
    assert_eq!(error, temporary(Cause::Answered(451)));
    tells_nothing(&error);
    let error = sender.send(&mail("bounce@edu.example")).await.unwrap_err();
    assert_eq!(error, permanent(Cause::Answered(550)));
    tells_nothing(&error);
}

#[tokio::test]
async fn wrong_credentials_are_a_refusal() {
    let server = Smtp::start("starttls");
    let text = trusting(&server, "starttls").replace("furkapw", "s3cret-but-wrong");
    let error = sender(&text)
        .send(&mail("anna@edu.example"))
        .await
        .unwrap_err();
    assert_eq!(error, permanent(Cause::Answered(535)));
    tells_nothing(&error);
}

/// [P11] Somebody between us and the server who hides STARTTLS gets nothing.
#[tokio::test]
async fn a_server_without_starttls_is_refused() {
    let server = Smtp::start("plain");
    let error = sender(&trusting(&server, "starttls"))
        .send(&mail("anna@edu.example"))
        .await
        .unwrap_err();
    assert!(
        error.is_temporary() && error.to_string().contains("STARTTLS"),
        "{error}"
    );
    tells_nothing(&error);
}

/// [P11] A certificate nobody vouches for, or for another name, is refused.
#[tokio::test]
async fn a_wrong_certificate_is_refused() {
    let server = Smtp::start("starttls");
    let unknown = configuration(server.port, "starttls");
    let other_name = trusting(&server, "starttls").replace("\"localhost\"", "\"127.0.0.1\"");
    for text in [unknown, other_name] {
        let error = sender(&text)
            .send(&mail("anna@edu.example"))
            .await
            .unwrap_err();
        assert!(
            error.is_temporary() && error.to_string().contains("certificate"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_server_that_is_down_is_a_matter_of_time() {
    let text = configuration(free_port(), "none");
    let error = sender(&text)
        .send(&mail("anna@edu.example"))
        .await
        .unwrap_err();
    assert!(
        error.is_temporary() && error.to_string().contains("no connection"),
        "{error}"
    );
}

/// [P10] A server that never greets does not hold anybody for ever.
#[tokio::test]
async fn a_silent_server_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let text = configuration(silent.local_addr().unwrap().port(), "none")
        .replace("localhost", "127.0.0.1");
    let error = sender(&(text + "timeout_s = 1\n"))
        .send(&mail("a@edu.example"))
        .await
        .unwrap_err();
    let cause = Cause::TimedOut(1);
    assert_eq!(
        error,
        PeerError::Temporary {
            peer: "127.0.0.1".to_owned(),
            cause
        }
    );
}

fn configuration(port: u16, tls: &str) -> String {
    format!(
        r#"
[mail]
host = "localhost"
port = {port}
tls = "{tls}"
from = "Furka <noreply@edu.example>"
"#
    )
}

/// With credentials, and with trust in the server's certificate.
fn trusting(server: &Smtp, tls: &str) -> String {
    let ca_file = server.certificate();
    configuration(server.port, tls)
        + &format!("username = \"furka\"\npassword = \"furkapw\"\nca_file = {ca_file:?}\n")
}

fn sender(gateways: &str) -> Arc<dyn SendMail> {
    let clock: Clock = Arc::new(|| Duration::ZERO);
    let (_, mail, _) = connect(&Gateways::parse(gateways).unwrap(), clock).unwrap();
    mail
}

fn mail(to: &str) -> Mail {
    let text = "Votre code d'activation:\n.123456\n\nÀ bientôt\n".to_owned();
    Mail {
        id: "m-1".into(),
        to: to.into(),
        subject: "Clé d'accès".into(),
        text,
    }
}

fn permanent(cause: Cause) -> PeerError {
    PeerError::Permanent {
        peer: "localhost".to_owned(),
        cause,
    }
}

fn temporary(cause: Cause) -> PeerError {
    PeerError::Temporary {
        peer: "localhost".to_owned(),
        cause,
    }
}

/// [P02] Neither the code nor the password is in an error.
fn tells_nothing(error: &PeerError) {
    let printed = format!("{error} {error:?}");
    for secret in ["123456", "s3cret", "furkapw"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
