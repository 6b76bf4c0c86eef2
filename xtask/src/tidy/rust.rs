//! A Rust source cut into what the rules look at: code, literals, comments, and which lines are tests.
//!
//! A lexer of a few states, no parser: rules look for words in places, not for meaning.

use std::iter::Peekable;
use std::ops::RangeInclusive;
use std::str::Chars;

/// The parts of one source.
#[derive(Debug, Default)]
pub(crate) struct Source {
    /// Each line, with comments and the inside of literals taken out.
    pub(crate) code: Vec<String>,
    /// The inside of each string literal, at the line it begins on.
    pub(crate) literals: Vec<Piece>,
    /// Each line of comment, without its slashes.
    pub(crate) comments: Vec<Piece>,
    /// The lines that belong to tests, counted from 1.
    tests: Vec<RangeInclusive<usize>>,
    /// The modules that are tests and stand in files of their own.
    pub(crate) test_files: Vec<String>,
}

/// A piece of text and the line it stands on, counted from 1.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Piece {
    pub(crate) line: usize,
    pub(crate) text: String,
}

impl Source {
    /// Cuts a source. The path says whether all of it is a test.
    pub(crate) fn read(path: &str, text: &str) -> Self {
        let mut lexer = Lexer {
            rest: text.chars().peekable(),
            source: Self::default(),
            line: String::new(),
        };
        lexer.run();
        let mut source = lexer.source;
        source.tests = test_modules(&source.code);
        source.test_files = test_files(path, &source);
        if is_test_path(path) {
            source.is_all_test();
        }
        source
    }

    /// Takes every line for a test.
    pub(crate) fn is_all_test(&mut self) {
        self.tests = vec![1..=usize::MAX];
    }

    /// Whether a line belongs to a test.
    pub(crate) fn is_test(&self, line: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&line))
    }

    /// The test modules of a file that is not all test.
    pub(crate) fn inline_tests(&self) -> impl Iterator<Item = &RangeInclusive<usize>> {
        self.tests.iter().filter(|range| *range.end() != usize::MAX)
    }

    /// The lines of code with their numbers; those of tests left out.
    pub(crate) fn product_code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = (1..).zip(self.code.iter().map(String::as_str));
        lines.filter(|(line, _)| !self.is_test(*line))
    }

    /// All comments of tests (or of all but tests) as one text, in one space between words.
    pub(crate) fn prose(&self, of_tests: bool) -> String {
        let pieces = self
            .comments
            .iter()
            .filter(|piece| self.is_test(piece.line) == of_tests);
        let words = pieces.flat_map(|piece| piece.text.split_whitespace());
        words.collect::<Vec<_>>().join(" ")
    }
}

/// Whether a whole file is a test.
fn is_test_path(path: &str) -> bool {
    let folders = ["crates/testkit/", "e2e/", "bench/"];
    folders.iter().any(|folder| path.starts_with(folder))
        || path.contains("/tests/")
        || path.ends_with("/tests.rs")
        || path.ends_with("_tests.rs")
        || path.contains("/conformance")
}

/// The modules (and items) marked `#[cfg(test)]`, from the mark to the closing brace.
fn test_modules(code: &[String]) -> Vec<RangeInclusive<usize>> {
    let mut found: Vec<RangeInclusive<usize>> = Vec::new();
    for (start, line) in (1..).zip(code) {
        let inside = found.last().is_some_and(|range| range.contains(&start));
        if line.trim_start().starts_with("#[cfg(test)]") && !inside {
            found.push(start..=end_of_item(code, start));
        }
    }
    found
}

/// The files of the modules that are declared as tests: `mod samples;` in `page/mod.rs`.
fn test_files(path: &str, source: &Source) -> Vec<String> {
    let stem = path.trim_end_matches(".rs");
    let folder = match stem.rsplit_once('/') {
        Some((folder, "lib" | "main" | "mod")) => folder,
        _ => stem,
    };
    let lines = (1..)
        .zip(&source.code)
        .filter(|(line, _)| source.is_test(*line));
    let names = lines.filter_map(|(_, code)| {
        let name = code.trim().rsplit_once("mod ")?.1.strip_suffix(';')?;
        Some([
            format!("{folder}/{name}.rs"),
            format!("{folder}/{name}/mod.rs"),
        ])
    });
    names.flatten().collect()
}

