//! Nodes that see each other, and a node that comes before its database, as real processes.

use std::{
    io::Read,
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use cluster::Postgres;
use serde_json::Value;

use crate::{
    installation::{Installation, text},
    serving::{Serving, get, try_get},
    terminal::furka,
};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

#[expect(clippy::disallowed_methods, reason = "how long a real program takes")]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "{what}");
        sleep(Duration::from_millis(50));
    }
}

fn readiness(node: &Serving) -> String {
    get(&node.management, "/health/ready")
}

fn is_ready(node: &Serving) -> bool {
    readiness(node).starts_with("HTTP/1.1 200")
}

fn status(here: &Installation) -> (Value, Option<i32>) {
    let asked = here.run(&["cluster", "status", "--json"]);
    let json = serde_json::from_slice(&asked.stdout);
    (json.unwrap(), asked.status.code())
}

#[test]
fn a_node_that_disagrees_steps_aside_until_the_eldest_leaves() {
    let url = Postgres::shared().database().unwrap();
    let here = Installation::on(&url);
    let [elder, next] = [Serving::start(&here), Serving::start(&here)];
    let other = [("FURKA_PUBLIC_URL", "http://localhost:8499")];
    let mut apart = Serving::start_with(&here, &other);
    assert!(is_ready(&elder) && is_ready(&next));
    let why = readiness(&apart);
    assert!(why.starts_with("HTTP/1.1 503"), "{why}");
    assert!(why.contains("differs in `public_url`"), "{why}");
    assert!(get(&apart.management, "/health/live").starts_with("HTTP/1.1 200"));
    let metrics = get(&apart.management, "/metrics");
    for line in [
        "furka_configuration_agrees 0",
        "furka_nodes 3",
        "furka_nodes_apart 1",
        "furka_build_info{version=\"",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    let metrics = get(&elder.management, "/metrics");
    assert!(
        metrics.contains("furka_configuration_agrees 1"),
        "{metrics}"
    );

    let (json, code) = status(&here);
    assert_eq!(code, Some(1), "{json}");
    let nodes = json["nodes"].as_array().unwrap();
    let column = |name: &str| {
        nodes
            .iter()
            .map(|node| node[name].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(column("standing"), ["ready", "ready", "apart"]);
    assert_eq!(column("address")[2], apart.listen.as_str());
    assert_eq!(nodes[2]["differs_in"], serde_json::json!(["public_url"]));
    assert_eq!(column("key")[0], column("key")[2]);
    assert_eq!(json["servers"][0]["role"], "leader");
    let table = here.run(&["cluster", "status"]);
    let table = text(&table.stdout);
    assert!(table.contains("no: `public_url` is not as on "), "{table}");
    assert!(table.contains("leader"), "{table}");

    for node in [elder, next] {
        node.stops();
    }
    until("the last one is right", || is_ready(&apart));
    apart.until("is that of the eldest: it takes requests");
    let (json, code) = status(&here);
    assert_eq!(
        (json["nodes"].as_array().unwrap().len(), code),
        (1, Some(0))
    );
    apart.stops();
    assert!(
        here.says(&["cluster", "status"])
            .starts_with("no node serves")
    );
}

/// A node that was killed is not believed for longer than the one in its place needs to start.
#[test]
fn a_node_that_is_killed_and_started_with_other_words_is_right_at_once() {
    let url = Postgres::shared().database().unwrap();
    let here = Installation::on(&url);
    let first = Serving::start(&here);
    let listen = first.listen.clone();
    drop(first);
    let place = [
        ("FURKA_LISTEN", listen.as_str()),
        ("FURKA_PUBLIC_URL", "http://localhost:8499"),
    ];
    let second = Serving::start_with(&here, &place);
    assert!(is_ready(&second), "{}", readiness(&second));
    second.stops();
}

/// Two that are free, and not the same.
fn free_ports() -> [String; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().to_string())
}

/// A `furka serve` that may wait, at places that are known before.
struct Early {
    child: Child,
    listen: String,
    management: String,
}

impl Early {
    fn start(here: &Installation) -> Self {
        let [listen, management] = free_ports();
        let child = furka(here.dir())
            .arg("serve")
            .env("FURKA_LISTEN", &listen)
            .env("FURKA_MANAGEMENT_LISTEN", &management)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let early = Self {
            child,
            listen,
            management,
        };
        until("it listens", || TcpStream::connect(&early.listen).is_ok());
        early
    }

    /// Asks it to end; what it has said, and whether it ended well.
    fn stops(mut self) -> (String, bool) {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        let mut said = String::new();
        let mut log = self.child.stderr.take().unwrap();
        log.read_to_string(&mut said).unwrap();
        (said, self.child.wait().unwrap().success())
    }
}

impl Drop for Early {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_node_that_comes_before_its_database_waits_for_it_and_says_so() {
    let mut server = Postgres::start().unwrap();
    let here = Installation::on(&server.database().unwrap());
    server.kill().unwrap();
    let [node, other] = [Early::start(&here), Early::start(&here)];
    assert!(get(&node.management, "/health/live").starts_with("HTTP/1.1 200"));
    for door in [&node.management, &node.listen] {
        let ready = get(door, "/health/ready");
        assert!(ready.starts_with("HTTP/1.1 503"), "{ready}");
        assert!(
            ready.contains("the database does not answer yet"),
            "{ready}"
        );
    }
    let page = get(&node.listen, "/account");
    assert!(page.starts_with("HTTP/1.1 503"), "{page}");
    assert!(page.contains("\r\nrefresh: 3\r\n"), "{page}");
    assert!(page.contains("<h1>Un instant"), "{page}");
    // A proxy may pass it on to somebody who was writing at another host.
    for path in ["/gate/check", "/gate/auth-request"] {
        let answer = get(&node.listen, path);
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        assert!(
            !answer.contains("\r\nrefresh:") && !answer.contains("<h1>"),
            "{answer}"
        );
    }
    let (said, well) = other.stops();
    assert!(well && said.contains("furka has stopped"), "{said}");

    server.start_again().unwrap();
    until("it serves", || {
        // Its doors change hands: who comes at that moment may be turned away.
        try_get(&node.management, "/health/ready")
            .is_ok_and(|ready| ready.starts_with("HTTP/1.1 200"))
    });
    assert!(get(&node.listen, "/login").starts_with("HTTP/1.1 200"));
    let (said, well) = node.stops();
    assert!(well, "{said}");
    let waits = said
        .find("the database cannot be used yet: waiting for it")
        .unwrap();
    let is_there = said.find("the database is there").unwrap();
    let serves = said.find("furka serves").unwrap();
    assert!(waits < is_there && is_there < serves, "{said}");
    assert!(said.contains("nothing listens at 127.0.0.1:"), "{said}");
}

/// What does not pass by itself is not waited for.
#[test]
fn a_start_that_can_never_work_ends_at_once_with_its_sentence() {
    let url = Postgres::shared().database().unwrap();
    let here = Installation::on(&url);
    let empty = Postgres::shared().database().unwrap();
    let (_, password) = url.split('@').next().unwrap().rsplit_once(':').unwrap();
    let older = Postgres::shared().database().unwrap();
    let name = older.rsplit('/').next().unwrap();
    let made = furka(here.dir())
        .args(["init", "older", "--database", &older])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", text(&made.stderr));
    let older_schema =
        "delete from migration where name >= '0002'; delete from meta where name = 'needed'";
    let serves = |database: &str| {
        let run = furka(here.dir())
            .arg("serve")
            .env("FURKA_DATABASE", database)
            .env("FURKA_LISTEN", "127.0.0.1:0")
            .env("FURKA_MANAGEMENT_LISTEN", "[::1]:0")
            .output()
            .unwrap();
        assert_eq!(run.status.code(), Some(1));
        text(&run.stderr)
    };
    Postgres::shared().sql(name, older_schema).unwrap();
    let plan = furka(here.dir())
        .args(["migrate", "--plan"])
        .env("FURKA_DATABASE", &older)
        .output()
        .unwrap();
    assert_eq!(plan.status.code(), Some(2));
    assert!(text(&plan.stdout).starts_with("+ 0002-nodes\n"));
    for (database, sentence) in [
        (url.replace(password, "wrong"), "does not let the user"),
        (url.replace("/test", "/none"), "there is no database `none"),
        (empty, "there is nothing in the database"),
        (older, "has an older schema"),
    ] {
        let said = serves(&database);
        assert!(said.contains(sentence), "{said}");
        assert!(!said.contains("waiting for it"), "{said}");
    }
}
