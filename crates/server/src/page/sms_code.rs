//! [Guide 3.3] "Un code SMS à usage unique vous sera envoyé sur votre smartphone."

use journey::Timestamp;
use journey::factor::sms::VALID_S;

use super::frame::span;
use super::{Frame, Notice, Step, Who, shown_by, time};

/// The page that asks for the code sent by SMS.
#[derive(Clone, Debug)]
pub struct SmsCode {
    /// The number, masked by [`journey::Phone::masked`].
    pub phone: String,
    /// Where both forms go: the code, and `action=resend`.
    pub action: String,
    /// Who is signing in.
    pub who: Option<Who>,
    /// What went wrong at the last attempt.
    pub problem: Option<SmsProblem>,
    /// Whether the message can be sent once more.
    pub resend: Resend,
    /// What is known of the message under way.
    pub delivery: Delivery,
    /// Whether a recovery code is taken instead: `action=lost`.
    pub recovery: bool,
    /// Where one stands while enrolling; none when this is merely the second factor.
    pub step: Option<Step>,
}

/// Why the page is shown again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SmsProblem {
    /// Not the code that was sent.
    Wrong {
        /// Attempts left for this code.
        tries_left: u8,
    },
    /// Not six digits; it did not count.
    Malformed,
    /// Right or wrong, the code is too old.
    Expired,
    /// The code was right, and somebody has used it.
    Replayed,
}

/// Whether the message can be sent once more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Resend {
    /// With a button.
    Available,
    /// After so many seconds.
    Wait {
        /// Seconds to wait.
        seconds: u64,
    },
    /// Not on this journey.
    NoneLeft,
}

/// What is known of the message under way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Delivery {
    /// Waiting to be handed over.
    OnItsWay,
    /// Handed to the operator.
    Sent {
        /// When.
        at: Timestamp,
    },
    /// The operator says that the telephone has it.
    Delivered {
        /// When.
        at: Timestamp,
    },
    /// Sent once more, with the same code.
    SentAgain {
        /// When.
        at: Timestamp,
    },
    /// The operator does not take it at the moment; it is tried again.
    Trouble,
}

shown_by!(SmsCode, "sms_code.html");

impl SmsCode {
    fn notice(&self, frame: &Frame<'_>) -> Option<Notice> {
        Some(match self.problem? {
            SmsProblem::Wrong { tries_left } => Notice::plain(frame, "sms-wrong", "sms-wrong-cure")
                .with_tries_left(frame, tries_left),
            SmsProblem::Malformed => Notice::plain(frame, "code-malformed", "code-malformed-cure"),
            SmsProblem::Expired => Notice::plain(frame, "sms-expired", self.cure_of_an_old_code()),
            SmsProblem::Replayed => {
                Notice::plain(frame, "code-replayed", self.cure_of_an_old_code())
            }
        })
    }

    /// A new code is to be had from this page only while one may be sent.
    fn cure_of_an_old_code(&self) -> &'static str {
        if self.resend == Resend::NoneLeft {
            "sms-start-again-cure"
        } else {
            "sms-new-code-cure"
        }
    }

    /// Whether the code that was sent is of no more use.
    fn needs_a_new_code(&self) -> bool {
        matches!(
            self.problem,
            Some(SmsProblem::Expired | SmsProblem::Replayed)
        )
    }

    fn hint(&self, frame: &Frame<'_>) -> String {
        frame.given("n", VALID_S / 60).say("sms-hint")
    }

    fn delivery_text(&self, frame: &Frame<'_>) -> String {
        let at = |key, moment| frame.given("clock", time::clock(moment)).say(key);
        match self.delivery {
            Delivery::OnItsWay => frame.say("sms-on-its-way").into_owned(),
            Delivery::Sent { at: moment } => at("sms-sent", moment),
            Delivery::Delivered { at: moment } => at("sms-delivered", moment),
            Delivery::SentAgain { at: moment } => at("sms-sent-again", moment),
            Delivery::Trouble => frame.say("sms-trouble").into_owned(),
        }
    }

    fn troubled(&self) -> bool {
        self.delivery == Delivery::Trouble
    }

    /// The last two digits, as a screen reader says them.
    fn phone_ending(&self) -> String {
        let digits: Vec<char> = self.phone.chars().filter(char::is_ascii_digit).collect();
        digits.iter().skip(digits.len().saturating_sub(2)).collect()
    }

    fn resend_available(&self) -> bool {
        self.resend == Resend::Available
    }

    fn resend_text(&self, frame: &Frame<'_>) -> String {
        match self.resend {
            Resend::Available if self.needs_a_new_code() => String::new(),
            Resend::Available => frame.say("sms-resend-same").into_owned(),
            Resend::Wait { seconds } => frame
                .given("wait", span(frame, seconds))
                .say("sms-resend-wait"),
            Resend::NoneLeft => frame.say("sms-resend-none").into_owned(),
        }
    }
}

#[cfg(test)]
impl super::Samples for SmsCode {
    fn samples() -> Vec<(&'static str, Self)> {
        let at = Timestamp(1_786_946_100);
        let plain = Self {
            phone: "+41 79 ••• •• 67".to_owned(),
            action: "/login/0199a1b2".to_owned(),
            who: Some(Who::sample()),
            problem: None,
            resend: Resend::Wait { seconds: 45 },
            delivery: Delivery::OnItsWay,
            recovery: false,
            step: Some(Step { at: 2, of: 3 }),
        };
        let again = |problem| Self {
            problem: Some(problem),
            resend: Resend::Available,
            delivery: Delivery::Sent { at },
            step: None,
            ..plain.clone()
        };
        let sent = |delivery, resend| Self {
            delivery,
            resend,
            ..plain.clone()
        };
        vec![
            ("wrong", again(SmsProblem::Wrong { tries_left: 4 })),
            ("wrong-last", again(SmsProblem::Wrong { tries_left: 1 })),
            ("malformed", again(SmsProblem::Malformed)),
            (
                "recovery",
                Self {
                    recovery: true,
                    step: None,
                    ..plain.clone()
                },
            ),
            ("expired", again(SmsProblem::Expired)),
            ("replayed", again(SmsProblem::Replayed)),
            (
                "none-left",
                Self {
                    resend: Resend::NoneLeft,
                    ..again(SmsProblem::Expired)
                },
            ),
            (
                "delivered",
                sent(Delivery::Delivered { at }, Resend::Available),
            ),
            ("again", sent(Delivery::SentAgain { at }, Resend::NoneLeft)),
            ("trouble", sent(Delivery::Trouble, Resend::Available)),
            ("plain", plain),
        ]
    }
}
