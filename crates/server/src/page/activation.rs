//! The digital identity comes to life: code, data, password, telephone and method.
//!
//! [Guide 1.1] "Cette étape n'aura pas lieu si vous avez sélectionné le système d'authentification
//! forte par Token" — who holds a Token shows it here, and has nothing to configure later.

use journey::{Complaint, Method, PasswordRules, PhoneError, Timestamp};

use super::frame::span;
use super::notice::NoticeLink;
use super::{Frame, Link, Notice, Step, TokenProblem, shown_by, time};

/// Step 1: the user name and the code of the activation message.
#[derive(Clone, Debug)]
pub struct ActivationStart {
    /// Where the form goes.
    pub action: String,
    /// What was typed before.
    pub username: String,
    /// What was typed before, or came with the link of the message.
    pub activation_code: String,
    /// What went wrong at the last attempt.
    pub problem: Option<StartProblem>,
    /// Where one stands.
    pub step: Option<Step>,
}

/// Why an activation does not begin. `Expired` and `Used` are said only for the right name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StartProblem {
    /// The name and the code do not belong together.
    WrongCode,
    /// The code is right, and too old.
    Expired {
        /// Since when.
        since: Timestamp,
    },
    /// The code is right, and was used.
    Used,
    /// Too many attempts.
    Wait {
        /// Seconds until the next one counts.
        seconds: u64,
    },
}

/// Step 2: what the register knows of the person.
#[derive(Clone, Debug)]
pub struct ActivationData {
    /// As in the register.
    pub first_name: String,
    /// As in the register.
    pub last_name: String,
    /// As in the register.
    pub mail: String,
    /// As in the register.
    pub school: Option<String>,
    /// The name to sign in with.
    pub username: String,
    /// Where the form goes.
    pub action: String,
    /// Where one stands.
    pub step: Option<Step>,
}

/// Step 3: the password, with its rules in words.
#[derive(Clone, Debug)]
pub struct ActivationPassword {
    /// The name it belongs to, for the password safe of the browser.
    pub username: String,
    /// The names that must not be part of it: first name, last name.
    pub names: Vec<String>,
    /// The rules in force.
    pub rules: PasswordRules,
    /// What was wrong with the password of the last attempt; empty before one.
    pub complaints: Vec<Complaint>,
    /// Where the form goes.
    pub action: String,
    /// Whether an activation code leads here, which must not become the password.
    pub by_code: bool,
    /// Where one stands.
    pub step: Option<Step>,
}

/// Step 4: the telephone number, and the way of strong authentication.
#[derive(Clone, Debug)]
pub struct ActivationPhoneMethod {
    /// What was typed before.
    pub phone: String,
    /// What was chosen before.
    pub method: Option<Method>,
    /// What may be chosen, in the order shown.
    pub methods: Vec<Method>,
    /// What went wrong at the last attempt.
    pub problems: Vec<PhoneMethodProblem>,
    /// Where the form goes.
    pub action: String,
    /// Where one stands.
    pub step: Option<Step>,
}

/// What is missing or wrong in step 4.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PhoneMethodProblem {
    /// No number was typed.
    PhoneMissing,
    /// The number is not one a code can be sent to.
    Phone(PhoneError),
    /// No method was chosen.
    MethodMissing,
}

/// Step 5, with a Token: its serial number and a code.
#[derive(Clone, Debug)]
pub struct ActivationToken {
    /// What was typed before.
    pub serial: String,
    /// What went wrong at the last attempt.
    pub problem: Option<TokenProblem>,
    /// Where the form goes.
    pub action: String,
    /// Where one stands.
    pub step: Option<Step>,
}

/// The end: what to do next.
#[derive(Clone, Debug)]
pub struct ActivationDone {
    /// The name to sign in with.
    pub username: String,
    /// The method chosen: it decides what the first sign-in asks.
    pub method: Method,
    /// Where to go now.
    pub next: Link,
}

shown_by!(ActivationStart, "activation_start.html");
shown_by!(ActivationData, "activation_data.html");
shown_by!(ActivationPassword, "activation_password.html");
shown_by!(ActivationPhoneMethod, "activation_phone_method.html");
shown_by!(ActivationToken, "activation_token.html");
shown_by!(ActivationDone, "activation_done.html");

