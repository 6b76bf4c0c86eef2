//! The guide's sentences: all listed, cited by number where kept and tested, never misquoted.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::requirements::{GUIDE, State, beside_code, plain, read};
use super::tree::Tree;

const TEXT: &str = "docs/guide/guide.md";

/// A place that cites a sentence of the guide: `[Guide 3.2]`, and the quotation after it if any.
struct Citation {
    path: String,
    number: String,
    quotation: Option<String>,
    in_test: bool,
}

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let (Some(text), Some(list)) = (tree.file(TEXT), tree.file(GUIDE)) else {
        return vec![Finding::new(
            TEXT,
            0,
            format!("`{TEXT}` and `{GUIDE}` belong together"),
        )];
    };
    let sentences: BTreeMap<String, String> = text.text.lines().filter_map(numbered).collect();
    let (requirements, _) = read(list);
    let citations = citations(tree);
    let mut found = Vec::new();

    let listed: BTreeSet<&str> = requirements.iter().map(|one| one.id.as_str()).collect();
    for number in sentences
        .keys()
        .filter(|number| !listed.contains(number.as_str()))
    {
        let sentence = format!("sentence {number} of the guide is missing: add it with its state");
        found.push(Finding::new(GUIDE, 0, sentence));
    }
    for one in &requirements {
        if sentences
            .get(&one.id)
            .is_none_or(|sentence| plain(sentence) != plain(&one.quote))
        {
            let sentence = format!("`{}` is not what `{TEXT}` says: copy the sentence", one.id);
            found.push(Finding::new(GUIDE, one.line, sentence));
        }
        if one.state == State::Kept {
            for (in_test, place) in [(false, "code"), (true, "a test")] {
                let mut cited = citations.iter().filter(|cited| cited.in_test == in_test);
                if !cited.any(|cited| cited.number == one.id) {
                    let cure = format!("write `[Guide {}]` where it is kept", one.id);
                    let sentence =
                        format!("`{}` is kept, but not cited in {place}: {cure}", one.id);
                    found.push(Finding::new(GUIDE, one.line, sentence));
                }
            }
        }
    }
    found.extend(
        citations
            .iter()
            .filter_map(|cited| misquotation(cited, &sentences)),
    );
    found
}

/// `- **3.2** Lors de …` as number and sentence.
fn numbered(line: &str) -> Option<(String, String)> {
    let (number, sentence) = line.strip_prefix("- **")?.split_once("** ")?;
    Some((number.to_owned(), sentence.to_owned()))
}

fn misquotation(cited: &Citation, sentences: &BTreeMap<String, String>) -> Option<Finding> {
    let chapter = format!("{}.", cited.number);
    if sentences.keys().any(|number| number.starts_with(&chapter)) {
        return None;
    }
    let Some(sentence) = sentences.get(&cited.number) else {
        let sentence = format!("the guide has no sentence {}: see `{TEXT}`", cited.number);
        return Some(Finding::new(&cited.path, 0, sentence));
    };
    let quotation = cited.quotation.as_deref()?;
    let sentence = plain(sentence).to_lowercase();
    let mut pieces = quotation
        .split(['…'])
        .map(|piece| piece.trim().trim_end_matches('.'));
    let wrong = pieces.find(|piece| !sentence.contains(&piece.to_lowercase()))?;
    let number = &cited.number;
    let cure = "copy its words, with `…` for what is left out";
    let sentence = format!("`{wrong}` is not in sentence {number} of the guide: {cure}");
    Some(Finding::new(&cited.path, 0, sentence))
}

fn citations(tree: &Tree) -> Vec<Citation> {
    let mut all = Vec::new();
    for (file, source) in tree.rust().filter(|(file, _)| file.room() != "xtask") {
        for in_test in [false, true] {
            all.extend(in_text(&file.path, &plain(&source.prose(in_test)), in_test));
        }
    }
    for file in beside_code(tree) {
        let comments = file
            .text
            .lines()
            .map(|line| line.trim_start_matches(['#', '-', ' ']));
        let text = plain(&comments.collect::<Vec<_>>().join(" "));
        all.extend(in_text(&file.path, &text, false));
    }
    all
}

fn in_text(path: &str, text: &str, in_test: bool) -> Vec<Citation> {
    let mut all = Vec::new();
    for rest in text.split("[Guide ").skip(1) {
        let Some((numbers, after)) = rest.split_once(']') else {
            continue;
        };
        let quotation = after
            .trim_start()
            .strip_prefix('"')
            .and_then(|text| text.split_once('"'));
        let numbers: Vec<&str> = numbers
            .split(',')
            .map(|one| one.trim().trim_matches('§'))
            .collect();
        // A quotation after several numbers could be of any of them.
        let quotation = quotation
            .filter(|_| numbers.len() == 1)
            .map(|(text, _)| text.to_owned());
        all.extend(numbers.into_iter().map(|number| Citation {
            path: path.to_owned(),
            number: number.trim().to_owned(),
            quotation: quotation.clone(),
            in_test,
        }));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;

    const GUIDE: &str = "- **3.4** Entrez ce code dans le champ prévu.\n";
    const LIST: &str = "[[sentence]]\nid = \"3.4\"\nquote = \"Entrez ce code dans le champ prévu.\"\nstate = \"kept\"\n";

    fn sentences(list: &str, code: &str) -> Vec<String> {
        let tree = Tree::of(&[
            ("docs/guide/guide.md", GUIDE),
            ("docs/requirements/guide.toml", list),
            ("crates/journey/src/login.rs", code),
        ]);
        check(&tree)
            .into_iter()
            .map(|finding| finding.sentence)
            .collect()
    }

    #[test]
    fn a_sentence_cited_in_code_and_test_is_kept() {
        let code = "/// [Guide 3.4] \"Entrez … le champ\"\nfn a() {}\n\
                    #[cfg(test)]\nmod tests {\n    /// [Guide §3.4] typed\n    fn b() {}\n}\n";
        assert_eq!(sentences(LIST, code), [""; 0]);
    }

    #[test]
    fn a_kept_sentence_without_test_is_found() {
        let found = sentences(LIST, "/// [Guide 3.4]\nfn a() {}\n");
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("not cited in a test"), "{found:?}");
    }

    #[test]
    fn a_misquotation_and_a_number_that_does_not_exist_are_found() {
        let todo = LIST.replace("kept", "todo");
        assert_eq!(
            sentences(&todo, "// [Guide 3.4] \"Tapez ce code\"\n").len(),
            1
        );
        assert_eq!(sentences(&todo, "// [Guide 9.9] something\n").len(), 1);
        assert_eq!(sentences(&todo, "// [Guide 3] a whole chapter\n"), [""; 0]);
    }

    #[test]
    fn a_sentence_left_out_of_the_list_is_found() {
        assert_eq!(sentences("", "").len(), 1);
        assert_eq!(
            sentences(&LIST.replace("kept", "todo").replace("prévu", "vu"), "").len(),
            1
        );
    }
}
