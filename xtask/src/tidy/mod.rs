//! The rules of the house that neither the compiler nor clippy knows; one file a rule.
//!
//! A rule is a function from the [`Tree`] to its [`Finding`]s. Each has a test that shows it fail on
//! a bad sample: a rule that cannot fail is no rule.

mod assertion;
mod attributes;
mod commands;
mod edges;
mod guide;
mod headers;
mod ledger;
mod locales;
mod machine;
mod mistakes;
mod paths;
mod requirements;
mod requirements_table;
mod rooms;
mod rust;
mod security_rows;
mod size;
mod step;
mod todo;
mod tree;

use std::fmt;

use crate::workshop::{Trouble, Workshop};
use tree::Tree;

/// What a rule found: where, and one sentence that says what to do.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Finding {
    path: String,
    /// Counted from 1; 0 where the whole file is meant.
    line: usize,
    sentence: String,
}

impl Finding {
    fn new(path: &str, line: usize, sentence: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            sentence: sentence.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.sentence),
            line => write!(f, "{}:{line}: {}", self.path, self.sentence),
        }
    }
}

/// A rule: looks at the tree, says what is wrong.
type Rule = fn(&Tree) -> Vec<Finding>;

/// Every rule, by name.
const RULES: [(&str, Rule); 17] = [
    ("assertion", assertion::check),
    ("attributes", attributes::check),
    ("commands", commands::check),
    ("edges", edges::check),
    ("guide", guide::check),
    ("headers", headers::check),
    ("locales", locales::check),
    ("machine", machine::check),
    ("mistakes", mistakes::check),
    ("paths", paths::check),
    ("requirements", requirements::check),
    ("requirements table", requirements_table::check),
    ("rooms", rooms::check),
    ("security rows", security_rows::check),
    ("size", size::check),
    ("step", step::check),
    ("todo", todo::check),
];

/// Prints what every rule found.
pub(crate) fn tidy(workshop: &Workshop, _arguments: &[String]) -> Result<(), Trouble> {
    println!("{}", findings(workshop)?);
    Ok(())
}

/// The table of all requirements as it should be: its path, and its text.
pub(crate) fn requirements_table(workshop: &Workshop) -> Result<(&'static str, String), Trouble> {
    let tree = Tree::read(workshop.root())
        .map_err(|error| Trouble::new(format!("reading the checkout: {error}")))?;
    Ok((requirements_table::TABLE, requirements_table::render(&tree)))
}

/// Applies every rule; a sentence if all hold.
pub(crate) fn findings(workshop: &Workshop) -> Result<String, Trouble> {
    let tree = Tree::read(workshop.root())
        .map_err(|error| Trouble::new(format!("reading the checkout: {error}")))?;
    let mut count = 0;
    for (name, rule) in RULES {
        let mut found = rule(&tree);
        found.sort();
        for finding in &found {
            println!("{finding} [{name}]");
        }
        count += found.len();
    }
    match count {
        0 => Ok(format!(
            "{} rules hold on {} files",
            RULES.len(),
            tree.len()
        )),
        1 => Err(Trouble::new(
            "tidy found 1 thing, named above with its cure",
        )),
        _ => Err(Trouble::new(format!(
            "tidy found {count} things, each named above with its cure"
        ))),
    }
}
