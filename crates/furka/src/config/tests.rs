//! What a configuration may say, and what is said of a wrong one.

use super::*;

fn read(text: &str) -> Result<Config, Vec<String>> {
    read_with(text, &[])
}

fn read_with(text: &str, environment: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let environment = environment
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()));
    let read = Config::read(text, environment, Path::new("/etc/furka"));
    read.map_err(|wrong| wrong.iter().map(ToString::to_string).collect())
}

const LOCAL: &str = "public_url = \"http://localhost:8400\"\n";
const BEHIND: &str = "public_url = \"https://login.example.ch\"\n\
                      trusted_proxies = [\"192.0.2.10\"]\nforwarding = \"forwarded\"\n";

#[test]
fn the_sample_is_a_right_configuration() {
    let text = sample(&[("public_url", "\"http://localhost:8400\"")]);
    let config = read(&text).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8400");
    assert_eq!(config.database.to_string(), "/etc/furka/furka.sqlite");
    assert!(text.lines().all(|line| line.len() <= 102), "{text}");
}

#[test]
fn every_option_takes_its_example_and_its_default() {
    for option in &OPTIONS {
        let table: toml::Table = toml::from_str(&format!("value = {}", option.example)).unwrap();
        let given = match table.get("value").unwrap() {
            toml::Value::String(text) => Given::Text(text.clone()),
            toml::Value::Array(items) => Given::List(
                items
                    .iter()
                    .map(|item| item.as_str().unwrap().to_owned())
                    .collect(),
            ),
            other => panic!("{other:?}"),
        };
        let mut config = Config::of_defaults();
        (option.take)(&mut config, &given).unwrap_or_else(|why| panic!("{}: {why}", option.key));
        assert!(option.meaning.ends_with('.'), "{}", option.key);
    }
}

#[test]
fn an_unknown_key_refuses_to_start_and_says_which_and_where() {
    let wrong = read(&format!(
        "{LOCAL}\nlisten_ = \"127.0.0.1:1\"\ncolour = \"red\"\n"
    ))
    .unwrap_err();
    assert_eq!(
        wrong,
        [
            "line 3: there is no option `listen_`; is `listen` meant?",
            "line 4: there is no option `colour`; remove it, or see the file `furka init` writes",
        ]
    );
    let wrong = read(&format!("{LOCAL}[tls]\ncertificat = \"a\"\n")).unwrap_err();
    assert_eq!(
        wrong,
        ["line 3: there is no option `tls.certificat`; is `tls.certificate` meant?"]
    );
}

#[test]
fn an_unknown_table_is_found_even_if_nothing_is_in_it() {
    assert!(read(&format!("{LOCAL}[tls]\n")).is_ok());
    let wrong = read(&format!("{LOCAL}[tsl]\n")).unwrap_err();
    assert!(
        wrong[0].starts_with("line 2: there is no option `tsl`"),
        "{wrong:?}"
    );
}

#[test]
fn what_is_no_toml_says_the_line() {
    let wrong = read(&format!("{LOCAL}listen = \n")).unwrap_err();
    assert!(wrong[0].starts_with("line 2: "), "{wrong:?}");
}

#[test]
fn a_missing_public_url_says_what_to_write() {
    let wrong = read("").unwrap_err();
    assert_eq!(
        wrong,
        ["`public_url` is missing; write `public_url = \"https://login.example.ch\"`"]
    );
}

#[test]
fn the_environment_overrides_the_file() {
    let environment = [
        ("FURKA_LISTEN", "127.0.0.1:9"),
        ("FURKA_INSTITUTION_DE", "Kanton"),
        ("FURKA_TRUSTED_PROXIES", "192.0.2.1, 192.0.2.2"),
        ("FURKA_FORWARDING", "forwarded"),
        ("HOME", "/root"),
    ];
    let config = read_with(&format!("{LOCAL}listen = \"nowhere\"\n"), &environment).unwrap();
    assert_eq!(config.listen.port(), 9);
    assert_eq!(config.institution.any(), "Kanton");
    assert_eq!(config.trusted_proxies.len(), 2);
    let wrong = read_with(LOCAL, &[("FURKA_LISTEN", "x")]).unwrap_err();
    assert!(
        wrong[0].starts_with("`FURKA_LISTEN` of the environment: `listen`: `x` is no"),
        "{wrong:?}"
    );
}

/// [N01] Exactly one mechanism, and only from listed, small networks.
#[test]
fn proxies_are_few_and_speak_in_one_way() {
    assert!(read(BEHIND).is_ok());
    for (text, why) in [
        (
            BEHIND.replace("forwarded", "none"),
            "but `forwarding` is \"none\"",
        ),
        (BEHIND.replace("[\"192.0.2.10\"]", "[]"), "lists none"),
        (BEHIND.replace("192.0.2.10", "0.0.0.0/0"), "too wide"),
        (BEHIND.replace("192.0.2.10", "10.0.0.0/8"), "too wide"),
        (
            BEHIND.replace("192.0.2.10", "192.0.2.10/24"),
            "bits set behind its prefix",
        ),
        (
            BEHIND.replace("192.0.2.10", "proxy.example.ch"),
            "is no address or network",
        ),
        (BEHIND.replace("forwarded", "x-real-ip"), "is none of"),
    ] {
        let wrong = read(&text).unwrap_err();
        assert!(
            wrong.iter().any(|sentence| sentence.contains(why)),
            "{why}: {wrong:?}"
        );
    }
}

