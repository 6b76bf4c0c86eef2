//! Documents that name commands are checked: the command and its options exist.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::paths::{claims, documents, in_backticks};
use super::tree::Tree;

const BINARY: &str = "crates/furka/src/";

/// What `furka` understands, as far as its source tells.
#[derive(Default)]
struct Grammar {
    /// The commands of each enum, with the type that holds what follows, if any.
    enums: BTreeMap<String, BTreeMap<String, Option<String>>>,
    /// Every name in the code that could be an option.
    names: BTreeSet<String>,
}

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let grammar = Grammar::read(tree);
    let ours: Vec<&str> = crate::COMMANDS.iter().map(|command| command.name).collect();
    let mut found = Vec::new();
    for file in documents(tree) {
        let mut fenced = false;
        for (line, text) in claims(file) {
            fenced ^= text.trim_start().starts_with("```");
            let whole = fenced.then_some(text);
            for call in in_backticks(text).filter(|_| !fenced).chain(whole) {
                let unknown = unknown_task(call, &ours).or_else(|| grammar.unknown(call));
                found.extend(unknown.map(|word| {
                    let cure = "name what `--help` names, or say `not yet` on this line";
                    let call = call.trim();
                    Finding::new(
                        &file.path,
                        line,
                        format!("`{call}`: there is no `{word}`: {cure}"),
                    )
                }));
            }
        }
    }
    found
}

/// The task that a `cargo xtask …` names and this program does not know.
fn unknown_task<'text>(call: &'text str, ours: &[&str]) -> Option<&'text str> {
    let task = call
        .split_once("cargo xtask ")?
        .1
        .split([' ', ';', '`'])
        .next()?;
    let is_word = task.starts_with(|letter: char| letter.is_ascii_lowercase());
    (is_word && !ours.contains(&task)).then_some(task)
}

impl Grammar {
    /// Reads the enums that clap makes commands of, and every name that could be an option.
    fn read(tree: &Tree) -> Self {
        let mut grammar = Self::default();
        for (_, source) in tree
            .rust()
            .filter(|(file, _)| file.path.starts_with(BINARY))
        {
            let mut lines = source.code.iter();
            while let Some(line) = lines.next() {
                if line.contains("Subcommand") && line.contains("derive(") {
                    let name = lines
                        .find_map(|line| line.split_once("enum "))
                        .map(|(_, name)| name);
                    let name = name
                        .unwrap_or_default()
                        .trim_end_matches(['{', ' '])
                        .to_owned();
                    grammar.enums.insert(name, variants(&mut lines));
                }
            }
            for code in &source.code {
                let words = code.split(|letter: char| !super::rust::is_word(letter));
                grammar
                    .names
                    .extend(words.map(|word| word.replace('_', "-")));
            }
            for literal in &source.literals {
                grammar.names.insert(literal.text.clone());
            }
        }
        grammar
    }

    /// The first word of a `furka …` that the binary does not know.
    fn unknown<'text>(&self, call: &'text str) -> Option<&'text str> {
        let call = call
            .trim()
            .trim_start_matches("$ ")
            .trim_start_matches("sudo ");
        let mut words = call.strip_prefix("furka ")?.split_whitespace();
        let first = words.next().filter(|word| is_command(word));
        let mut inner = None;
        if let Some(first) = first {
            match self.enums.values().find_map(|commands| commands.get(first)) {
                Some(payload) => inner = payload.as_ref().and_then(|name| self.enums.get(name)),
                None => return Some(first),
            }
        }
        let mut rest = words.take_while(|word| !word.starts_with('#'));
        if let (Some(commands), Some(second)) = (inner, rest.clone().next()) {
            let mut choices = second.split('|').filter(|word| is_command(word));
            if let Some(unknown) = choices.find(|word| !commands.contains_key(*word)) {
                return Some(unknown);
            }
        }
        rest.find(|word| {
            let word = word.trim_matches(['[', ']']);
            let option = word
                .strip_prefix("--")
                .and_then(|option| option.split('=').next());
            option.is_some_and(|option| !self.names.contains(option) && option != "help")
        })
    }
}

fn is_command(word: &str) -> bool {
    word.starts_with(|letter: char| letter.is_ascii_lowercase())
        && word
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || "-|".contains(letter))
}

/// The variants up to the closing brace: name in the command's spelling, and the type it holds.
fn variants<'text>(
    lines: &mut impl Iterator<Item = &'text String>,
) -> BTreeMap<String, Option<String>> {
    let mut found = BTreeMap::new();
    let mut last = String::new();
    for line in lines.take_while(|line| !line.starts_with('}')) {
        let indent = line.len() - line.trim_start().len();
        let line = line.trim_start();
        if indent == 4 && line.starts_with(|letter: char| letter.is_ascii_uppercase()) {
            let end = line
                .find(|letter: char| !letter.is_alphanumeric())
                .unwrap_or(line.len());
            let (name, rest) = line.split_at(end);
            last = kebab(name);
            let payload = rest
                .strip_prefix('(')
                .and_then(|rest| rest.split([')', ',']).next());
            found.insert(last.clone(), payload.map(last_name));
        } else if indent > 4 && line.contains(": ") {
            // A variant with fields: the field that is itself a command.
            let payload = line
                .split_once(": ")
                .map(|(_, kind)| last_name(kind.trim_end_matches(',')));
            if let Some(entry) = found.get_mut(&last) {
                *entry = entry
                    .take()
                    .or(payload.filter(|name| name.ends_with("Command")));
            }
        }
    }
    found
}

/// `commands::person::Command` as `Command`.
fn last_name(path: &str) -> String {
    path.rsplit("::")
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// `KeysRotate` as `keys-rotate`.
fn kebab(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;

    const BINARY: &str = "\
#[derive(Subcommand)]
enum Command {
    /// Serve.
    Serve(Serve),
    Person {
        #[command(subcommand)]
        what: PersonCommand,
    },
    Token(TokenCommand),
}
struct Serve {
    config: PathBuf,
}
#[derive(Debug, clap::Subcommand)]
pub(crate) enum PersonCommand {
    Import { file: PathBuf },
    Show,
}
#[derive(Subcommand)]
enum TokenCommand {
    Resync,
}
";

    fn found(document: &str) -> Vec<String> {
        let tree = Tree::of(&[
            ("README.md", document),
            ("crates/furka/src/main.rs", BINARY),
        ]);
        check(&tree)
            .into_iter()
            .map(|finding| finding.sentence)
            .collect()
    }

    #[test]
    fn commands_that_exist_are_right() {
        assert_eq!(
            found("`cargo xtask demo` `furka serve --config furka.toml`"),
            [""; 0]
        );
        assert_eq!(
            found("`furka person import FILE.csv`, `furka token resync`, `furka --help`"),
            [""; 0]
        );
        assert_eq!(
            found("```sh\nfurka serve   # starts\n```\nThe furka binary."),
            [""; 0]
        );
    }

    #[test]
    fn a_command_or_option_that_does_not_exist_is_found() {
        assert_eq!(found("`cargo xtask juggle`").len(), 1);
        assert_eq!(found("`furka backup FILE`").len(), 1);
        assert_eq!(found("`furka person delete anna`").len(), 1);
        assert_eq!(found("`furka token destroy`").len(), 1);
        assert_eq!(found("`furka serve --verbose`").len(), 1);
        assert_eq!(found("```sh\nfurka restore FILE\n```").len(), 1);
    }

    #[test]
    fn what_is_not_yet_there_may_be_named_as_such() {
        assert_eq!(found("`furka backup FILE` (not yet)"), [""; 0]);
    }
}
