//! The three languages say the same things, and nothing is said that no page says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::*;

#[test]
fn every_message_file_is_read_whole() {
    for language in Language::ALL {
        for source in sources(language) {
            let read = FluentResource::try_new((*source).to_owned());
            assert!(
                read.is_ok(),
                "{language}: {:?}",
                read.err().map(|(_, errors)| errors)
            );
        }
    }
}

#[test]
fn no_key_is_said_twice() {
    for language in Language::ALL {
        let mut seen = BTreeSet::new();
        for key in sources(language).iter().flat_map(|source| keys(source)) {
            assert!(seen.insert(key.clone()), "{language}: {key}");
        }
    }
}

#[test]
fn every_key_exists_in_every_language_with_the_same_arguments() {
    let french = messages(Language::Fr);
    for language in Language::ALL {
        let other = messages(language);
        let missing: Vec<_> = french
            .keys()
            .filter(|key| !other.contains_key(*key))
            .collect();
        let extra: Vec<_> = other
            .keys()
            .filter(|key| !french.contains_key(*key))
            .collect();
        assert!(
            missing.is_empty() && extra.is_empty(),
            "{language}: {missing:?} {extra:?}"
        );
        for (key, text) in &french {
            let theirs = other.get(key).map(|text| arguments(text));
            assert_eq!(Some(arguments(text)), theirs, "{language}: {key}");
        }
    }
}

#[test]
fn every_key_is_used_and_every_used_key_exists() {
    let code: String = sources_of_pages()
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let keys = messages(Language::Fr);
    let unused: Vec<_> = keys
        .keys()
        .filter(|key| !code.contains(&format!("\"{key}\"")))
        .collect();
    assert!(unused.is_empty(), "no page says {unused:?}");

    let said: BTreeSet<_> = code
        .split("say(\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|key| !keys.contains_key(*key) && *key != "no-such-key")
        .collect();
    assert!(said.is_empty(), "there are no messages {said:?}");
}

/// Swiss usage: no ß, French guillemets with an unbreakable blank, no typewriter dots.
#[test]
fn the_spelling_is_swiss() {
    for language in Language::ALL {
        for (key, text) in messages(language) {
            assert!(
                !text.contains(['ß', '„', '\t']) && !text.contains("..."),
                "{language}: {key}"
            );
        }
    }
    for (key, text) in messages(Language::Fr) {
        assert!(
            !text.contains("« ") && !text.contains(" »") && !text.contains(" :"),
            "fr: {key}"
        );
        assert!(
            !text.contains(" ?") && !text.contains(" ;") && !text.contains(" !"),
            "fr: {key}"
        );
    }
}

#[test]
fn numbers_choose_the_plural_form() {
    let french = Words::of(Language::Fr);
    assert_eq!(french.given("n", 1).say("span-seconds"), "1 seconde");
    assert_eq!(french.given("n", 30).say("span-seconds"), "30 secondes");
    let english = Words::of(Language::En);
    assert_eq!(
        english.given("at", 2).given("of", 3).say("step"),
        "Step 2 of 3"
    );
}

#[test]
fn a_key_that_does_not_exist_is_seen() {
    assert_eq!(Words::of(Language::De).say("no-such-key"), "{no-such-key}");
}

/// Key and text of every message of a language.
fn messages(language: Language) -> BTreeMap<String, String> {
    let mut messages = BTreeMap::new();
    let mut current: Option<String> = None;
    for line in sources(language).iter().flat_map(|source| source.lines()) {
        if line.starts_with('#') {
            continue;
        }
        if line.starts_with(|c: char| c.is_ascii_alphabetic()) {
            current = line.split(" =").next().map(str::to_owned);
        }
        if let Some(key) = &current {
            messages
                .entry(key.clone())
                .or_insert_with(String::new)
                .push_str(&format!("{line}\n"));
        }
    }
    messages
}

fn keys(source: &str) -> Vec<String> {
    let starts = |line: &&str| line.starts_with(|c: char| c.is_ascii_alphabetic());
    source
        .lines()
        .filter(starts)
        .filter_map(|l| l.split(" =").next())
        .map(str::to_owned)
        .collect()
}

/// The names after `$`.
fn arguments(text: &str) -> BTreeSet<&str> {
    let name = |rest: &'_ str| {
        rest.find(|c: char| !c.is_alphanumeric())
            .unwrap_or(rest.len())
    };
    text.split('$')
        .skip(1)
        .map(|rest| &rest[..name(rest)])
        .collect()
}

/// The templates, and the code that fills them.
fn sources_of_pages() -> Vec<PathBuf> {
    let server = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(&server.join("src/page"), &mut files);
    collect(&server.join("../../pages"), &mut files);
    assert!(files.len() > 30, "{files:?}");
    files
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path
            .extension()
            .is_some_and(|end| end == "rs" || end == "html")
        {
            files.push(path);
        }
    }
}
