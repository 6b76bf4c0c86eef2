//! What is written to people outside of pages: messages to their telephone and their mailbox.
//!
//! A message to a telephone has only characters of the [GSM 03.38] alphabet, so that 160 of them
//! fit; `ê`, `ç`, `œ` and typographic marks are not among them.

use journey::{Language, Method, Timestamp};

use super::time;
use crate::words::{Saying, Words};

/// The writer of messages in one language, for one institution.
#[derive(Clone, Copy, Debug)]
pub struct Texts<'a> {
    /// The language of the reader.
    pub language: Language,
    /// Who writes.
    pub institution: &'a str,
    /// Whom to ask.
    pub support: &'a str,
}

/// A mail, plain text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mail {
    /// Its subject, one line.
    pub subject: String,
    /// Its body, lines ended by `\n`.
    pub body: String,
}

impl Texts<'_> {
    /// The message with a code. Its last line binds the code to the host of the sign-in page, so
    /// that telephones offer it there and nowhere else ([decision 9] "`@host #123456`").
    #[must_use]
    pub fn sms_code(&self, code: &str, host: &str) -> String {
        let text = self.given("code", code).say("text-sms-code");
        format!("{text}\n\n@{host} #{code}")
    }

    /// [L04] To the former number: another one takes its place.
    #[must_use]
    pub fn sms_new_number(&self) -> String {
        self.words().say("text-sms-new-number").into_owned()
    }

    /// [L04] To the number on record: a factor was bound.
    #[must_use]
    pub fn sms_factor_bound(&self, method: Method) -> String {
        self.words()
            .say(bound_key(method, Channel::Sms))
            .into_owned()
    }

    /// The activation message: user name, code, where, until when.
    #[must_use]
    pub fn activation(&self, username: &str, code: &str, link: &str, until: Timestamp) -> Mail {
        let saying = self
            .given("username", username)
            .given("code", code)
            .given("link", link)
            .given("when", self.day_and_clock(until));
        self.mail("mail-activation-subject", &saying.say("mail-activation"))
    }

    /// The desk has voided the password: the code that leads to another one, where, until when.
    #[must_use]
    pub fn new_password(&self, username: &str, code: &str, link: &str, until: Timestamp) -> Mail {
        let saying = self
            .given("username", username)
            .given("code", code)
            .given("link", link)
            .given("when", self.day_and_clock(until));
        self.mail(
            "mail-new-password-subject",
            &saying.say("mail-new-password"),
        )
    }

    /// [L04] The password is another one.
    #[must_use]
    pub fn password_changed(&self, at: Timestamp) -> Mail {
        let saying = self.given("when", self.day_and_clock(at));
        self.mail(
            "mail-password-changed-subject",
            &saying.say("mail-password-changed"),
        )
    }

    /// [L04] The desk has taken back what was bound.
    #[must_use]
    pub fn factor_reset(&self, at: Timestamp) -> Mail {
        let saying = self.given("when", self.day_and_clock(at));
        self.mail(
            "mail-factor-reset-subject",
            &saying.say("mail-factor-reset"),
        )
    }

    /// [L04] New recovery codes were made.
    #[must_use]
    pub fn recovery_codes_made(&self, at: Timestamp) -> Mail {
        let saying = self.given("when", self.day_and_clock(at));
        self.mail(
            "mail-recovery-made-subject",
            &saying.say("mail-recovery-made"),
        )
    }

    /// [L04] A recovery code was used; so many are left.
    #[must_use]
    pub fn recovery_code_used(&self, left: u8, at: Timestamp) -> Mail {
        let saying = self
            .given("left", left)
            .given("when", self.day_and_clock(at));
        self.mail(
            "mail-recovery-used-subject",
            &saying.say("mail-recovery-used"),
        )
    }

    /// [L04] The identity was activated.
    #[must_use]
    pub fn activated(&self, at: Timestamp) -> Mail {
        let saying = self.given("when", self.day_and_clock(at));
        self.mail("mail-activated-subject", &saying.say("mail-activated"))
    }

    /// The way on for an enrolment begun where nobody enrols.
    #[must_use]
    pub fn resume(&self, zone: &str, link: &str, until: Timestamp) -> Mail {
        let saying = self
            .given("zone", zone)
            .given("link", link)
            .given("when", self.day_and_clock(until));
        self.mail("mail-resume-subject", &saying.say("mail-resume"))
    }

    /// [L04] A factor was bound.
    #[must_use]
    pub fn factor_bound(&self, method: Method, at: Timestamp) -> Mail {
        let saying = self.given("when", self.day_and_clock(at));
        self.mail(
            "mail-factor-bound-subject",
            &saying.say(bound_key(method, Channel::Mail)),
        )
    }

    /// [L04] The telephone number was replaced; `phone` is the new one, masked.
    #[must_use]
    pub fn new_number(&self, phone: &str, at: Timestamp) -> Mail {
        let saying = self
            .given("phone", phone)
            .given("when", self.day_and_clock(at));
        self.mail("mail-new-number-subject", &saying.say("mail-new-number"))
    }

    /// [A19] The password was right, the second factor was not, and nobody got in.
    #[must_use]
    pub fn second_factor_failed(&self, at: Timestamp) -> Mail {
        let saying = self.given("when", self.day_and_clock(at));
        self.mail(
            "mail-second-factor-failed-subject",
            &saying.say("mail-second-factor-failed"),
        )
    }

    /// [O19] A right code came twice: somebody may be reading along.
    #[must_use]
    pub fn code_used_twice(&self, at: Timestamp) -> Mail {
        let saying = self.given("when", self.day_and_clock(at));
        self.mail(
            "mail-code-used-twice-subject",
            &saying.say("mail-code-used-twice"),
        )
    }

    fn mail(&self, subject: &str, text: &str) -> Mail {
        let words = self.words();
        let hello = words.say("mail-hello");
        let help = words.given("support", self.support).say("mail-help");
        let institution = self.institution;
        Mail {
            subject: words.say(subject).into_owned(),
            body: format!("{hello}\n\n{text}\n\n{help}\n\n{institution}\n"),
        }
    }

    fn day_and_clock(&self, at: Timestamp) -> String {
        self.given("day", time::day(at))
            .given("clock", time::clock(at))
            .say("day-and-clock")
    }

    fn given<'b>(
        &self,
        name: &'b str,
        value: impl Into<fluent_bundle::FluentValue<'b>>,
    ) -> Saying<'b> {
        self.words().given(name, value)
    }

    fn words(&self) -> &'static Words {
        Words::of(self.language)
    }
}