impl ActivationStart {
    fn notice(&self, frame: &Frame<'_>) -> Option<Notice> {
        Some(match self.problem? {
            StartProblem::WrongCode => {
                Notice::plain(frame, "activation-wrong", "activation-wrong-cure")
            }
            StartProblem::Expired { since } => {
                let cause = frame
                    .given("day", time::day(since))
                    .say("activation-expired");
                Notice::caused(frame, cause, "activation-expired-cure")
            }
            StartProblem::Used => Notice::plain(frame, "activation-used", "activation-used-cure"),
            StartProblem::Wait { seconds } => {
                let cause = frame
                    .given("wait", span(frame, seconds))
                    .say("activation-wait");
                Notice::caused(frame, cause, "activation-wait-cure")
            }
        })
    }
}

/// One rule on the page: a sentence, whether the last password kept it, and what the script needs
/// to judge it while one types.
pub(super) struct RuleRow {
    pub(super) text: String,
    /// None before the first attempt.
    pub(super) kept: Option<bool>,
    /// The name of the check in `password.js`; empty where only the server can tell.
    pub(super) check: &'static str,
    /// The arguments of the check.
    pub(super) least: u16,
    pub(super) most: u16,
    pub(super) words: String,
}

impl ActivationPassword {
    fn new_password(&self) -> &Self {
        self
    }

    pub(super) fn notice(&self, frame: &Frame<'_>) -> Option<Notice> {
        if self.complaints.is_empty() {
            return None;
        }
        let links = self.complaints.iter().map(|complaint| NoticeLink {
            field: match complaint {
                Complaint::NotTheSame => "new_password_again",
                _ => "new_password",
            },
            text: self.reason(frame, *complaint),
        });
        let heading = frame.say("password-refused").into_owned();
        Some(Notice {
            heading,
            text: String::new(),
            links: links.collect(),
        })
    }

    /// Why the last password was refused, in words ([decision 7] "explain every refusal").
    fn reason(&self, frame: &Frame<'_>, complaint: Complaint) -> String {
        let rules = &self.rules;
        let key = match complaint {
            Complaint::NotTheSame => "password-not-the-same",
            Complaint::TooShort => return frame.given("n", rules.length_min).say("password-short"),
            Complaint::TooLong => return frame.given("n", rules.length_max).say("password-long"),
            Complaint::TooFewClasses => {
                return frame.given("n", rules.classes_min).say("password-classes");
            }
            Complaint::IsTheCode => "password-is-code",
            Complaint::ContainsName => "password-has-name",
            Complaint::ContainsWord => "password-has-word",
            Complaint::TooCommon => "password-common",
            Complaint::UsedBefore => {
                return frame.given("n", rules.history).say("password-used-before");
            }
        };
        frame.say(key).into_owned()
    }

    pub(super) fn rows(&self, frame: &Frame<'_>) -> Vec<RuleRow> {
        let rules = &self.rules;
        let row = |text: String, complaints: &[Complaint], check| RuleRow {
            text,
            kept: self.kept(complaints),
            check,
            least: 0,
            most: 0,
            words: String::new(),
        };
        let length = frame
            .given("least", rules.length_min)
            .given("most", rules.length_max);
        let mut rows = vec![RuleRow {
            least: rules.length_min,
            most: rules.length_max,
            ..row(
                length.say("rule-length"),
                &[Complaint::TooShort, Complaint::TooLong],
                "length",
            )
        }];
        if rules.classes_min > 0 {
            let text = frame.given("n", rules.classes_min).say("rule-classes");
            let least = u16::from(rules.classes_min);
            rows.push(RuleRow {
                least,
                ..row(text, &[Complaint::TooFewClasses], "classes")
            });
        }
        if rules.no_names {
            let text = frame.say("rule-no-names").into_owned();
            let words = self.names.join(" ");
            rows.push(RuleRow {
                words,
                ..row(text, &[Complaint::ContainsName], "words")
            });
        }
        let without = [
            (self.by_code, "rule-not-code", Complaint::IsTheCode),
            (
                !rules.no_words.is_empty(),
                "rule-no-words",
                Complaint::ContainsWord,
            ),
            (rules.block_list, "rule-not-common", Complaint::TooCommon),
        ];
        for (_, key, complaint) in without.into_iter().filter(|(wanted, ..)| *wanted) {
            rows.push(row(frame.say(key).into_owned(), &[complaint], ""));
        }
        if rules.history > 0 {
            let text = frame.given("n", rules.history).say("rule-history");
            rows.push(row(text, &[Complaint::UsedBefore], ""));
        }
        rows
    }

    fn kept(&self, complaints: &[Complaint]) -> Option<bool> {
        // Two different passwords were not judged any further.
        let judged = self.bad_password();
        judged.then(|| {
            !complaints
                .iter()
                .any(|complaint| self.complaints.contains(complaint))
        })
    }

