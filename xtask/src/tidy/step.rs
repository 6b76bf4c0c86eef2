//! A journey is moved in one place: only the runner calls `step`.

use super::Finding;
use super::rust::is_word;
use super::tree::Tree;

/// The runner: `app.rs` and the folder of its parts.
const RUNNER: &str = "crates/server/src/app";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let elsewhere = tree.rust().filter(|(file, _)| {
        file.path.starts_with("crates/")
            && file.room() != "journey"
            && !file.path.starts_with(RUNNER)
    });
    elsewhere
        .flat_map(|(file, source)| {
            let calls = source.product_code().filter(|(_, code)| calls_step(code));
            calls.map(|(line, _)| {
                let cure =
                    "go through the runner, which commits the state and its effects together";
                let sentence = format!("`step` is called outside `{RUNNER}`: {cure}");
                Finding::new(&file.path, line, sentence)
            })
        })
        .collect()
}

/// Whether a line calls a function of that name; methods and definitions are others.
fn calls_step(code: &str) -> bool {
    code.match_indices("step(").any(|(at, _)| {
        let before = code.get(..at).unwrap_or_default();
        let letter = before.chars().next_back();
        !letter.is_some_and(|letter| is_word(letter) || letter == '.')
            && !before.trim_end().ends_with("fn")
    })
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;

    #[test]
    fn a_second_caller_of_step_is_found() {
        let call = "let (next, effects) = login::step(state, event, &policy, &now);\n";
        let tree = Tree::of(&[
            ("crates/server/src/app.rs", call),
            ("crates/journey/src/login.rs", call),
            ("crates/server/src/http/login.rs", call),
            ("crates/testkit/src/canton.rs", call),
            (
                "crates/demo/src/lib.rs",
                "fn step(x: u8) {}\nwizard.step(1);\nlet a = overstep(2);\n",
            ),
        ]);
        let found = check(&tree);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, "crates/server/src/http/login.rs");
    }
}
