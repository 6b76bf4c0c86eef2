//! An application behind the gate as a technician registers it.
//!
//! In `applications.toml`:
//!
//! ```toml
//! [[gate]]
//! id = "wiki"
//! name = { fr = "Wiki", de = "Wiki", en = "Wiki" }
//! origins = ["https://wiki.example.ch"]
//! headers = ["user", "name", "groups"]
//!
//! [[gate.rule]]
//! path = "/admin/"
//! minimum = "strong"
//! groups = ["staff", "admin"]
//!
//! [[gate.rule]]
//! path = "/"
//! ```

use serde::{Deserialize, Serialize};
use url::Url;

use super::Identity;
use crate::cas::{is_id, is_presentable};
use crate::oauth::client::{Assurance, Kind, Name, UriFlaw, flaw_of_registered};

/// A registered application behind the gate.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Its id: 1 to 64 of `a`–`z`, `0`–`9`, `-`, `_`, `.`; no other application has it.
    pub id: String,
    /// What people see, in each language.
    pub name: Name,
    /// Where it is: scheme, host and port, without anything behind.
    pub origins: Vec<String>,
    /// By which headers it knows people. What is not listed is sent empty.
    #[serde(default = "user_only")]
    pub headers: Vec<Identity>,
    /// Who must prove what for which path: the first one that fits counts. What none fits is nobody's.
    #[serde(default)]
    pub rule: Vec<Rule>,
    /// A disabled application is refused as if it were unknown.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// What a path asks for.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// A folder, with all that is below it. Small and capital letters are the same: some applications
    /// do not tell them apart.
    pub path: String,
    /// The least that must be proven.
    #[serde(default)]
    pub minimum: Assurance,
    /// Who may enter, by group; nobody named means everybody.
    #[serde(default)]
    pub groups: Vec<String>,
}

/// What is wrong with a registration.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SiteFlaw {
    /// The id is empty, too long or has odd characters.
    #[error("the id must be 1 to 64 of `a`-`z`, `0`-`9`, `-`, `_` and `.`")]
    Id,
    /// A name is empty or longer than 100 characters.
    #[error("the name must be given in fr, de and en, each at most 100 characters")]
    Name,
    /// There are no origins, or more than 50.
    #[error("`origins` must list 1 to 50 origins")]
    NoOrigin,
    /// An origin cannot be registered.
    #[error("origin `{text}`: {flaw}")]
    Origin {
        /// As written.
        text: String,
        /// What is wrong.
        flaw: UriFlaw,
    },
    /// An origin has something behind the host.
    #[error(
        "origin `{0}` must be like `https://wiki.example.ch`, with nothing behind it; paths are for rules"
    )]
    NotAnOrigin(String),
    /// There are no rules, or more than 200.
    #[error("`rule` must be there 1 to 200 times; `path = \"/\"` stands for everything")]
    NoRule,
    /// The path of a rule is none.
    #[error(
        "rule `{0}`: the path must begin with `/`, decoded, without `//`, `..`, `;`, `\\` and `*`"
    )]
    Path(String),
    /// A rule that is never looked at.
    #[error("rule `{0}` comes after `{1}`, which stands for it too; change their order")]
    Dead(String, String),
}

impl Site {
    /// Everything that is wrong with this registration; empty when it may be used.
    #[must_use]
    pub fn check(&self) -> Vec<SiteFlaw> {
        let mut flaws = Vec::new();
        if !is_id(&self.id) {
            flaws.push(SiteFlaw::Id);
        }
        if !is_presentable(&self.name) {
            flaws.push(SiteFlaw::Name);
        }
        if !(1..=50).contains(&self.origins.len()) {
            flaws.push(SiteFlaw::NoOrigin);
        }
        flaws.extend(
            self.origins
                .iter()
                .filter_map(|origin| flaw_of_origin(origin)),
        );
        if !(1..=200).contains(&self.rule.len()) {
            flaws.push(SiteFlaw::NoRule);
        }
        for (number, rule) in self.rule.iter().enumerate() {
            if !is_folder(&rule.path) {
                flaws.push(SiteFlaw::Path(rule.path.clone()));
            }
            let before = self.rule.iter().take(number);
            let wider = before.into_iter().find(|before| before.covers(&rule.path));
            let dead = wider.map(|wider| SiteFlaw::Dead(rule.path.clone(), wider.path.clone()));
            flaws.extend(dead);
        }
        flaws
    }

