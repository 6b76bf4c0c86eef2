//! Who may say "this was checked": the callers of `assertion()` are a list that reviewers read.

use super::Finding;
use super::tree::Tree;

/// The files that make a proof out of nothing but their own check. Each is read with care.
const CALLERS: [&str; 2] = [
    "crates/server/src/app.rs",
    "crates/server/src/app/password.rs",
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut idle: Vec<&str> = CALLERS.into_iter().filter(|path| tree.has(path)).collect();
    for (file, source) in tree.rust().filter(|(file, _)| file.room() != "xtask") {
        let is_call = |code: &str| code.contains("Proof::assertion(");
        for (line, _) in source.product_code().filter(|(_, code)| is_call(code)) {
            idle.retain(|path| *path != file.path);
            if !CALLERS.contains(&file.path.as_str()) {
                let cure = "let the check that proves it make the value, or add the file to \
                            `xtask/src/tidy/assertion.rs` and say why in the commit";
                let sentence = format!("a proof is asserted here: {cure}");
                found.push(Finding::new(&file.path, line, sentence));
            }
        }
    }
    found.extend(idle.into_iter().map(|path| {
        let cure = "take it from the list in `xtask/src/tidy/assertion.rs`";
        Finding::new(path, 0, format!("asserts no proof: {cure}"))
    }));
    found
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;

    const CALL: &str = "let proof = PasswordProof::assertion();\n";

    #[test]
    fn an_unlisted_caller_is_found() {
        let tree = Tree::of(&[
            ("crates/server/src/app.rs", CALL),
            ("crates/server/src/http/login.rs", CALL),
            (
                "crates/journey/src/proof.rs",
                "pub fn assertion() -> Self {\n",
            ),
        ]);
        let found = check(&tree);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, "crates/server/src/http/login.rs");
    }

    #[test]
    fn a_listed_file_that_asserts_nothing_is_found() {
        let found = check(&Tree::of(&[("crates/server/src/app.rs", "fn main() {}\n")]));
        assert_eq!(found.len(), 1);
    }
}
