//! What a walk showed: its messages in their order, and what is wrong by the standards.

use serde::Serialize;
use serde_json::{Value, json};

use crate::print::{self, Table};

/// Stands for what would open something, or is another one every time.
pub(super) const NEW: &str = "\u{2026}";

/// Everything that a walk showed.
#[derive(Default)]
pub(super) struct Told {
    pub(super) findings: Vec<Finding>,
    pub(super) messages: Vec<Message>,
    /// Name, and why it is not sent.
    pub(super) missing: Vec<[String; 2]>,
    /// How the rehearsal differs from a sign-in of today.
    pub(super) notes: Vec<String>,
}

/// One message, from one side to another.
#[derive(Serialize)]
pub(super) struct Message {
    /// Who sends it, and to whom.
    way: &'static str,
    /// What it is.
    what: String,
    /// The section that says how it must look.
    standard: &'static str,
    /// What stands in it.
    parts: Vec<Part>,
}

/// One thing in a message.
#[derive(Serialize)]
struct Part {
    name: String,
    value: String,
    /// Where the value comes from, or what is to be known of it.
    from: String,
}

/// One thing that is wrong, or worth knowing.
#[derive(Serialize)]
pub(super) struct Finding {
    weight: Weight,
    what: String,
    /// The section that says so; empty where it is no standard's.
    standard: &'static str,
    cure: String,
}

/// Whether somebody must do something.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Weight {
    Note,
    Wrong,
}

impl Message {
    pub(super) const fn new(way: &'static str, what: String, standard: &'static str) -> Self {
        Self {
            way,
            what,
            standard,
            parts: Vec::new(),
        }
    }

    /// One thing in it, with where it comes from.
    pub(super) fn part(
        mut self,
        name: impl Into<String>,
        value: impl Into<String>,
        from: impl Into<String>,
    ) -> Self {
        self.parts.push(Part {
            name: name.into(),
            value: value.into(),
            from: from.into(),
        });
        self
    }

    fn show(&self, number: usize) {
        let standard = bracketed(self.standard);
        print::line(format_args!(
            "\n{number}. {}: {}{standard}",
            self.way, self.what
        ));
        let mut table = Table::default();
        for Part { name, value, from } in &self.parts {
            table.row([name.clone(), value.clone(), from.clone()]);
        }
        let table = table.to_string();
        for line in table.lines() {
            print::line(format_args!("   {line}"));
        }
    }
}

impl Finding {
    /// What keeps the application, or this person, from working.
    pub(super) fn wrong(
        what: impl Into<String>,
        standard: &'static str,
        cure: impl Into<String>,
    ) -> Self {
        Self {
            weight: Weight::Wrong,
            what: what.into(),
            standard,
            cure: cure.into(),
        }
    }

    /// What keeps nobody.
    pub(super) fn note(
        what: impl Into<String>,
        standard: &'static str,
        cure: impl Into<String>,
    ) -> Self {
        Self {
            weight: Weight::Note,
            ..Self::wrong(what, standard, cure)
        }
    }

    /// There is nowhere to begin.
    pub(super) fn no_address() -> Self {
        Self::wrong(
            "no address of the application is known, or it is none: nothing could be walked",
            "",
            "register one, or give one with `--url`",
        )
    }

    fn show(&self) {
        let weight = match self.weight {
            Weight::Note => "note ",
            Weight::Wrong => "wrong",
        };
        let standard = bracketed(self.standard);
        print::line(format_args!("{weight}  {}{standard}", self.what));
        if !self.cure.is_empty() {
            print::line(format_args!("       to do: {}", self.cure));
        }
    }
}

impl Told {
    pub(super) fn message(&mut self, message: Message) {
        self.messages.push(message);
    }

    pub(super) fn find(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Whether somebody must do something before this works.
    pub(super) fn is_wrong(&self) -> bool {
        let mut weights = self.findings.iter().map(|finding| finding.weight);
        weights.any(|weight| weight == Weight::Wrong)
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let missing = |[name, why]: &[String; 2]| json!({ "name": name, "because": why });
        json!({
            "messages": self.messages,
            "not_sent": self.missing.iter().map(missing).collect::<Vec<_>>(),
            "notes": self.notes,
            "findings": self.findings,
            "right": !self.is_wrong(),
        })
    }

    /// For people.
    pub(super) fn show(&self) {
        for note in &self.notes {
            print::line(format_args!("note: {note}"));
        }
        for (number, message) in (1..).zip(&self.messages) {
            message.show(number);
        }
        if !self.missing.is_empty() {
            let mut table = Table::new(["not sent", "because"]);
            for row in &self.missing {
                table.row(row.clone());
            }
            print::line(format_args!("\n{table}"));
        }
        print::line("");
        self.findings.iter().for_each(Finding::show);
        if !self.is_wrong() {
            print::line("nothing is wrong by the standards");
        }
    }
}

fn bracketed(standard: &str) -> String {
    match standard {
        "" => String::new(),
        standard => format!("  [{standard}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_leaves_everything_right_and_a_fault_does_not() {
        let mut told = Told::default();
        told.find(Finding::note("a", "", ""));
        assert!(!told.is_wrong() && told.json()["right"] == true);
        told.find(Finding::wrong("b", "RFC 6749 \u{a7}3.3", "c"));
        assert!(told.is_wrong() && told.json()["findings"][1]["weight"] == "wrong");
    }
}