/// [P11] Passwords do not travel in the open.
#[test]
fn plain_http_stays_on_this_machine_or_behind_a_listed_proxy() {
    assert!(read(LOCAL).is_ok());
    assert!(read(&format!("{BEHIND}listen = \"0.0.0.0:80\"\n")).is_ok());
    let tls = "[tls]\ncertificate = \"a.pem\"\nkey = \"b.pem\"\n";
    let public = "public_url = \"https://login.example.ch\"\nlisten = \"0.0.0.0:443\"\n";
    let config = read(&format!("{public}{tls}")).unwrap();
    assert_eq!(config.tls.files().unwrap().1, Path::new("/etc/furka/b.pem"));
    for (text, why) in [
        (
            format!("{LOCAL}listen = \"0.0.0.0:80\"\n"),
            "would carry passwords in the open",
        ),
        (public.to_owned(), "would carry passwords in the open"),
        (
            public.replace("0.0.0.0", "127.0.0.1"),
            "a proxy must stand before",
        ),
        (
            format!("{LOCAL}[tls]\nkey = \"b.pem\"\n"),
            "belong together",
        ),
        (
            LOCAL.replace("localhost", "login.example.ch"),
            "must begin with `https://`",
        ),
        (LOCAL.replace(":8400", "/sso"), "must end after the host"),
        (
            format!("{LOCAL}management_listen = \"127.0.0.1:8400\"\n"),
            "are the same",
        ),
        (
            format!("{LOCAL}database = \"postgres://db\"\n"),
            "names no user",
        ),
        (format!("{LOCAL}log = 3\n"), "must be text in quotes"),
    ] {
        let wrong = read(&text).unwrap_err();
        assert!(
            wrong.iter().any(|sentence| sentence.contains(why)),
            "{why}: {wrong:?}"
        );
    }
}

#[test]
fn a_variable_that_is_no_option_is_noticed() {
    let names = ["FURKA_LISTNE", "FURKA_LISTEN", "FURKA_CONFIG", "PATH"].map(str::to_owned);
    assert_eq!(unknown_variables(names.into_iter()), ["FURKA_LISTNE"]);
}

/// Certificates of applications are asked for at a door of their own, or passed on by listed proxies.
#[test]
fn certificates_of_applications_come_in_by_one_door() {
    let tls = "[tls]\ncertificate = \"a.pem\"\nkey = \"b.pem\"\n";
    let public = "public_url = \"https://login.example.ch\"\nlisten = \"0.0.0.0:443\"\n";
    let own = "[mtls]\nurl = \"https://login.example.ch:8443\"\nlisten = \"0.0.0.0:8443\"\n";
    let passed_on = "[mtls]\nurl = \"https://apps.example.ch\"\nproxies = \"client-cert\"\n";
    let config = read(&format!("{public}{tls}{own}")).unwrap();
    assert_eq!(config.mtls.listen.unwrap().port(), 8443);
    assert!(!config.mtls.proxies_pass_certificates);
    let config = read(&format!("{BEHIND}{passed_on}")).unwrap();
    assert!(config.mtls.proxies_pass_certificates && config.mtls.listen.is_none());
    for (text, why) in [
        (format!("{BEHIND}{own}"), "speaks TLS"),
        (
            format!(
                "{public}{tls}{}",
                own.replace("0.0.0.0:8443", "0.0.0.0:443")
            ),
            "is taken",
        ),
        (
            format!("{public}{tls}{}", own.replacen(":8443", "", 1)),
            "are the same",
        ),
        (
            format!(
                "{public}{tls}{}",
                own.replace("listen = \"0.0.0.0:8443\"\n", "")
            ),
            "nobody asks",
        ),
        (
            format!("{public}{tls}[mtls]\nlisten = \"0.0.0.0:8443\"\n"),
            "`mtls.url` is missing",
        ),
        (
            format!("{BEHIND}[mtls]\nproxies = \"client-cert\"\n"),
            "`mtls.url` is missing",
        ),
        (format!("{public}{tls}{passed_on}"), "listed proxies"),
        (
            format!(
                "{}{passed_on}",
                BEHIND.replace("forwarded", "proxy-protocol")
            ),
            "listed proxies",
        ),
        (
            format!("{BEHIND}{}", passed_on.replace("client-cert", "x-ssl-cert")),
            "is none of",
        ),
        (
            format!("{BEHIND}{}", passed_on.replace("https", "http")),
            "must begin with `https://`",
        ),
    ] {
        let wrong = read(&text).unwrap_err();
        assert!(
            wrong.iter().any(|sentence| sentence.contains(why)),
            "{why}: {wrong:?}"
        );
    }
}