/// The line on which the item ends that is marked on line `start`.
fn end_of_item(code: &[String], start: usize) -> usize {
    let mut depth = 0_usize;
    for (number, line) in (1..).zip(code).skip(start.saturating_sub(1)) {
        for letter in line.chars() {
            match letter {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if (letter == '}' || letter == ';') && depth == 0 {
                return number;
            }
        }
    }
    code.len()
}

struct Lexer<'text> {
    rest: Peekable<Chars<'text>>,
    source: Source,
    /// The code of the line being read.
    line: String,
}

impl Lexer<'_> {
    fn run(&mut self) {
        while let Some(letter) = self.rest.next() {
            match letter {
                '\n' => self.end_line(),
                '/' if self.rest.peek() == Some(&'/') => self.line_comment(),
                '/' if self.rest.peek() == Some(&'*') => self.block_comment(),
                '"' => self.string(),
                'r' if self.may_open_raw() => self.raw_string(),
                '\'' => self.quote(),
                _ => self.line.push(letter),
            }
        }
        if !self.line.is_empty() {
            self.end_line();
        }
    }

    /// The number of the line being read.
    fn number(&self) -> usize {
        self.source.code.len() + 1
    }

    fn end_line(&mut self) {
        self.source.code.push(std::mem::take(&mut self.line));
    }

    fn line_comment(&mut self) {
        let mut text = String::new();
        while let Some(letter) = self.rest.next_if(|letter| *letter != '\n') {
            text.push(letter);
        }
        let text = text.trim_start_matches(['/', '!']).trim().to_owned();
        self.source.comments.push(Piece {
            line: self.number(),
            text,
        });
    }

    fn block_comment(&mut self) {
        let mut depth = 1_usize;
        let mut text = String::new();
        self.rest.next();
        while let Some(letter) = self.rest.next() {
            match letter {
                '*' if self.rest.next_if_eq(&'/').is_some() => depth -= 1,
                '/' if self.rest.next_if_eq(&'*').is_some() => depth += 1,
                '\n' => {
                    let text = std::mem::take(&mut text).trim().to_owned();
                    self.source.comments.push(Piece {
                        line: self.number(),
                        text,
                    });
                    self.end_line();
                }
                _ => text.push(letter),
            }
            if depth == 0 {
                break;
            }
        }
        self.source.comments.push(Piece {
            line: self.number(),
            text: text.trim().to_owned(),
        });
    }

    fn string(&mut self) {
        let line = self.number();
        let mut text = String::new();
        while let Some(letter) = self.rest.next() {
            match letter {
                '"' => break,
                '\\' => match self.rest.next() {
                    Some('\n') => self.continue_string(),
                    Some('n' | 't' | 'r') => text.push(' '),
                    Some(escaped) => text.push(escaped),
                    None => break,
                },
                '\n' => {
                    text.push('\n');
                    self.end_line();
                }
                _ => text.push(letter),
            }
        }
        self.line.push_str("\"\"");
        self.source.literals.push(Piece { line, text });
    }

    /// A backslash at the end of a line: the string goes on at the first letter of the next.
    fn continue_string(&mut self) {
        self.end_line();
        while let Some(letter) = self.rest.next_if(|letter| letter.is_whitespace()) {
            if letter == '\n' {
                self.end_line();
            }
        }
    }

    fn may_open_raw(&self) -> bool {
        let mut before = self.line.chars().rev();
        let starts_here = match before.next() {
            Some('b' | 'c') => !before.next().is_some_and(is_word),
            Some(letter) => !is_word(letter),
            None => true,
        };
        let mut ahead = self.rest.clone();
        while ahead.next_if_eq(&'#').is_some() {}
        starts_here && ahead.peek() == Some(&'"')
    }

    fn raw_string(&mut self) {
        let line = self.number();
        let mut hashes = 0_usize;
        while self.rest.next_if_eq(&'#').is_some() {
            hashes += 1;
        }
        self.rest.next();
        let mut text = String::new();
        while let Some(letter) = self.rest.next() {
            if letter == '"' && self.closes_raw(hashes) {
                break;
            }
            text.push(letter);
            if letter == '\n' {
                self.end_line();
            }
        }
        self.line.push_str("\"\"");
        self.source.literals.push(Piece { line, text });
    }

    /// Whether the quote just read is followed by that many `#`; takes them if so.
    fn closes_raw(&mut self, hashes: usize) -> bool {
        let closes = self
            .rest
            .clone()
            .take(hashes)
            .filter(|letter| *letter == '#')
            .count()
            == hashes;
        if closes {
            for _ in 0..hashes {
                self.rest.next();
            }
        }
        closes
    }

    /// A quote opens a character literal or a lifetime.
    fn quote(&mut self) {
        let mut ahead = self.rest.clone();
        let first = ahead.next();
        let is_literal = first == Some('\\') || ahead.next() == Some('\'');
        self.line.push('\'');
        if !is_literal {
            return;
        }
        while let Some(letter) = self.rest.next() {
            match letter {
                '\\' => {
                    self.rest.next();
                }
                '\'' => break,
                _ => {}
            }
        }
        self.line.push('\'');
    }
}