    /// Whether it is at this origin.
    #[must_use]
    pub fn is_at(&self, origin: &str) -> bool {
        self.origins.iter().any(|own| own == origin)
    }

    /// The rule for a decoded path; none if nobody may enter there.
    #[must_use]
    pub fn rule(&self, path: &str) -> Option<&Rule> {
        self.rule.iter().find(|rule| rule.covers(path))
    }
}

impl Rule {
    /// Whether a decoded path is this folder or below it.
    fn covers(&self, path: &str) -> bool {
        let folder = self.path.trim_end_matches('/');
        let Some((front, rest)) = path.split_at_checked(folder.len()) else {
            return false;
        };
        front.eq_ignore_ascii_case(folder) && (rest.is_empty() || rest.starts_with('/'))
    }

    /// Whether somebody of these groups may enter.
    #[must_use]
    pub fn admits(&self, groups: &[String]) -> bool {
        self.groups.is_empty() || self.groups.iter().any(|group| groups.contains(group))
    }
}

fn flaw_of_origin(origin: &str) -> Option<SiteFlaw> {
    let text = origin.to_owned();
    if let Some(flaw) = flaw_of_registered(&format!("{origin}/"), Kind::Confidential) {
        return Some(SiteFlaw::Origin { text, flaw });
    }
    let url = Url::parse(origin).ok();
    let same = url.is_some_and(|url| url.origin().ascii_serialization() == origin);
    (!same).then_some(SiteFlaw::NotAnOrigin(text))
}

fn is_folder(path: &str) -> bool {
    let odd = path.contains(['\\', ';', '*', '?', '#', '%']) || path.contains("//");
    let climbs = path.split('/').any(|part| matches!(part, "." | ".."));
    path.starts_with('/')
        && path.len() <= 1024
        && !odd
        && !climbs
        && !path.contains(char::is_control)
}

fn user_only() -> Vec<Identity> {
    vec![Identity::User]
}

const fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIKI: &str = r#"
id = "wiki"
name = { fr = "Wiki", de = "Wiki", en = "Wiki" }
origins = ["https://wiki.example.ch", "http://127.0.0.1:8080"]

[[rule]]
path = "/admin/"
minimum = "strong"
groups = ["staff"]

[[rule]]
path = "/pages"
"#;

    fn wiki() -> Site {
        toml::from_str(WIKI).unwrap()
    }

    /// [N08] The first rule that fits, by whole folders; what none fits is nobody's.
    #[test]
    fn a_path_has_the_first_rule_that_fits_or_none() {
        let wiki = wiki();
        assert_eq!(wiki.check(), []);
        let rule = |path: &str| wiki.rule(path).map(|rule| rule.path.as_str());
        for path in ["/admin", "/admin/", "/admin/x", "/ADMIN/x"] {
            assert_eq!(rule(path), Some("/admin/"), "{path}");
        }
        assert_eq!(rule("/pages"), Some("/pages"));
        assert_eq!(rule("/pages/1"), Some("/pages"));
        for path in [
            "/",
            "/administrator",
            "/pages2",
            "/x/admin/",
            "",
            "/adm\u{e9}n",
        ] {
            assert_eq!(rule(path), None, "{path}");
        }
        let staff = wiki.rule("/admin").unwrap();
        assert!(staff.admits(&["staff".to_owned()]) && !staff.admits(&["pupil".to_owned()]));
        assert!(!staff.admits(&[]));
        assert!(wiki.rule("/pages").unwrap().admits(&[]));
        assert!(wiki.is_at("https://wiki.example.ch"));
        assert!(
            !wiki.is_at("http://wiki.example.ch") && !wiki.is_at("https://wiki.example.ch.evil")
        );
    }

    #[test]
    fn what_is_wrong_is_said_at_once() {
        let rule = |path: &str| Rule {
            path: path.to_owned(),
            minimum: Assurance::Password,
            groups: Vec::new(),
        };
        let bad = Site {
            id: String::new(),
            origins: vec![
                "https://wiki.example.ch/".to_owned(),
                "http://wiki.example.ch".to_owned(),
                "https://wiki.example.ch/a".to_owned(),
            ],
            rule: vec![rule("/"), rule("/a"), rule("b")],
            ..wiki()
        };
        let flaws = bad.check();
        assert_eq!(flaws.len(), 6, "{flaws:#?}");
        assert!(flaws.contains(&SiteFlaw::Dead("/a".to_owned(), "/".to_owned())));
        assert!(flaws.contains(&SiteFlaw::Path("b".to_owned())));
    }
}
