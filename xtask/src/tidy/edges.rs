//! Who may look at whom: the arrows between rooms, and which outside crates a room may use.

use toml::Table;

use super::Finding;
use super::rust::Source;
use super::tree::{File, Tree};

/// What a room may depend on among ours, as the product and (more) in its tests.
struct Room {
    name: &'static str,
    ours: &'static [&'static str],
    in_tests: &'static [&'static str],
}

const ROOMS: [Room; 15] = [
    Room {
        name: "bench",
        ours: &["cluster", "driver", "journey", "server", "store", "wire"],
        in_tests: &[],
    },
    Room {
        name: "cluster",
        ours: &[],
        in_tests: &[],
    },
    Room {
        name: "demo",
        ours: &["wire"],
        in_tests: &[],
    },
    Room {
        name: "driver",
        ours: &[],
        in_tests: &[],
    },
    Room {
        name: "e2e",
        ours: &["testkit"],
        in_tests: &["testkit"],
    },
    Room {
        name: "furka",
        ours: &["demo", "journey", "peers", "server", "store", "wire"],
        in_tests: &["cluster", "testkit"],
    },
    Room {
        name: "fuzz",
        ours: &["journey", "wire"],
        in_tests: &[],
    },
    Room {
        name: "journey",
        ours: &[],
        in_tests: &[],
    },
    Room {
        name: "peers",
        ours: &[],
        in_tests: &[],
    },
    Room {
        name: "server",
        ours: &["journey", "peers", "store", "wire"],
        in_tests: &["testkit"],
    },
    Room {
        name: "store",
        ours: &["journey"],
        in_tests: &["cluster"],
    },
    Room {
        name: "testkit",
        ours: &[
            "cluster", "demo", "journey", "peers", "server", "store", "wire",
        ],
        in_tests: &[],
    },
    Room {
        name: "trials",
        ours: &["cluster", "driver"],
        in_tests: &[],
    },
    Room {
        name: "wire",
        ours: &[],
        in_tests: &[],
    },
    Room {
        name: "xtask",
        ours: &[],
        in_tests: &[],
    },
];

/// An outside crate that only some rooms may use.
struct Reserved {
    name: &'static str,
    rooms: &'static [&'static str],
    in_tests: &'static [&'static str],
    why: &'static str,
}

const WAITING: &str = "`journey` and `wire` are pure: nothing in them waits";
const SERVING: &[&str] = &["bench", "demo", "e2e", "furka", "server", "testkit"];
const WAITERS: &[&str] = &[
    "bench", "demo", "driver", "e2e", "furka", "fuzz", "peers", "server", "store", "testkit",
    "trials",
];
const CALLERS: &[&str] = &["bench", "e2e", "peers", "testkit"];

const RESERVED: [Reserved; 10] = [
    Reserved {
        name: "async-trait",
        rooms: WAITERS,
        in_tests: &[],
        why: WAITING,
    },
    Reserved {
        name: "axum",
        rooms: SERVING,
        in_tests: &["peers"],
        why: "HTTP is served by `server`",
    },
    Reserved {
        name: "hyper",
        rooms: SERVING,
        in_tests: &["peers"],
        why: "HTTP is served by `server`",
    },
    Reserved {
        name: "hyper-util",
        rooms: SERVING,
        in_tests: &["peers"],
        why: "HTTP is served by `server`",
    },
    Reserved {
        name: "lettre",
        rooms: &["peers"],
        in_tests: &[],
        why: "mail leaves through `peers`",
    },
    Reserved {
        name: "reqwest",
        rooms: CALLERS,
        in_tests: &["furka", "server"],
        why: "outgoing connections leave through `peers`",
    },
    Reserved {
        name: "rusqlite",
        rooms: &["bench", "store"],
        in_tests: &[],
        why: "SQL is spoken by `store`",
    },
    Reserved {
        name: "tokio",
        rooms: WAITERS,
        in_tests: &[],
        why: WAITING,
    },
    Reserved {
        name: "tokio-rustls",
        rooms: SERVING,
        in_tests: &["peers"],
        why: "TLS is served by `server`",
    },
    Reserved {
        name: "tower",
        rooms: SERVING,
        in_tests: &["peers"],
        why: "HTTP is served by `server`",
    },
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let manifests = tree.files().filter(|file| {
        file.path.ends_with("/Cargo.toml") && (1..=2).contains(&file.path.matches('/').count())
    });
    manifests
        .flat_map(of_manifest)
        .chain(tree.rust().flat_map(|(file, source)| of_demo(file, source)))
        .collect()
}

/// What the demo's product code may name of `wire`; its tests play the provider with the rest.
const DEMO_NAMES: [&str; 2] = ["wire::jose::SigningKey", "wire::saml::"];

