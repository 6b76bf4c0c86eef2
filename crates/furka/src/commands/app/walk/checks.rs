//! What is wrong around the messages: the person, the policy, the clocks, the addresses, the metadata.

use jiff::Timestamp;
use journey::Verdict;
use peers::look;
use url::{Host, Url};
use wire::saml;

use super::{
    Stage,
    certificate::{self, Certificate, RSA_BITS_MIN},
    told::{Finding, Told},
};
use crate::{
    commands::{
        app::{Application, explain::Ways},
        policy::say,
    },
    failure::Failure,
};

/// Clocks may be so far apart, in seconds: a minute is what tokens and assertions leave.
const APART_S: i64 = 60;
/// What ends so soon is said, in seconds.
const SOON_S: i64 = 30 * 86_400;

/// What keeps somebody from an application whatever is sent.
pub(super) async fn around(
    stage: &Stage<'_>,
    application: Application<'_>,
    told: &mut Told,
) -> Result<(), Failure> {
    person(stage, application, told);
    address_of_the_provider(stage, told);
    let minimum = application.minimum(&stage.asked.path());
    let ways = Ways::of(stage.here, &stage.account.person, minimum).await?;
    reach(&ways, stage, told);
    if let Some(database) = stage.here.store.clock().await? {
        let apart = database.0.saturating_sub(stage.here.now().0);
        if apart.abs() > APART_S {
            told.find(Finding::wrong(
                format!("the database's clock is {apart} s away from this machine's"),
                "RFC 7519 \u{a7}4.1.4",
                "let both follow the same time server",
            ));
        }
    }
    Ok(())
}

fn person(stage: &Stage<'_>, application: Application<'_>, told: &mut Told) {
    let person = &stage.account.person;
    let name = &person.username;
    if !application.enabled() {
        told.find(Finding::wrong(
            "the application is not enabled: it is refused as if it were unknown",
            "",
            "leave `enabled = false` out of its registration",
        ));
    }
    if person.disabled {
        told.find(Finding::wrong(
            format!("{name} is switched off: every sign-in is refused"),
            "",
            format!("`furka person enable {name}`, or test with somebody else"),
        ));
    }
    if stage.account.password.is_none() {
        told.find(Finding::wrong(
            format!("{name} has not activated their account: they cannot sign in"),
            "",
            format!("`furka activation send {name}`, or test with somebody else"),
        ));
    } else if !person.enrolled() {
        told.notes.push(format!(
            "{name} has bound no second factor yet; in the rehearsal they have one"
        ));
    }
}

/// [OpenID Discovery §3] issuers are `https`; this machine alone may do without.
fn address_of_the_provider(stage: &Stage<'_>, told: &mut Told) {
    let url = &stage.here.config.public_url;
    if url.scheme() != "https" && !is_this_machine(url) {
        told.find(Finding::wrong(
            format!("the provider is at `{url}`, not at an `https` address"),
            "OIDC Discovery \u{a7}3",
            "set `public_url` to the address that browsers use",
        ));
    }
}

/// Whether the policy lets them in with what the application demands, from inside and from outside.
fn reach(ways: &Ways, stage: &Stage<'_>, told: &mut Told) {
    let name = &stage.account.person.username;
    for (places, verdict, rule) in ways.all() {
        if leads_in(*verdict) {
            continue;
        }
        let places = places.join(", ");
        let what = format!(
            "from {places}, {name} does not get in: {} ({rule})",
            say(*verdict)
        );
        let cure = "lower `minimum`, bind a second factor, or change the policy";
        told.find(match ways.lead_in() {
            true => Finding::note(what, "", ""),
            false => Finding::wrong(what, "", cure),
        });
    }
}

const fn leads_in(verdict: Verdict) -> bool {
    matches!(
        verdict,
        Verdict::AskFactor | Verdict::AskSmsThenEnrol | Verdict::LetIn
    )
}

/// What an application's metadata says, beyond what registering it has refused already: that it cannot be
/// read, that it names no address for responses, and addresses that are not `https`.
pub(super) fn metadata(application: &saml::Application, now: i64, told: &mut Told) {
    let Ok(provider) = application.provider(i64::MIN) else {
        return;
    };
    if let Some(until) = provider.valid_until {
        let cure = "take the application's new metadata into its registration";
        if until <= now {
            let what = format!("the metadata ended on {}", day(until));
            told.find(Finding::wrong(what, "SAML Metadata \u{a7}2.3.2", cure));
        } else if until.saturating_sub(now) < SOON_S {
            let what = format!("the metadata ends on {}", day(until));
            told.find(Finding::note(what, "SAML Metadata \u{a7}2.3.2", cure));
        }
    }
    if application.signed_requests && !provider.signs_requests {
        told.find(Finding::wrong(
            "`signed_requests` wants signed requests, and the metadata does not say that the application signs",
            "SAML Metadata \u{a7}2.4.4",
            "let the application sign (`AuthnRequestsSigned=\"true\"`) and register its metadata again, or leave `signed_requests` out",
        ));
    }
    if provider.logout().is_none() {
        told.find(Finding::note(
            "the metadata names no address for sign-out: people stay signed in there",
            "SAML Profiles \u{a7}4.4",
            "",
        ));
    }
    for certificate in certificate::all(&application.metadata) {
        certificate_in(certificate, now, told);
    }
}

