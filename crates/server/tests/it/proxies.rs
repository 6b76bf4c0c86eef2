//! The gate with proxies that nobody here wrote: nginx and Caddy, configured by the snippets of
//! `docs/applications/gate.md`, in front of an application that repeats what it is told.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    process::Command,
    thread,
};

use tempfile::TempDir;
use testkit::memory::Canton;
use testkit::{Person, Role, Town};

use crate::{
    cas_client::canton_of_today,
    programs::{Curl, Page, Program, SCHOOL, Serving, free_port, snippet},
    registered::registers,
};

const PAGE: &str = include_str!("../../../../docs/applications/gate.md");

/// Where the wiki is.
const WIKI: &str = "127.0.0.1";
/// Where an application is, behind the same nginx, that lets everybody in.
const OPEN: &str = "127.0.0.3";

struct Stage {
    canton: Canton,
    person: Person,
    proxy: Program,
    provider: Serving,
    wiki: String,
    _folder: TempDir,
}

/// An application that answers with the head of the request, as it got it.
fn repeats() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                let mut stream = stream;
                let (mut head, mut byte) = (Vec::new(), [0]);
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) > 0 {
                    head.push(byte[0]);
                }
                let length = head.len();
                let front = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
                );
                // Who went away needs no answer.
                let _sent = stream.write_all(&[front.as_bytes(), &head].concat());
            });
        }
    });
    port
}

fn stage(start: impl FnOnce(&str, u16, u16, &TempDir) -> (Program, u16)) -> Stage {
    let mut canton = canton_of_today();
    let person = {
        let town: &mut dyn Town = &mut canton;
        town.somebody(Role::Token)
    };
    let port = free_port();
    let folder = tempfile::tempdir().unwrap();
    // The public address, as the page has it: a proxy may take what leads there for its own.
    let provider = Serving::origin_at(port);
    let (proxy, proxy_port) = start(&provider, repeats(), free_port(), &folder);
    let wiki = format!("http://{WIKI}:{proxy_port}");
    let open = format!(
        "[[gate]]\nid = \"open\"\nname = {{ fr = \"O\", de = \"O\", en = \"O\" }}\n\
         origins = [\"http://{OPEN}:{proxy_port}\"]\nheaders = [\"user\"]\nrule = [{{ path = \"/\" }}]\n"
    );
    registers(
        &canton,
        &(snippet(PAGE, "toml", &[("https://wiki.example.ch", &wiki)]) + &open),
    );
    let provider = Serving::start(&canton, port);
    Stage {
        canton,
        person,
        proxy,
        provider,
        wiki,
        _folder: folder,
    }
}

fn nginx(provider: &str, application: u16, port: u16, folder: &TempDir) -> (Program, u16) {
    let path = folder.path().to_string_lossy();
    let application = format!("http://127.0.0.1:{application}");
    let words = [
        ("https://id.example.ch", provider),
        ("http://wiki.internal:8080", &application),
    ];
    let server = |host: &str| {
        let name = format!("server_name {host};");
        let authority = format!("{host}:{port}");
        let own = [
            ("server_name wiki.example.ch;", name.as_str()),
            ("wiki.example.ch", &authority),
        ];
        let locations = snippet(PAGE, "nginx", &[&words[..], &own].concat());
        let listens = [WIKI, OPEN].map(|host| format!("listen {host}:{port};"));
        format!("server {{ {}\n{locations} }}", listens.concat())
    };
    let servers = [WIKI, OPEN].map(server);
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = temporary.map(|name| format!("{name}_temp_path {path}/{name};"));
    let configuration = format!(
        "daemon off; master_process off; pid {path}/pid; error_log stderr notice; events {{}}\n\
         http {{ access_log off; {}\n {} }}\n",
        temporary.concat(),
        servers.join("\n")
    );
    let file = folder.path().join("nginx.conf");
    fs::write(&file, configuration).unwrap();
    let mut command = Command::new("/usr/sbin/nginx");
    command.arg("-c").arg(&file).arg("-p").arg(folder.path());
    (Program::start(&mut command, folder.path(), port), port)
}

