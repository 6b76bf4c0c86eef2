//! A device without a keyboard asks to be let in: its code, the question, the answer.

use journey::Timestamp;

use super::frame::span;
use super::{Frame, Notice, Released, Who, shown_by, time};

/// Where the code of a device is typed.
#[derive(Clone, Debug)]
pub struct Device {
    /// Where the form goes.
    pub action: String,
    /// What went wrong at the last attempt.
    pub problem: Option<DeviceProblem>,
    /// Whether somebody signs in anew for it.
    pub renew: bool,
    /// Where somebody signs in for whom others of their network used the tries up.
    pub sign_in_url: Option<String>,
    /// What was typed before, or came with the link.
    pub user_code: String,
}

/// Why a code leads nowhere.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DeviceProblem {
    /// What was typed is no code; nothing was counted.
    Malformed,
    /// No device shows it, or not any more.
    Unknown,
    /// Too many unknown codes.
    Wait {
        /// Seconds until the next one counts.
        seconds: u64,
    },
}

/// Which application asks, from where; and two buttons.
// [RFC 8628 §5.3] "SHOULD display information about the device so that the user could notice if a software client was attempting to impersonate a hardware device"
// [RFC 8628 §5.4] "it is RECOMMENDED to inform the user that they are authorizing a device during the user-interaction step (see Section 3.3) and to confirm that the device is in their possession."
#[derive(Clone, Debug)]
pub struct DeviceConfirm {
    /// Where the buttons `action=allow` and `action=deny` go.
    pub action: String,
    /// From where the device asked, if that is known.
    pub address: Option<String>,
    /// What people call the application.
    pub application: String,
    /// When it asked.
    pub asked: Timestamp,
    /// The name of the network from which it asked, if it is one of the canton's.
    pub place: Option<String>,
    /// What an application of others would be told; empty for one of the school system.
    pub released: Vec<Released>,
    /// The sealed question.
    pub ticket: String,
    /// What the device shows.
    pub user_code: String,
    /// Whose session it is.
    pub who: Option<Who>,
}

/// What was answered, and where it goes on.
#[derive(Clone, Debug)]
pub struct DeviceDone {
    /// Whether the device was let in.
    pub allowed: bool,
    /// What people call the application.
    pub application: String,
}

shown_by!(Device, "device.html");
shown_by!(DeviceConfirm, "device_confirm.html");
shown_by!(DeviceDone, "device_done.html");

impl Device {
    fn notice(&self, frame: &Frame<'_>) -> Option<Notice> {
        Some(match self.problem? {
            DeviceProblem::Malformed => {
                Notice::plain(frame, "device-malformed", "device-malformed-cure")
            }
            DeviceProblem::Unknown => Notice::plain(frame, "device-unknown", "device-unknown-cure"),
            DeviceProblem::Wait { seconds } => {
                let cause = frame.given("wait", span(frame, seconds)).say("device-wait");
                Notice::caused(frame, cause, "device-wait-cure")
            }
        })
    }
}

impl DeviceConfirm {
    fn title(&self, frame: &Frame<'_>) -> String {
        frame
            .given("application", self.application.as_str())
            .say("device-confirm-title")
    }

    fn from(&self, frame: &Frame<'_>) -> String {
        match (&self.address, &self.place) {
            (Some(address), Some(place)) => frame
                .given("address", address.as_str())
                .given("place", place.as_str())
                .say("device-confirm-inside"),
            (Some(address), None) => frame
                .given("address", address.as_str())
                .say("device-confirm-public"),
            (None, _) => frame.say("device-confirm-nowhere").into_owned(),
        }
    }

    fn when(&self, frame: &Frame<'_>) -> String {
        time::day_and_clock(frame, self.asked)
    }
}

impl DeviceDone {
    fn title(&self, frame: &Frame<'_>) -> String {
        let key = match self.allowed {
            true => "device-allowed-title",
            false => "device-refused-title",
        };
        frame.say(key).into_owned()
    }

    fn text(&self, frame: &Frame<'_>) -> String {
        match self.allowed {
            true => frame.say("device-allowed-text").into_owned(),
            false => frame
                .given("application", self.application.as_str())
                .say("device-refused-text"),
        }
    }
}

#[cfg(test)]
impl super::Samples for Device {
    fn samples() -> Vec<(&'static str, Self)> {
        let plain = Self {
            action: "/device".to_owned(),
            problem: None,
            renew: false,
            sign_in_url: None,
            user_code: String::new(),
        };
        let complete = Self {
            user_code: "WDJ-BMH-TKL".to_owned(),
            ..plain.clone()
        };
        let again = |problem| Self {
            problem: Some(problem),
            ..complete.clone()
        };
        let wait = DeviceProblem::Wait { seconds: 12 };
        let of_others = Self {
            sign_in_url: Some("/login".to_owned()),
            ..again(wait)
        };
        let renewed = Self {
            renew: true,
            ..complete.clone()
        };
        vec![
            ("malformed", again(DeviceProblem::Malformed)),
            ("unknown", again(DeviceProblem::Unknown)),
            ("wait", again(wait)),
            ("wait-of-others", of_others),
            ("renewed", renewed),
            ("complete", complete),
            ("plain", plain),
        ]
    }
}

#[cfg(test)]
impl super::Samples for DeviceConfirm {
    fn samples() -> Vec<(&'static str, Self)> {
        let inside = Self {
            action: "/device/confirm".to_owned(),
            address: Some("192.0.2.20".to_owned()),
            application: "L’écran de la salle".to_owned(),
            asked: Timestamp(1_786_946_100),
            place: Some("Centre scolaire de Martigny".to_owned()),
            released: Vec::new(),
            ticket: "dGlja2V0".repeat(60),
            user_code: "WDJ-BMH-TKL".to_owned(),
            who: Some(Who::sample()),
        };
        let outside = Self {
            address: Some("2001:db8:1234:5678:9abc:def0:1234:5678".to_owned()),
            place: None,
            released: vec![Released::Identifier, Released::Profile],
            ..inside.clone()
        };
        let nowhere = Self {
            address: None,
            ..outside.clone()
        };
        vec![
            ("outside", outside),
            ("nowhere", nowhere),
            ("inside", inside),
        ]
    }
}

#[cfg(test)]
impl super::Samples for DeviceDone {
    fn samples() -> Vec<(&'static str, Self)> {
        let done = |allowed| Self {
            allowed,
            application: "L’écran de la salle".to_owned(),
        };
        vec![("refused", done(false)), ("allowed", done(true))]
    }
}