fn certificate_in(certificate: Certificate, now: i64, told: &mut Told) {
    let until = certificate.until.as_second();
    let cure =
        "let the application renew its certificate and take its new metadata into its registration";
    if until <= now {
        let what = format!(
            "a certificate in the metadata ended on {}; the provider goes by its key, others refuse it",
            day(until)
        );
        told.find(Finding::wrong(what, "RFC 5280 \u{a7}4.1.2.5", cure));
    } else if until.saturating_sub(now) < SOON_S {
        let what = format!("a certificate in the metadata ends on {}", day(until));
        told.find(Finding::note(what, "RFC 5280 \u{a7}4.1.2.5", cure));
    }
    if let Some(bits) = certificate.rsa_bits.filter(|bits| *bits < RSA_BITS_MIN) {
        told.find(Finding::wrong(
            format!("a certificate in the metadata holds an RSA key of {bits} bits: nothing that it signs is believed"),
            "NIST SP 800-131A \u{a7}3",
            "let the application make a key of 3072 bits, and take its new metadata into its registration",
        ));
    }
}

fn day(unix: i64) -> String {
    let moment = Timestamp::from_second(unix).unwrap_or(Timestamp::MAX);
    moment.strftime("%Y-%m-%d").to_string()
}

/// Whether somebody answers at the application's address, who they prove to be, and what time they have.
pub(super) async fn address(url: &Url, now: i64, told: &mut Told) {
    if !matches!(url.scheme(), "http" | "https") {
        return;
    }
    let mut bare = url.clone();
    bare.set_query(None);
    bare.set_fragment(None);
    match look(bare.as_str()).await {
        Ok(seen) => {
            let Some(theirs) = seen.date.as_deref().and_then(moment) else {
                return;
            };
            let apart = theirs.saturating_sub(now);
            if apart.abs() > APART_S {
                told.find(Finding::wrong(
                    format!("the clock of `{}` is {apart} s away from this machine's", bare.authority()),
                    "OIDC Core \u{a7}3.1.3.7",
                    "let both follow a time server: what is issued now must not be over, or yet to come, there",
                ));
            }
        }
        Err(unseen) if unseen.is_tls => told.find(Finding::wrong(
            format!(
                "browsers do not believe `{}`: {}",
                bare.authority(),
                unseen.why
            ),
            "RFC 9110 \u{a7}4.3.4",
            "give the application a certificate of an authority that browsers know, for this name",
        )),
        Err(unseen) => told.find(Finding::note(
            format!(
                "nobody answers at `{bare}` from this machine: {}",
                unseen.why
            ),
            "",
            "if browsers reach it all the same, this is no fault; `--offline` leaves the look out",
        )),
    }
}

/// [RFC 9110 §5.6.7] the one way in which programs write it.
fn moment(date: &str) -> Option<i64> {
    let parsed = jiff::fmt::rfc2822::parse(date).ok()?;
    Some(parsed.timestamp().as_second())
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_of_http_is_read() {
        assert_eq!(moment("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(moment("yesterday"), None);
    }

    #[test]
    fn a_certificate_is_judged_by_its_end_and_by_its_key() {
        let certificate = |until, rsa_bits| Certificate {
            rsa_bits,
            until: Timestamp::from_second(until).unwrap(),
        };
        let found = |certificate| {
            let mut told = Told::default();
            certificate_in(certificate, 1_000_000_000, &mut told);
            (told.findings.len(), told.is_wrong())
        };
        assert_eq!(found(certificate(1_100_000_000, Some(2048))), (0, false));
        assert_eq!(found(certificate(1_100_000_000, None)), (0, false));
        assert_eq!(found(certificate(1_001_000_000, Some(2048))), (1, false));
        assert_eq!(found(certificate(999_999_999, Some(2048))), (1, true));
        assert_eq!(found(certificate(999_999_999, Some(1024))), (2, true));
    }
}