    pub(super) fn bad_password(&self) -> bool {
        let other = |complaint: &Complaint| *complaint != Complaint::NotTheSame;
        self.complaints.iter().any(other)
    }

    pub(super) fn bad_repetition(&self) -> bool {
        self.complaints.contains(&Complaint::NotTheSame)
    }
}

/// One method on the page.
struct MethodRow {
    value: &'static str,
    name: String,
    text: String,
    /// [O14] What speaks against it, said as plainly as what speaks for it.
    risk: String,
    chosen: bool,
}

impl ActivationPhoneMethod {
    fn notice(&self, frame: &Frame<'_>) -> Option<Notice> {
        if self.problems.is_empty() {
            return None;
        }
        // In the order of the fields on the page.
        let of_method =
            |problem: &&PhoneMethodProblem| **problem == PhoneMethodProblem::MethodMissing;
        let method = self.problems.iter().filter(of_method);
        let phone = self.problems.iter().filter(|problem| !of_method(problem));
        let links = method.chain(phone).map(|problem| NoticeLink {
            field: match problem {
                PhoneMethodProblem::MethodMissing => self.first_method(),
                _ => "phone",
            },
            text: frame.say(problem.key()).into_owned(),
        });
        let heading = frame.say("phone-method-refused").into_owned();
        Some(Notice {
            heading,
            text: String::new(),
            links: links.collect(),
        })
    }

    fn phone_error(&self, frame: &Frame<'_>) -> Option<String> {
        let of_phone =
            |problem: &&PhoneMethodProblem| **problem != PhoneMethodProblem::MethodMissing;
        self.problems
            .iter()
            .find(of_phone)
            .map(|problem| frame.say(problem.key()).into_owned())
    }

    fn method_error(&self, frame: &Frame<'_>) -> Option<String> {
        let missing = self.problems.contains(&PhoneMethodProblem::MethodMissing);
        missing.then(|| frame.say("method-missing").into_owned())
    }

    fn rows(&self, frame: &Frame<'_>) -> Vec<MethodRow> {
        let row = |method: &Method| {
            let (name, text, risk) = match method {
                Method::App => ("method-app", "method-app-text", "method-app-risk"),
                Method::Sms => ("method-sms", "method-sms-text", "method-sms-risk"),
                Method::Token => ("method-token", "method-token-text", "method-token-risk"),
            };
            MethodRow {
                value: value_of(*method),
                name: frame.say(name).into_owned(),
                text: frame.say(text).into_owned(),
                risk: frame.say(risk).into_owned(),
                chosen: self.method == Some(*method),
            }
        };
        self.methods.iter().map(row).collect()
    }

    /// The identifier of the first radio button.
    fn first_method(&self) -> &'static str {
        match self.methods.first() {
            Some(Method::App) | None => "method-app",
            Some(Method::Sms) => "method-sms",
            Some(Method::Token) => "method-token",
        }
    }
}

impl PhoneMethodProblem {
    fn key(self) -> &'static str {
        match self {
            Self::PhoneMissing => "phone-missing",
            Self::Phone(PhoneError::Country) => "phone-country",
            Self::Phone(PhoneError::NotMobile) => "phone-not-mobile",
            Self::Phone(PhoneError::Unreadable) => "phone-unreadable",
            Self::MethodMissing => "method-missing",
        }
    }
}

fn value_of(method: Method) -> &'static str {
    match method {
        Method::App => "app",
        Method::Sms => "sms",
        Method::Token => "token",
    }
}

impl ActivationToken {
    fn notice(&self, frame: &Frame<'_>) -> Option<Notice> {
        Some(match self.problem? {
            TokenProblem::Wrong { tries_left } => Notice::plain(
                frame,
                "activation-token-wrong",
                "activation-token-wrong-cure",
            )
            .with_tries_left(frame, tries_left),
            TokenProblem::NotInARow => {
                Notice::plain(frame, "token-not-in-a-row", "token-not-in-a-row-cure")
            }
            TokenProblem::Replayed => Notice::plain(frame, "code-replayed", "token-replayed-cure"),
            TokenProblem::Malformed => {
                Notice::plain(frame, "token-malformed", "token-malformed-cure")
            }
        })
    }
}

impl ActivationDone {
    fn next_text(&self, frame: &Frame<'_>) -> String {
        let key = match self.method {
            Method::App => "done-app",
            Method::Sms => "done-sms",
            Method::Token => "done-token",
        };
        frame.say(key).into_owned()
    }

    /// Whether the first sign-in from a public network has something to configure.
    fn configures_later(&self) -> bool {
        self.method != Method::Token
    }
}

#[cfg(test)]
mod samples;