/// Whether a letter may stand in a name.
pub(crate) fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Where `word` stands in a line of code, not as part of a longer name.
pub(crate) fn find_word(line: &str, word: &str) -> Option<usize> {
    let found = line.match_indices(word).find(|(at, _)| {
        let before = line.get(..*at).and_then(|text| text.chars().next_back());
        let after = line
            .get(at + word.len()..)
            .and_then(|text| text.chars().next());
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    });
    found.map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::{Source, find_word};

    #[test]
    fn literals_and_comments_are_taken_out_of_the_code() {
        let source = Source::read(
            "crates/a/src/lib.rs",
            "//! What.\nlet a = \"un \\\"mot\\\"\"; // why\nlet b = r#\"raw \"x\" text\"#; let c = '\"';\n",
        );
        assert_eq!(
            source.code,
            ["", "let a = \"\"; ", "let b = \"\"; let c = '';"]
        );
        assert_eq!(source.literals[0].text, "un \"mot\"");
        assert_eq!(source.literals[1].text, "raw \"x\" text");
        assert_eq!(source.comments[0].text, "What.");
        assert_eq!(source.comments[1].line, 2);
    }

    #[test]
    fn lifetimes_are_no_characters() {
        let source = Source::read("a.rs", "fn f<'a>(x: &'a str) -> &'a str { x } // ok\n");
        assert_eq!(source.comments.len(), 1);
        assert_eq!(source.code[0], "fn f<'a>(x: &'a str) -> &'a str { x } ");
    }

    #[test]
    fn lines_keep_their_numbers_over_long_literals_and_comments() {
        let source = Source::read(
            "a.rs",
            "let a = \"x\n  y \\\n  z\";\n/* one\n/* two */\n*/\nfn b() {}\n",
        );
        assert_eq!(source.code[6], "fn b() {}");
    }

    #[test]
    fn the_lines_of_a_test_module_are_tests() {
        let text =
            "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { let s = \"}\"; }\n}\nfn c() {}\n";
        let source = Source::read("crates/a/src/lib.rs", text);
        let tests: Vec<usize> = (1..=6).filter(|line| source.is_test(*line)).collect();
        assert_eq!(tests, [2, 3, 4, 5]);
        assert!(Source::read("crates/a/src/lib/tests.rs", text).is_test(1));
    }

    #[test]
    fn a_test_module_in_its_own_file_ends_at_the_semicolon() {
        let source = Source::read(
            "crates/a/src/lib.rs",
            "#[cfg(test)]\nmod tests;\nfn c() {}\n",
        );
        assert!(source.is_test(2));
        assert!(!source.is_test(3));
        assert_eq!(source.test_files[0], "crates/a/src/tests.rs");
    }

    #[test]
    fn words_are_found_whole() {
        assert_eq!(find_word("a.overstep(step(x))", "step"), Some(11));
        assert_eq!(find_word("let steps = 1;", "step"), None);
    }
}
