//! Moments as SAML writes them: `xs:dateTime` in UTC.

use jiff::Timestamp;

/// Unix seconds as text: `2026-11-22T18:00:00Z`.
pub(crate) fn written(at: i64) -> String {
    // [Core §1.3.3] "All SAML time values have the type xs:dateTime, which is built in to the W3C XML Schema Datatypes specification [Schema2], and MUST be expressed in UTC form, with no time zone component."
    Timestamp::from_second(at)
        .map(|moment| moment.to_string())
        .unwrap_or_default()
}

/// Unix seconds of a text; fractions are cut off.
pub(crate) fn read(text: &str) -> Option<i64> {
    let text = text.trim();
    if text.len() > 40 {
        return None;
    }
    text.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [Core §1.3.3] "All SAML time values have the type xs:dateTime, which is built in to the W3C XML Schema Datatypes specification [Schema2], and MUST be expressed in UTC form, with no time zone component."
    #[test]
    fn moments_are_written_in_utc_and_read_with_fractions() {
        assert_eq!(written(1_800_000_000), "2027-01-15T08:00:00Z");
        assert_eq!(read("2027-01-15T08:00:00.999Z"), Some(1_800_000_000));
        assert_eq!(read(" 2027-01-15T09:00:00+01:00 "), Some(1_800_000_000));
        assert_eq!(read("2027-01-15"), None);
        assert_eq!(read(&"9".repeat(50)), None);
    }
}
