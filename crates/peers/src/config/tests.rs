//! What a wrong configuration says.

use super::*;

const KANNEL: &str = r#"
[[sms]]
name = "kannel"
url = "http://127.0.0.1:13013/cgi-bin/sendsms"
method = "GET"
[sms.query]
to = "{to}"
text = "{text}"
"#;

const MAIL: &str = r#"
[mail]
host = "smtp.example.ch"
tls = "starttls"
from = "Furka <noreply@edu.example.ch>"
"#;

fn refusal(text: &str) -> String {
    Gateways::parse(text).unwrap_err().to_string()
}

#[test]
fn the_example_is_a_right_configuration() {
    let gateways = Gateways::parse(Gateways::example()).unwrap();
    let names: Vec<_> = gateways.sms.iter().map(HttpGateway::name).collect();
    assert_eq!(names, ["carrier", "kannel"]);
    assert!(gateways.mail.is_some());
}

#[test]
fn no_gateways_are_a_configuration_too() {
    assert!(Gateways::parse("").unwrap().sms.is_empty());
}

#[test]
fn unknown_keys_are_refused_with_their_line() {
    let refused = refusal("[[sms]]\nname = \"a\"\nurll = \"https://sms.example/\"\n");
    assert!(
        refused.starts_with("line 3 of the gateways: unknown field `urll`"),
        "{refused}"
    );
}

#[test]
fn what_cannot_work_is_refused_with_its_reason() {
    for (from, to, reason) in [
        (
            "http://127.0.0.1:13013",
            "http://10.0.0.1",
            "http is for this machine only",
        ),
        (
            "http://127.0.0.1:13013",
            "https://me:pw@sms.example",
            "a password ends in logs",
        ),
        ("cgi-bin/sendsms", "cgi-bin/sendsms?a=b", "into `query`"),
        ("{text}", "{txt}", "`{txt}` is not known"),
        ("\"{text}\"", "\"\"", "`{text}` occurs neither"),
        ("\"{to}\"", "\"\"", "`{to}` occurs neither"),
        (
            "[sms.query]",
            "timeout_s = 0\n[sms.query]",
            "`timeout_s` must be 1 to 60",
        ),
        (
            "[sms.query]",
            "body.text = \"{text}\"\n[sms.query]",
            "a GET has no `body`",
        ),
        (
            "[sms.query]",
            "success.status = [200, 404]\n[sms.query]",
            "within [200, 299]",
        ),
        (
            "[sms.query]",
            "headers.X = \"{text}\"\n[sms.query]",
            "go elsewhere",
        ),
        (
            "[sms.query]",
            "headers.\"a b\" = \"c\"\n[sms.query]",
            "no name of a header",
        ),
        ("name = \"kannel\"", "name = \"\"", "`name` needs"),
        (
            "method = \"GET\"",
            "method = \"POST\"\nbody.json = '{\"a\": {text}}, '",
            "`body.json` is no JSON",
        ),
    ] {
        let refused = refusal(&KANNEL.replace(from, to));
        assert!(refused.contains(reason), "{refused} / {reason}");
    }
    assert!(refusal(&KANNEL.repeat(2)).contains("two gateways have this name"));
    assert!(refusal(&" ".repeat(CONFIG_BYTES_MAX + 1)).contains("longer than"));
}

#[test]
fn what_cannot_be_mailed_is_refused_with_its_reason() {
    assert!(Gateways::parse(MAIL).is_ok());
    for (from, to, reason) in [
        ("starttls", "none", "only to this machine"),
        ("starttls", "maybe", "unknown variant `maybe`"),
        ("noreply@edu.example.ch", "noreply", "`from` is no address"),
        (
            "tls =",
            "username = \"furka\"\ntls =",
            "`username` and `password`",
        ),
        ("tls =", "timeout_s = 61\ntls =", "`timeout_s` must be"),
        ("smtp.example.ch", "", "`host`"),
    ] {
        let refused = refusal(&MAIL.replace(from, to));
        assert!(refused.contains(reason), "{refused} / {reason}");
    }
}

/// [P02] A configuration prints no secret, and neither does what is wrong with it.
#[test]
fn a_configuration_prints_no_secret() {
    let text = KANNEL.replace("to =", "password = \"s3cret\"\nto =");
    let text = text + MAIL + "username = \"furka\"\npassword = \"s3cret\"\n";
    assert!(!format!("{:?}", Gateways::parse(&text).unwrap()).contains("s3cret"));
    let refused = Gateways::parse(&text.replace("furka", "")).unwrap_err();
    assert!(!format!("{refused} {refused:?}").contains("s3cret"));
}
