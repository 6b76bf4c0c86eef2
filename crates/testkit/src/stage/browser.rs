//! A browser as somebody uses it who reads words: fields have labels, buttons have texts.

use serde_json::Value;

use super::{Answer, Application, Attempt, Origins, Place};

/// One tab of a browser. Fields are found by their label and buttons by their text, so that a field
/// without a label fails a story.
///
/// A label or text fits if it is exactly what was said, or begins with it; of several that fit, the
/// first in the main part of the page is meant.
pub trait Browser {
    /// Types an address.
    fn opens(&mut self, url: &str);
    /// The arrow that turns round.
    fn reloads(&mut self);
    /// The arrow to the left.
    fn goes_back(&mut self);
    /// Writes into the field of this label, in place of what stands there.
    fn types(&mut self, label: &str, text: &str);
    /// Chooses the option of this label.
    fn chooses(&mut self, label: &str);
    /// Clicks the button or link of this text.
    fn clicks(&mut self, text: &str);

    /// The address of the page.
    fn url(&mut self) -> String;
    /// All that can be read on the page, as [`plain`] makes it.
    fn text(&mut self) -> String;
    /// What stands in the field of this label.
    fn value(&mut self, label: &str) -> String;
    /// The address of the first link that begins so.
    fn link(&mut self, beginning: &str) -> Option<String>;
    /// The key that stands on the page to be typed into an app.
    fn key_to_type(&mut self) -> Option<String>;
    /// What a phone reads in the QR code on the page.
    fn scans(&mut self) -> String;
    /// The address of the page's primary form and what it would send just so, hidden fields included.
    fn form(&mut self) -> (String, Vec<(String, String)>);

    /// Carries the device to another network.
    fn goes_to(&mut self, place: Place);
    /// Opens another tab of the same browser.
    fn opens_tab(&mut self) -> Box<dyn Browser>;
    /// All its cookies, name and value, for a thief.
    fn cookies(&mut self) -> Vec<(String, String)>;
    /// Takes cookies that belong to somebody else.
    fn takes(&mut self, stolen: &[(String, String)]);
    /// Sends a request with its cookies, from its place; the page stays.
    fn sends(&mut self, attempt: Attempt) -> Answer;

    /// Lets things under way go on; false if waiting is of no more use.
    fn waits(&mut self) -> bool;
    /// The page goes into the manual's pictures under this name, where the stage can take any.
    fn is_pictured(&mut self, _name: &str) {}
}

impl dyn Browser + '_ {
    /// The page says this, now or in a moment.
    pub fn sees(&mut self, text: &str) {
        let wanted = plain(text);
        while !self.text().contains(&wanted) {
            if !self.waits() {
                panic!("« {wanted} » is not on {}:\n{}", self.url(), self.text());
            }
        }
    }

    /// The page does not say this.
    pub fn does_not_see(&mut self, text: &str) {
        let unwanted = plain(text);
        assert!(
            !self.text().contains(&unwanted),
            "« {unwanted} » is on {}:\n{}",
            self.url(),
            self.text()
        );
    }

    /// The address begins so, now or in a moment.
    pub fn lands_at(&mut self, beginning: &str) {
        while !self.url().starts_with(beginning) {
            if !self.waits() {
                panic!(
                    "landed at {}, not at {beginning}:\n{}",
                    self.url(),
                    self.text()
                );
            }
        }
    }

    /// What the identity provider told an application about who is signed in there; none if nobody is.
    pub fn whoami(&mut self, origins: &Origins, application: Application) -> Option<Value> {
        let url = format!("{}/api/whoami", origins.of(application));
        let answer = self.sends(Attempt::get(&url));
        (answer.status == 200).then(|| answer.json())
    }

    /// Nobody is signed in at an application, nor at the identity provider.
    pub fn is_signed_in_nowhere(&mut self, origins: &Origins) {
        for application in [Application::Ent, Application::Ism] {
            let claims = self.whoami(origins, application);
            assert!(
                claims.is_none(),
                "somebody is signed in at {application:?}: {claims:?}"
            );
        }
        let answer = self.sends(Attempt::get(&format!("{}/account", origins.provider)));
        let inside = answer.status == 200 && answer.body.contains("sign-out-everywhere");
        assert!(!inside, "somebody is signed in at the identity provider");
    }
}

/// Text as people compare it: one space between words, one kind of space and apostrophe.
#[must_use]
pub fn plain(text: &str) -> String {
    let same = |c: char| match c {
        '\u{2019}' => '\'',
        '\u{a0}' | '\u{202f}' | '\u{2009}' => ' ',
        c => c,
    };
    let text: String = text.chars().map(same).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn narrow_spaces_and_curly_apostrophes_read_the_same() {
        assert_eq!(
            plain(" « Se\u{a0}connecter\u{202f}»\n l\u{2019}ENT "),
            "« Se connecter » l'ENT"
        );
    }
}