/// The demo speaks like anybody else, but for its SAML application.
fn of_demo(file: &File, source: &Source) -> Vec<Finding> {
    if file.room() != "demo" {
        return Vec::new();
    }
    let foreign = source.product_code().filter(|(_, line)| {
        let names = line.match_indices("wire::").map(|(at, _)| &line[at..]);
        let mut names = names.filter(|name| !DEMO_NAMES.iter().any(|may| name.starts_with(may)));
        names.next().is_some()
    });
    let sentence =
        "of `wire` the demo sees its SAML only: docs/decisions/0026-the-demos-saml-application.md";
    foreign
        .map(|(at, _)| Finding::new(&file.path, at, sentence.to_owned()))
        .collect()
}

fn of_manifest(file: &File) -> Vec<Finding> {
    let table = match file.text.parse::<Table>() {
        Ok(table) => table,
        Err(error) => return vec![Finding::new(&file.path, 0, error.message().to_owned())],
    };
    let Some(room) = ROOMS.iter().find(|room| room.name == file.room()) else {
        let cure = "write its decision page, then add it to `xtask/src/tidy/edges.rs`";
        return vec![Finding::new(
            &file.path,
            0,
            format!("a room nobody planned: {cure}"),
        )];
    };
    let sections = [
        ("dependencies", false),
        ("build-dependencies", false),
        ("dev-dependencies", true),
    ];
    let mut found = Vec::new();
    for (section, in_tests) in sections {
        let names = table.get(section).and_then(|section| section.as_table());
        for name in names.into_iter().flat_map(|names| names.keys()) {
            if let Some(sentence) = refusal(room, name, in_tests) {
                found.push(Finding::new(
                    &file.path,
                    line_of(file, section, name),
                    sentence,
                ));
            }
        }
    }
    found
}

/// Why a room may not depend on this crate; none if it may.
fn refusal(room: &Room, name: &str, in_tests: bool) -> Option<String> {
    if ROOMS.iter().any(|other| other.name == name) {
        let allowed = room.ours.contains(&name) || in_tests && room.in_tests.contains(&name);
        let cure = "ARCHITECTURE.md draws the arrows; let a value pass through a room that may";
        return (!allowed).then(|| format!("`{}` may not look at `{name}`: {cure}", room.name));
    }
    let reserved = RESERVED.iter().find(|reserved| reserved.name == name)?;
    let allowed =
        reserved.rooms.contains(&room.name) || in_tests && reserved.in_tests.contains(&room.name);
    (!allowed).then(|| format!("`{}` may not use `{name}`: {}", room.name, reserved.why))
}

/// The line of a dependency in its section.
fn line_of(file: &File, section: &str, name: &str) -> usize {
    let heading = format!("[{section}]");
    let below = file.lines().skip_while(|(_, text)| text.trim() != heading);
    let names = below.filter(|(_, text)| {
        text.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
    });
    names.map(|(line, _)| line).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;

    fn found(manifest: (&str, &str)) -> Vec<String> {
        check(&Tree::of(&[manifest]))
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn an_arrow_that_is_not_in_the_picture_is_found() {
        let found = found((
            "crates/wire/Cargo.toml",
            "[package]\n[dependencies]\njourney.workspace = true\n",
        ));
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("crates/wire/Cargo.toml:3: `wire` may not look at `journey`"));
    }

    #[test]
    fn a_pure_room_may_not_wait_not_even_in_tests() {
        let manifest = "[dependencies]\n[dev-dependencies]\ntokio = { workspace = true }\n";
        assert_eq!(found(("crates/journey/Cargo.toml", manifest)).len(), 1);
    }

    #[test]
    fn only_the_store_speaks_sql_and_only_peers_call_out() {
        let manifest = "[dependencies]\nreqwest.workspace = true\nrusqlite.workspace = true\n";
        assert_eq!(found(("crates/server/Cargo.toml", manifest)).len(), 2);
        let in_tests = "[dev-dependencies]\nreqwest.workspace = true\n";
        assert_eq!(found(("crates/server/Cargo.toml", in_tests)), [""; 0]);
    }

    #[test]
    fn the_testkit_is_for_tests() {
        let normal = "[dependencies]\ntestkit.workspace = true\n";
        assert_eq!(found(("crates/server/Cargo.toml", normal)).len(), 1);
        let in_tests = "[dev-dependencies]\ntestkit.workspace = true\n";
        assert_eq!(found(("crates/server/Cargo.toml", in_tests)), [""; 0]);
    }

    #[test]
    fn the_demo_sees_the_saml_of_wire_and_nothing_else() {
        let may = "use wire::saml::Fault;\nuse wire::jose::SigningKey;\n";
        assert_eq!(found(("crates/demo/src/a.rs", may)), [""; 0]);
        let may_not = "use wire::saml::Fault;\nuse wire::oidc::Issuer;\nuse wire::{oauth};\n";
        assert_eq!(found(("crates/demo/src/a.rs", may_not)).len(), 2);
        assert_eq!(found(("crates/server/src/a.rs", may_not)), [""; 0]);
    }

    #[test]
    fn a_room_nobody_planned_is_found() {
        assert_eq!(found(("crates/util/Cargo.toml", "[package]\n")).len(), 1);
    }
}
