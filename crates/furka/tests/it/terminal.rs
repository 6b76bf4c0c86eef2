//! Replays a transcript: `$` begins a command, what follows is its output, `…` stands for anything on
//! a line, `[1]` for an exit code other than 0. `--- NAME` writes a file up to the next `---`, with
//! `latin-1` behind the name in that encoding. `< FILE` gives a file to a command. Beside `furka` there are `replace FILE OLD NEW`,
//! `chmod MODE FILE` and `sample NAME`, which copies a vendor's file.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/transcripts")
}

/// Replays a transcript in a folder of its own.
pub(crate) fn replay(name: &str) {
    let text = fs::read_to_string(folder().join(format!("{name}.txt"))).unwrap();
    let dir = TempDir::new().unwrap();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(file) = line.strip_prefix("--- ") {
            let body: Vec<_> = lines.by_ref().take_while(|line| *line != "---").collect();
            write(dir.path(), file, &format!("{}\n", body.join("\n")));
        } else if let Some(command) = line.strip_prefix("$ ") {
            let mut expected = Vec::new();
            while let Some(line) = lines.next_if(|line| !line.is_empty() && !line.starts_with("$ "))
            {
                expected.push(line);
            }
            let said = run(dir.path(), command);
            compare(name, command, &expected, &said);
        } else {
            assert!(line.is_empty() || line.starts_with('#'), "{name}: {line}");
        }
    }
}

/// Fails if there is a transcript that nobody replays.
pub(crate) fn only(names: &[&str]) {
    let mut found: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let mut known = names.to_vec();
    found.sort();
    known.sort();
    assert_eq!(found, known);
}

fn write(dir: &Path, file: &str, text: &str) {
    match file.strip_suffix(" latin-1") {
        None => fs::write(dir.join(file), text).unwrap(),
        Some(file) => {
            let bytes: Vec<u8> = text
                .chars()
                .map(|c| u8::try_from(u32::from(c)).unwrap())
                .collect();
            fs::write(dir.join(file), bytes).unwrap();
        }
    }
}

/// What a command prints, its exit code behind it if that is not 0. Empty lines do not count.
fn run(dir: &Path, command: &str) -> Vec<String> {
    let words = words(command);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["replace", file, old, new] => {
            let path = dir.join(file);
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.contains(old), "`{old}` is not in {file}");
            fs::write(path, text.replace(old, new)).unwrap();
            Vec::new()
        }
        ["chmod", mode, file] => {
            let mode = fs::Permissions::from_mode(u32::from_str_radix(mode, 8).unwrap());
            fs::set_permissions(dir.join(file), mode).unwrap();
            Vec::new()
        }
        ["sample", name] => {
            let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wire/samples");
            fs::copy(samples.join(name), dir.join(name)).unwrap();
            Vec::new()
        }
        ["furka", arguments @ ..] => {
            let mut furka = furka(dir);
            let (arguments, given) = match arguments {
                [arguments @ .., "<", file] => (arguments, Some(file)),
                arguments => (arguments, None),
            };
            if let Some(file) = given {
                furka.stdin(fs::File::open(dir.join(file)).unwrap());
            }
            let done = furka.args(arguments).output().unwrap();
            let text = [done.stdout, done.stderr].concat();
            let text = String::from_utf8(text).unwrap();
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            let mut lines: Vec<_> = lines.map(str::to_owned).collect();
            match done.status.code() {
                Some(0) => {}
                code => lines.push(format!("[{}]", code.unwrap_or(-1))),
            }
            lines
        }
        _ => panic!("no such command: {command}"),
    }
}

/// The binary in a folder, with nothing from this process's environment.
pub(crate) fn furka(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_furka"));
    command.current_dir(dir).env_clear();
    command
}

fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in command.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words
}

fn compare(name: &str, command: &str, expected: &[&str], said: &[String]) {
    let fits = expected.len() == said.len()
        && expected
            .iter()
            .zip(said)
            .all(|(expected, said)| fits(expected, said));
    assert!(
        fits,
        "{name}: $ {command}\n--- expected\n{}\n--- said\n{}\n",
        expected.join("\n"),
        said.join("\n")
    );
}

/// Whether a line is as expected, where `…` stands for anything.
fn fits(expected: &str, said: &str) -> bool {
    let mut parts = expected.split('…');
    let Some(mut rest) = parts.next().and_then(|first| said.strip_prefix(first)) else {
        return false;
    };
    let parts: Vec<_> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.split_once(part) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last)
}
