//! Times as people of the canton read them: their own clock, `17.08.2026` and `07:55`.

use journey::Timestamp;

use super::Frame;

/// Central European time by its rule: a machine without a time zone database shows the same.
const ZURICH: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

/// `07:55`.
#[must_use]
pub fn clock(at: Timestamp) -> String {
    shown(at, "%H:%M")
}

/// `17.08.2026, 07:55`, in the words of the page's language.
#[must_use]
pub fn day_and_clock(frame: &Frame<'_>, at: Timestamp) -> String {
    frame
        .given("day", day(at))
        .given("clock", clock(at))
        .say("day-and-clock")
}

/// `17.08.2026`.
#[must_use]
pub fn day(at: Timestamp) -> String {
    shown(at, "%d.%m.%Y")
}

fn shown(at: Timestamp, format: &str) -> String {
    let zone = jiff::tz::TimeZone::posix(ZURICH).unwrap_or(jiff::tz::TimeZone::UTC);
    jiff::Timestamp::from_second(at.0)
        .map(|time| time.to_zoned(zone).strftime(format).to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summer_and_winter_have_their_own_clock() {
        assert_eq!(clock(Timestamp(1_786_946_100)), "07:55");
        assert_eq!(day(Timestamp(1_786_946_100)), "17.08.2026");
        assert_eq!(clock(Timestamp(1_768_460_100)), "07:55");
    }
}