enum Channel {
    Mail,
    Sms,
}

fn bound_key(method: Method, channel: Channel) -> &'static str {
    match (method, channel) {
        (Method::App, Channel::Mail) => "mail-bound-app",
        (Method::App, Channel::Sms) => "text-sms-bound-app",
        (Method::Sms, Channel::Mail) => "mail-bound-sms",
        (Method::Sms, Channel::Sms) => "text-sms-bound-sms",
        (Method::Token, Channel::Mail) => "mail-bound-token",
        (Method::Token, Channel::Sms) => "text-sms-bound-token",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp(1_786_946_100);

    fn texts(language: Language) -> Texts<'static> {
        let institution = "Canton du Valais";
        Texts {
            language,
            institution,
            support: "support@ictvs.example, 027 606 00 00",
        }
    }

    #[test]
    fn a_message_to_a_telephone_fits_into_one_and_ends_with_the_bound_code() {
        let host = "identite-numerique.formation.vs.ch";
        for language in Language::ALL {
            let text = texts(language).sms_code("123456", host);
            assert_eq!(
                text.lines().last(),
                Some(&*format!("@{host} #123456")),
                "{text}"
            );
            assert_eq!(text.matches("123456").count(), 2, "{text}");
            fits(&text);
        }
    }

    #[test]
    fn notices_to_a_telephone_fit_into_one() {
        for language in Language::ALL {
            let texts = texts(language);
            fits(&texts.sms_new_number());
            for method in [Method::App, Method::Sms, Method::Token] {
                fits(&texts.sms_factor_bound(method));
            }
        }
    }

    #[test]
    fn the_activation_mail_has_the_name_the_code_the_address_and_the_end() {
        for language in Language::ALL {
            let link = "https://identite.vs.ch/activate";
            let mail = texts(language).activation("sophie.rey", "K7QF-2M9X-PT", link, AT);
            for part in [
                "sophie.rey",
                "K7QF-2M9X-PT",
                link,
                "17.08.2026",
                "07:55",
                "027 606 00 00",
            ] {
                assert!(
                    mail.body.contains(part),
                    "{part} is missing in\n{}",
                    mail.body
                );
            }
        }
    }

    /// [A19] [O19] [L04] Each says when it happened and whom to ask, in every language.
    #[test]
    fn every_warning_says_when_and_whom_to_ask() {
        for language in Language::ALL {
            let texts = texts(language);
            for mail in [
                texts.second_factor_failed(AT),
                texts.code_used_twice(AT),
                texts.activated(AT),
                texts.new_number("+41 79 ••• •• 67", AT),
                texts.new_password("sophie.rey", "K7QF-2M9X-PT", "https://identite.vs.ch", AT),
                texts.password_changed(AT),
                texts.factor_reset(AT),
                texts.recovery_codes_made(AT),
                texts.recovery_code_used(0, AT),
                texts.recovery_code_used(1, AT),
                texts.recovery_code_used(7, AT),
                texts.factor_bound(Method::App, AT),
                texts.factor_bound(Method::Sms, AT),
                texts.factor_bound(Method::Token, AT),
                texts.resume("Centre scolaire", "https://identite.vs.ch/resume/x", AT),
            ] {
                assert!(!mail.subject.contains(['\n', '{']) && mail.subject.len() < 100);
                assert!(
                    mail.body.contains("07:55") && mail.body.contains("027 606"),
                    "{}",
                    mail.body
                );
                assert!(!mail.body.contains(['{', '\r']), "{}", mail.body);
            }
        }
    }

    /// [GSM 03.38] "the default 7-bit alphabet": everything else costs a second message.
    fn fits(text: &str) {
        const MORE: &str = "@£$¥èéùìòÇØøÅåΔ_ÆæßÉÄÖÑÜ§äöñüà\n\r !\"#¤%&'()*+,-./:;<=>?¡¿";
        for letter in text.chars() {
            assert!(
                letter.is_ascii_alphanumeric() || MORE.contains(letter),
                "{letter:?} in {text}"
            );
        }
        assert!(
            text.chars().count() <= 160,
            "{} characters: {text}",
            text.chars().count()
        );
    }
}
