//! Applications that register themselves: what a technician types, and what a server answers meanwhile.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use serde_json::Value;

use crate::{
    backups::{APPLICATIONS, between},
    installation::{Installation, text},
    serving::Serving,
};

/// One request of an application; its answer, head and body.
fn sends(serving: &Serving, request: &str, token: &str, body: &str) -> String {
    let mut socket = TcpStream::connect(&serving.listen).unwrap();
    let patience = Some(Duration::from_secs(30));
    socket.set_read_timeout(patience).unwrap();
    write!(
        socket,
        "{request} HTTP/1.1\r\nHost: localhost:8400\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

fn cell(said: &str, name: &str) -> String {
    let line = said.lines().find(|line| line.starts_with(name));
    let line = line.unwrap_or_else(|| panic!("no `{name}` in {said}"));
    line.split_whitespace().nth(1).unwrap().to_owned()
}

/// No file of an installation holds the token.
fn nothing_holds(furka: &Installation, token: &str) {
    for entry in fs::read_dir(furka.dir()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = fs::read(&path).unwrap();
            let holds = bytes.windows(43).any(|part| part == token.as_bytes());
            assert!(!holds, "{} holds the token", path.display());
        }
    }
}

fn what_is_wrong_has_a_cure(furka: &Installation, id: &str) {
    for (wrong, cure) in [
        (["app", "remove", id], "furka app list"),
        (["app", "remove", "portal"], "applications.toml"),
        (["app", "uninvite", "nothing"], "furka app invitations"),
    ] {
        let refused = furka.run(&wrong);
        assert!(!refused.status.success(), "{wrong:?}");
        assert!(text(&refused.stderr).contains(cure), "{wrong:?}");
    }
}

/// [C17] [P02] The token is shown once and kept nowhere; an application comes with it, is in the list, is left alone
/// by a file that knows nothing of it, and goes when a technician says so.
#[test]
fn an_application_comes_with_an_invitation_and_is_removed() {
    let furka = Installation::new();
    furka.write("resources/applications.toml", APPLICATIONS);
    furka.says(&["apply", "resources", "--yes"]);
    let said = furka.says(&["app", "invite", "--uses", "2", "--bundle", "mail"]);
    assert!(said.contains("nobody can register yet"), "{said}");
    let (token, invitation) = (cell(&said, "token"), cell(&said, "invitation"));
    assert_eq!(
        (token.len(), said.matches(&token).count()),
        (43, 1),
        "{said}"
    );
    nothing_holds(&furka, &token);
    let on = format!("registration = true\n{APPLICATIONS}");
    furka.write("resources/applications.toml", &on);
    furka.says(&["apply", "resources", "--yes"]);
    let serving = Serving::start(&furka);
    let choir = r#"{"client_name":"Choir","redirect_uris":["https://choir.example/cb"],"contacts":["ask@choir.example"]}"#;
    let answer = sends(&serving, "POST /register", &token, choir);
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let own: Value = serde_json::from_str(body).unwrap();
    let id = own["client_id"].as_str().unwrap();
    assert_eq!(own["scope"], "openid profile email");
    let list = furka.says(&["app", "list"]);
    for word in [
        id,
        &invitation,
        "ask@choir.example",
        "Choir (choir.example)",
    ] {
        assert!(list.contains(word), "no `{word}` in {list}");
    }
    let invitations = furka.says(&["app", "invitations"]);
    assert!(
        invitations.contains("1 of 2") && invitations.contains("open"),
        "{invitations}"
    );
    furka.write(
        "resources/applications.toml",
        format!("{on}\n# another day\n"),
    );
    furka.says(&["apply", "resources", "--yes"]);
    furka.says(&["export", "exported"]);
    let exported = fs::read_to_string(furka.path("exported/applications.toml")).unwrap();
    assert!(!exported.contains(id), "{exported}");
    assert!(furka.says(&["app", "list"]).contains(id));
    furka.says(&["app", "uninvite", &invitation]);
    let refused = sends(&serving, "POST /register", &token, choir);
    assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
    assert!(furka.says(&["app", "invitations"]).contains("over"));
    furka.says(&["app", "remove", id]);
    assert!(!furka.says(&["app", "list"]).contains(id));
    let uri = own["registration_client_uri"].as_str().unwrap();
    let path = between(uri, "8400", "?");
    let own_token = own["registration_access_token"].as_str().unwrap();
    let gone = sends(&serving, &format!("GET {path}"), own_token, "");
    assert!(gone.starts_with("HTTP/1.1 401"), "{gone}");
    serving.stops();
    what_is_wrong_has_a_cure(&furka, id);
}