fn caddy(provider: &str, application: u16, port: u16, folder: &TempDir) -> (Program, u16) {
    let application = format!("http://127.0.0.1:{application}");
    let words = [
        ("https://id.example.ch", provider),
        ("http://wiki.internal:8080", &application),
    ];
    let route = snippet(PAGE, "caddy", &words);
    let configuration = format!(
        "{{\n admin off\n auto_https off\n}}\nhttp://127.0.0.1:{port} {{\n bind 127.0.0.1\n{route}\n}}\n"
    );
    let file = folder.path().join("Caddyfile");
    fs::write(&file, configuration).unwrap();
    let mut command = Command::new("/usr/bin/caddy");
    command
        .args(["run", "--adapter", "caddyfile", "--config"])
        .arg(&file)
        .env("HOME", folder.path())
        .env("XDG_DATA_HOME", folder.path())
        .env("XDG_CONFIG_HOME", folder.path());
    (Program::start(&mut command, folder.path(), port), port)
}

impl Stage {
    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.wiki)
    }

    /// Signs in with the password, at school.
    fn signs_in(&self, browser: &Curl, page: Page) -> Page {
        assert!(
            page.url.starts_with(&self.provider.origin),
            "{}\n{}",
            page.url,
            self.proxy.said()
        );
        let person = &self.person;
        browser.fills(
            &page,
            &[
                ("username", person.username.as_str()),
                ("password", &person.password),
            ],
        )
    }
}

/// The values under which the application could know somebody by this header.
fn told(page: &Page, name: &str) -> Vec<String> {
    let lines = page.body.lines().filter_map(|line| line.split_once(':'));
    let read = |key: &str| key.trim().replace('_', "-").to_ascii_lowercase();
    let named = lines.filter(|(key, _)| read(key) == name);
    named.map(|(_, value)| value.trim().to_owned()).collect()
}

/// [N08] Signs in, is known by name, smuggles nothing, steps up, and is out after the sign-out.
fn a_wiki_behind(mut stage: Stage) {
    let browser = Curl::new(SCHOOL);
    let asked = browser.opens(&stage.at("/page?x=1&y=%C3%A9"), &[]);
    let there = stage.signs_in(&browser, asked);
    assert_eq!(
        there.url,
        stage.at("/page?x=1&y=%C3%A9"),
        "{}",
        stage.proxy.said()
    );
    assert!(
        there.body.starts_with("GET /page?x=1&y=%C3%A9 HTTP/1."),
        "{}",
        there.body
    );
    for (name, value) in [
        ("remote-user", "luca.zenruffinen"),
        ("remote-name", "Luca Zenruffinen"),
        ("remote-groups", "teacher"),
        ("remote-acr", "https://refeds.org/profile/sfa"),
    ] {
        assert_eq!(told(&there, name), [value], "{}", there.body);
    }
    smuggles(&stage, &browser);

    assert_eq!(
        browser.opens(&stage.at("/office/"), &[]).status,
        403,
        "another group"
    );
    let more = browser.opens(&stage.at("/admin/x"), &[]);
    assert!(more.url.starts_with(&stage.provider.origin), "{}", more.url);
    let code_page = browser.fills(&more, &[]);
    let code = {
        let town: &mut dyn Town = &mut stage.canton;
        town.presses_token(&stage.person)
    };
    let there = browser.fills(&code_page, &[("code", &code)]);
    assert_eq!(there.url, stage.at("/admin/x"), "{}", there.body);
    assert_eq!(
        told(&there, "remote-acr"),
        ["https://refeds.org/profile/mfa"]
    );

    leaves(&stage, &browser);
}

/// [S05] After the sign-out no cookie of before opens anything.
fn leaves(stage: &Stage, browser: &Curl) {
    let before = browser.jar();
    let question = browser.opens(&stage.at("/.furka/sign-out"), &[]);
    let out = browser.fills(&question, &[]);
    assert_eq!(
        (out.status, out.url),
        (200, format!("{}/logout", stage.provider.origin))
    );
    for jar in [browser.jar(), before] {
        browser.takes(&jar);
        let again = browser.opens(&stage.at("/page"), &[]);
        assert!(
            again.url.starts_with(&stage.provider.origin),
            "asked again: {}",
            again.url
        );
        assert!(again.body.contains("name=\"password\""), "{}", again.body);
        let posted = browser.posts(&stage.at("/page"), "x=1");
        let led = posted.body.to_ascii_lowercase().contains("\nlocation:");
        assert_eq!((posted.status, led), (401, false), "{}", posted.body);
    }
}

