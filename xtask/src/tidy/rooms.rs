//! What belongs in one room only: SQL in the store's engines, sentences for people in the locales.

use super::Finding;
use super::rust::{Source, is_word};
use super::tree::{File, Tree};

const ENGINES: [&str; 3] = [
    "crates/store/src/sqlite",
    "crates/store/src/postgres",
    "crates/store/src/migrate",
];

/// The beginnings of statements, in lower case.
const STATEMENTS: [&str; 12] = [
    "alter table ",
    "begin immediate",
    "create index ",
    "create table ",
    "create unique ",
    "delete from ",
    "drop table ",
    "insert into ",
    "insert or ",
    "pragma ",
    "select ",
    "update ",
];

/// Rooms whose texts are not read by the people the product serves, or that play those people.
const WITHOUT_LOCALES: [&str; 8] = [
    "bench", "cluster", "demo", "driver", "e2e", "testkit", "trials", "xtask",
];

/// A language is called by its own name in every language.
const OWN_NAMES: [&str; 1] = ["Français"];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (file, source) in tree.rust() {
        found.extend(sql_outside_the_engines(file, source));
        found.extend(sentences_outside_the_locales(file, source));
    }
    for page in tree
        .under("pages/")
        .filter(|file| file.path.ends_with(".html"))
    {
        let accented = page
            .lines()
            .filter(|(_, line)| accented_word(line).is_some());
        found.extend(accented.map(|(line, text)| speaks(page, line, text)));
    }
    found
}

fn sql_outside_the_engines(file: &File, source: &Source) -> Vec<Finding> {
    let has_engines = file.room() == "store" || file.room() == "server" || file.room() == "furka";
    if !has_engines || ENGINES.iter().any(|engine| file.path.starts_with(engine)) {
        return Vec::new();
    }
    let literals = source
        .literals
        .iter()
        .filter(|literal| !source.is_test(literal.line));
    literals
        .filter(|literal| is_sql(&literal.text))
        .map(|literal| {
            let cure = "make it a method of the store that says the business fact";
            let sentence = format!("SQL outside `crates/store/src/sqlite*`: {cure}");
            Finding::new(&file.path, literal.line, sentence)
        })
        .collect()
}

/// Whether a text is a statement: its first words, and one more word that English would not have.
fn is_sql(text: &str) -> bool {
    let text = text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_ascii_lowercase();
    let is_statement = STATEMENTS.iter().any(|start| text.starts_with(start));
    let is_select = !text.starts_with("select ") || text.contains(" from ") || text.contains("?1");
    let is_update = !text.starts_with("update ") || text.contains(" set ");
    is_statement && is_select && is_update
}

fn sentences_outside_the_locales(file: &File, source: &Source) -> Vec<Finding> {
    if WITHOUT_LOCALES.contains(&file.room()) {
        return Vec::new();
    }
    let literals = source
        .literals
        .iter()
        .filter(|literal| !source.is_test(literal.line));
    literals
        .filter(|literal| accented_word(&literal.text).is_some())
        .map(|literal| speaks(file, literal.line, &literal.text))
        .collect()
}

fn speaks(file: &File, line: usize, text: &str) -> Finding {
    let word = accented_word(text).unwrap_or_default();
    let cure = "put the sentence into `locales/` and name it here by its key";
    Finding::new(
        &file.path,
        line,
        format!("a text for people outside the locales (`{word}`): {cure}"),
    )
}

/// The first word that has an accent of French or German; a longer run of letters is an alphabet.
fn accented_word(text: &str) -> Option<&str> {
    if text.is_ascii() {
        return None;
    }
    let words = text.split(|letter: char| !is_word(letter));
    let mut long =
        words.filter(|word| (3..=24).contains(&word.chars().count()) && !OWN_NAMES.contains(word));
    long.find(|word| {
        let plain = word.chars().filter(char::is_ascii_alphabetic).count();
        plain >= 2
            && word
                .to_lowercase()
                .contains(|letter| "àâäçéèêëîïôöùûüœ".contains(letter))
    })
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;

    #[test]
    fn sql_outside_the_engines_is_found() {
        let statement = "let sql = \"update journey\n set state = ?1\";\n";
        let tree = Tree::of(&[
            ("crates/store/src/sqlite/journey.rs", statement),
            ("crates/store/src/lib.rs", statement),
            (
                "crates/server/src/jobs.rs",
                "let a = \"select a method\"; let b = \"update is late\";\n",
            ),
        ]);
        let found = check(&tree);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, "crates/store/src/lib.rs");
    }

    #[test]
    fn a_french_or_german_sentence_in_code_or_page_is_found() {
        let tree = Tree::of(&[
            (
                "crates/server/src/page/login.rs",
                "let a = \"Code envoyé\";\nlet b = \"für alle\";\n",
            ),
            ("crates/demo/src/ent.rs", "let a = \"Déconnexion\";\n"),
            ("pages/login.html", "<p>{{ title }}</p>\n<p>Réseau</p>\n"),
            (
                "crates/journey/src/code.rs",
                "let digits = \"é à abcdefghijklmnopqrstuvwxyzäöñüà\";\n#[cfg(test)]\nconst A: &str = \"Hélène\";\n",
            ),
        ]);
        let places: Vec<String> = check(&tree)
            .iter()
            .map(|finding| format!("{}:{}", finding.path, finding.line))
            .collect();
        assert_eq!(
            places,
            [
                "crates/server/src/page/login.rs:1",
                "crates/server/src/page/login.rs:2",
                "pages/login.html:2"
            ]
        );
    }
}
