//! The parts that several pages share: where one stands, who one is, what went wrong.

use super::Frame;

/// «Étape 2 sur 3».
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Step {
    /// The step of this page, from 1.
    pub at: u8,
    /// How many there are in all.
    pub of: u8,
}

/// The person whose password was right, so that the next one at a shared computer notices.
#[derive(Clone, Debug)]
pub struct Who {
    /// The user name, as it is remembered.
    pub username: String,
    /// Where «Ce n'est pas vous ?» leads: to a fresh sign-in page.
    pub not_me_url: String,
}

/// What went wrong and what to do, at the top of a page; the fields concerned point to it.
#[derive(Clone, Debug)]
pub struct Notice {
    /// The cause, one line.
    pub heading: String,
    /// The cure, one or two sentences; may be empty.
    pub text: String,
    /// The fields to correct, where there are several.
    pub links: Vec<NoticeLink>,
}

/// A line of a notice that leads to its field.
#[derive(Clone, Debug)]
pub struct NoticeLink {
    /// The identifier of the field on the page.
    pub field: &'static str,
    /// What is to be corrected.
    pub text: String,
}

impl Notice {
    /// Two fixed messages: the cause and the cure.
    pub(super) fn plain(frame: &Frame<'_>, heading: &str, text: &str) -> Self {
        Self {
            heading: frame.say(heading).into_owned(),
            text: frame.say(text).into_owned(),
            links: Vec::new(),
        }
    }

    /// A cause in words of its own, with a fixed cure.
    pub(super) fn caused(frame: &Frame<'_>, heading: String, text: &str) -> Self {
        Self {
            heading,
            text: frame.say(text).into_owned(),
            links: Vec::new(),
        }
    }

    /// Says at the end how many attempts are left.
    pub(super) fn with_tries_left(mut self, frame: &Frame<'_>, tries_left: u8) -> Self {
        self.text.push(' ');
        self.text
            .push_str(&frame.given("n", tries_left).say("tries-left"));
        self
    }
}

#[cfg(test)]
impl Who {
    pub(super) fn sample() -> Self {
        Self {
            username: "sophie.rey".to_owned(),
            not_me_url: "/login?again".to_owned(),
        }
    }
}