/// What a browser may send to be somebody else, somewhere else, or nobody.
const SMUGGLED: [&str; 21] = [
    "Remote-User: admin",
    "remote-user: admin",
    "REMOTE-USER: admin",
    "Remote_User: admin",
    "remote_user: admin",
    "REMOTE_USER: admin",
    "Remote-Groups: admin",
    "Remote_Groups: admin",
    "Remote-Email: admin",
    "Remote_Acr: admin",
    "X-Forwarded-Uri: /page",
    "X_Forwarded_Uri: /page",
    "X-Forwarded_Uri: /page",
    "X-Forwarded-Host: other.example.ch",
    "X-Forwarded-Method: POST",
    "X-Original-URL: /page",
    "X-Forwarded-For: 203.0.113.5",
    "Connection: Remote-User",
    "Connection: close, remote-user, Remote-Groups",
    "Connection: X-Forwarded-Host, X-Forwarded-For",
    "Connection: Cookie",
];
/// Ways to say `/office/` that another program might understand.
const ROUNDABOUT: [&str; 6] = [
    "/page/../office/",
    "/page/%2e%2e/office/",
    "//office/",
    "/page/..%2foffice/",
    "/%6fffice/",
    "/OFFICE/",
];

/// [N08] Whatever a browser sends under names of the gate, the application hears the gate or nothing.
fn smuggles(stage: &Stage, browser: &Curl) {
    let stranger = Curl::new(SCHOOL);
    for header in SMUGGLED {
        let page = browser.asks(&stage.at("/page"), &[header]);
        match page.status {
            200 => assert_eq!(
                told(&page, "remote-user"),
                ["luca.zenruffinen"],
                "{header}: {}",
                page.body
            ),
            302 | 303 | 400 | 403 => assert!(!page.body.contains("HTTP/1.1"), "{header}"),
            other => panic!("{header}: {other}\n{}", stage.proxy.said()),
        }
        for name in ["remote-user", "remote-groups", "remote-email", "remote-acr"] {
            assert!(
                !told(&page, name)
                    .iter()
                    .any(|value| value.contains("admin")),
                "{header}: {}",
                page.body
            );
        }
        // What rules refuse, no header opens; nor does one let in who has not signed in.
        let refused = browser.asks(&stage.at("/office/"), &[header]);
        assert!(
            matches!(refused.status, 302 | 303 | 400 | 403),
            "{header}: {}",
            refused.status
        );
        let refused = stranger.asks(&stage.at("/page"), &[header]);
        assert!(
            matches!(refused.status, 302 | 303 | 400 | 401 | 403),
            "{header}: {}",
            refused.status
        );
    }
    for path in ROUNDABOUT {
        let refused = browser.asks(&stage.at(path), &[]);
        assert!(
            matches!(refused.status, 400 | 403),
            "{path}: {}\n{}",
            refused.status,
            refused.body
        );
    }
}

/// [N08] nginx chooses a server by the host in an absolute target and not by `Host`; so must the rules.
#[test]
fn the_rules_of_one_site_decide_about_no_other() {
    let stage = stage(nginx);
    let browser = Curl::new(SCHOOL);
    let open = stage.wiki.replace(WIKI, OPEN);
    let asked = browser.opens(&format!("{open}/office/"), &[]);
    let there = stage.signs_in(&browser, asked);
    assert_eq!(there.status, 200, "{}", there.body);
    assert_eq!(told(&there, "remote-user"), ["luca.zenruffinen"]);
    let crossed = browser.asks_for(&open, &stage.at("/office/"));
    assert_eq!(crossed.status, 302, "{}", crossed.body);
    let own = browser.asks_for(&stage.wiki, &format!("{open}/office/"));
    assert_eq!(own.status, 302, "{}", own.body);
}

/// [N08] [S05] [A01]
#[test]
fn a_wiki_behind_nginx_is_entered_and_left() {
    a_wiki_behind(stage(nginx));
}

/// [N08] [S05] [A01]
#[test]
fn a_wiki_behind_caddy_is_entered_and_left() {
    a_wiki_behind(stage(caddy));
}
