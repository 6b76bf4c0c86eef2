//! What a process that is killed leaves behind.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
};

use super::*;

const CHILD: &str = "FURKA_STORE_TEST_DATABASE";

/// [P03] Whatever was acknowledged before the process was killed is there afterwards.
///
/// The test runs itself as the process that is killed.
#[test]
fn what_was_acknowledged_survives_kill_9() {
    if let Some(path) = std::env::var_os(CHILD) {
        write_until_killed(Path::new(&path));
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("furka.db");
    for round in 0..3 {
        let acknowledged = kill_after(&path, 200);
        let store = Sqlite::open(&path, keys()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        for key in acknowledged {
            let again = store.consume(OneTime::ClientAssertion, key.as_bytes(), NOW);
            assert!(
                !runtime.block_on(again).unwrap(),
                "{key} is lost in round {round}"
            );
        }
    }
}

/// Uses things up, eight at a time, and says which.
fn write_until_killed(path: &Path) -> ! {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = Arc::new(Sqlite::open(path, keys()).unwrap());
    let round = std::process::id();
    let tasks = (0..8).map(|task| {
        let store = store.clone();
        runtime.spawn(async move {
            for number in 0_u64.. {
                let key = format!("{round}-{task}-{number}");
                let used = store.consume(OneTime::ClientAssertion, key.as_bytes(), NOW.plus(1));
                assert!(used.await.unwrap());
                let mut out = std::io::stdout().lock();
                writeln!(out, "\nused {key}").unwrap();
            }
        })
    });
    let tasks: Vec<_> = tasks.collect();
    for task in tasks {
        runtime.block_on(task).unwrap();
    }
    unreachable!("the parent kills this process")
}

/// Starts the child, kills it after so many acknowledgements, and says all that it acknowledged.
fn kill_after(path: &Path, lines: usize) -> Vec<String> {
    let name = "sqlite::tests::killed::what_was_acknowledged_survives_kill_9";
    let mut child: Child = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut acknowledged = vec![];
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        // The line that is being written when the process ends is no acknowledgement.
        let Some(key) = line.unwrap().strip_prefix("used ").map(str::to_owned) else {
            continue;
        };
        acknowledged.push(key);
        if acknowledged.len() == lines {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    acknowledged.pop();
    assert!(acknowledged.len() + 1 >= lines, "the child ended by itself");
    acknowledged
}
