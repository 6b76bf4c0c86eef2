//! `furka check`: everything that would keep a server from starting, or people from signing in.

use std::{path::Path, sync::Arc, time::Duration};

use journey::Timestamp;
use rustls::{
    CertificateError, Error, RootCertStore,
    client::{verify_server_cert_signed_by_trust_anchor, verify_server_name},
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};
use server::{RealWorld, World, listen::Certificates};
use store::{AnyStore, ResourceKind, seal::Keys};
use url::Url;

use crate::{
    commands::{
        apply::today,
        keys::{
            ALGORITHMS,
            seal::{self, Relies},
        },
    },
    config::{Config, unknown_variables},
    failure::{Exit, Failure, Outcome},
    installation::{Installation, config_path, connect, open_database, read},
    key_file::{self, Held, KeyFile},
    print::{self, Table},
    resources,
};

/// A certificate that ends sooner than this is worth a note.
const CERTIFICATE_DAYS: u64 = 21;

/// What was found, in the order in which it was looked at.
#[derive(Default)]
struct Findings {
    found: Vec<(&'static str, String)>,
    problems: u32,
}

impl Findings {
    fn good(&mut self, what: impl Into<String>) {
        self.found.push(("ok", what.into()));
    }

    fn doubt(&mut self, what: impl Into<String>) {
        self.found.push(("note", what.into()));
    }

    fn problem(&mut self, what: impl Into<String>) {
        self.problems += 1;
        self.found.push(("PROBLEM", what.into()));
    }

    /// A failure is a problem with its causes and cure.
    fn failure(&mut self, failure: &Failure) {
        let cure = failure
            .advice()
            .map(|cure| format!("; to do: {cure}"))
            .unwrap_or_default();
        self.problem(format!("{}{cure}", resources::chain(failure)));
    }

    fn say(self) -> Exit {
        let mut table = Table::default();
        for (state, what) in self.found {
            let mut lines = what.lines();
            table.pair(state, lines.next().unwrap_or_default());
            lines.for_each(|line| table.pair("", line));
        }
        print::line(table);
        match self.problems {
            0 => Exit::Done,
            problems => {
                print::line(format_args!(
                    "\n{}",
                    print::count(problems, "problem", "problems")
                ));
                Exit::Problems
            }
        }
    }
}

pub(crate) async fn run(config: Option<&Path>) -> Outcome {
    let mut findings = Findings::default();
    let path = config_path(config);
    let config = match read(&path) {
        Ok(config) => config,
        Err(error) => {
            error
                .wrong
                .iter()
                .for_each(|wrong| findings.problem(format!("{}: {wrong}", path.display())));
            return Ok(findings.say());
        }
    };
    findings.good(format!("configuration {}", path.display()));
    config
        .doubts()
        .into_iter()
        .for_each(|doubt| findings.doubt(doubt));
    for name in unknown_variables(std::env::vars().map(|(name, _)| name)) {
        findings.doubt(format!(
            "`{name}` of the environment looks like an option and is none"
        ));
    }
    certificate(&config, RealWorld.now(), &mut findings);
    if let Some((keys, store)) = database(&config, &mut findings).await {
        let here = Installation {
            config,
            keys,
            store,
            world: RealWorld,
        };
        contents(&here, &mut findings).await?;
    }
    Ok(findings.say())
}

async fn database(config: &Config, findings: &mut Findings) -> Option<(Arc<Keys>, AnyStore)> {
    let keys = match key_file::read(&config.key_file) {
        Ok(keys) => Arc::new(keys),
        Err(failure) => {
            findings.failure(&failure);
            return None;
        }
    };
    findings.good(format!(
        "key file {}, key {} seals",
        config.key_file.display(),
        keys.current()
    ));
    match open_database(config, keys.clone()).await {
        Ok(store) => Some((keys, store)),
        Err(failure) => {
            findings.failure(&failure);
            None
        }
    }
}

/// Federations of whose members nobody can sign in.
async fn federations(here: &Installation, findings: &mut Findings) -> Result<(), Failure> {
    let copies = here.store.federations().await?;
    let file = here.applications().await?;
    for federation in file.federation.iter().filter(|one| one.enabled) {
        let source = federation.source();
        let its = copies
            .iter()
            .find(|copy| copy.id == federation.id && copy.source == source);
        match its {
            Some(copy) if copy.until > here.now() => {
                findings.good(format!("federation {} until {}", federation.id, copy.until));
            }
            Some(copy) => findings.doubt(format!(
                "what the federation {} said counted until {}; the log of `furka serve` says why nothing newer came",
                federation.id, copy.until
            )),
            None => findings.doubt(format!(
                "nothing was heard of the federation {} yet; `furka serve` fetches it",
                federation.id
            )),
        }
    }
    Ok(())
}

async fn contents(here: &Installation, findings: &mut Findings) -> Result<(), Failure> {
    if let Err(error) = here.store.ready(Duration::from_secs(5)).await {
        findings.failure(&error.into());
        return Ok(());
    }
    let counts = here.store.counts(here.now()).await?;
    findings.good(format!(
        "database {}: {} ({} activated, {} enrolled), {}",
        here.config.database,
        print::count(counts.people, "person", "people"),
        counts.activated,
        counts.enrolled,
        print::count(counts.tokens, "token", "tokens"),
    ));
    let keys = here.store.signing_keys(here.now()).await?;
    for algorithm in ALGORITHMS.map(wire::jose::SigningAlg::name) {
        if keys
            .iter()
            .any(|key| key.algorithm == algorithm && key.until.is_none())
        {
            findings.good(format!("signing key {algorithm}"));
        } else {
            findings.problem(format!(
                "there is no {algorithm} key that signs; to do: furka keys rotate"
            ));
        }
    }
    sealing(here, findings).await?;
    let mut texts = Vec::new();
    for kind in ResourceKind::ALL {
        texts.push((kind, here.resource(kind).await?.text));
    }
    match resources::check(&texts) {
        Err(wrong) => wrong.into_iter().for_each(|sentence| {
            findings.problem(format!(
                "{sentence}; to do: furka export DIR, mend it, furka apply DIR"
            ));
        }),
        Ok(checked) => {
            findings.good("zones, policy, applications, gateways");
            federations(here, findings).await?;
            for (id, unknown) in checked.unknown_secrets() {
                findings.problem(format!(
                    "application `{id}` cannot prove what it is: {}; to do: mend the file, as `furka serve` reads it, \
                     and start it again",
                    resources::chain(&unknown)
                ));
            }
            checked
                .doubts(today(here))
                .into_iter()
                .for_each(|doubt| findings.doubt(doubt));
        }
    }
    let gateways = texts
        .iter()
        .find(|(kind, _)| *kind == ResourceKind::Gateways);
    if let Some(Err(error)) = gateways.map(|(_, text)| connect()(text)) {
        findings.problem(format!("gateways: {}", resources::chain(&*error)));
    }
    Ok(())
}

/// Keys that are missing, and those that could go.
async fn sealing(here: &Installation, findings: &mut Findings) -> Result<(), Failure> {
    let file = KeyFile::read(&here.config.key_file)?;
    let reliance = here.store.reliance(here.now()).await?;
    for number in seal::missing(&file, &reliance) {
        findings.problem(format!(
            "something is sealed with key {number}, which the key file does not hold; to do: put it back \
             from a copy with `furka keys seal add --from KEY_FILE`"
        ));
    }
    for (number, line) in file.lines() {
        let sealed = Relies::on(number, &reliance).sealed;
        match line.held {
            Held::Former(_) if sealed > 0 => findings.doubt(format!(
                "{} sealed with the former key {number}; to do: furka keys seal reseal",
                print::count(sealed, "thing is", "things are")
            )),
            Held::Former(_) => findings.doubt(format!(
                "nothing is sealed with the former key {number}; to do: furka keys seal retire {number}"
            )),
            Held::Next(_) => findings.doubt(format!(
                "key {number} seals nothing yet; to do: furka keys seal use {number}"
            )),
            Held::Current(_) | Held::Checks(_) | Held::Retired => {}
        }
    }
    Ok(())
}

fn certificate(config: &Config, now: Timestamp, findings: &mut Findings) {
    let Some((certificate, key)) = config.tls.files() else {
        return findings.good(format!("plain HTTP on {}", config.listen));
    };
    let chain = match Certificates::read(certificate, key) {
        Ok(certificates) => certificates.chain(),
        Err(error) => return findings.problem(resources::chain(&error)),
    };
    let file = certificate.display();
    let own_door = config.mtls.listen.and(config.mtls.url.as_ref());
    let hosts = [Some(&config.public_url), own_door];
    let hosts = hosts.into_iter().flatten().filter_map(Url::host_str);
    let Some(first) = chain.first() else {
        return findings.problem(format!("`{file}` holds no certificate"));
    };
    let Ok(parsed) = ParsedCertificate::try_from(first) else {
        return findings.problem(format!("`{file}` holds a certificate that cannot be read"));
    };
    for host in hosts {
        let named = ServerName::try_from(host.to_owned());
        if !named.is_ok_and(|name| verify_server_name(&parsed, &name).is_ok()) {
            findings.problem(format!("the certificate in `{file}` is not for `{host}`"));
        }
    }
    let now = u64::try_from(now.0).unwrap_or_default();
    match state_at(first, now) {
        State::Over => findings.problem(format!("the certificate in `{file}` has expired")),
        State::Early => findings.problem(format!("the certificate in `{file}` is not valid yet")),
        State::Valid if state_at(first, now + CERTIFICATE_DAYS * 86_400) == State::Over => {
            findings.doubt(format!(
                "the certificate in `{file}` ends within {CERTIFICATE_DAYS} days"
            ));
        }
        State::Valid => findings.good(format!("certificate {file}")),
    }
}

#[derive(Eq, PartialEq)]
enum State {
    Early,
    Over,
    Valid,
}

/// Its validity is looked at before anything else, so that it is known without the roots of those who
/// will call.
fn state_at(certificate: &CertificateDer<'_>, seconds: u64) -> State {
    let Ok(parsed) = ParsedCertificate::try_from(certificate) else {
        return State::Over;
    };
    let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let algorithms = default_provider().signature_verification_algorithms.all;
    let nobody = RootCertStore::empty();
    match verify_server_cert_signed_by_trust_anchor(&parsed, &nobody, &[], at, algorithms) {
        Err(Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        )) => State::Over,
        Err(Error::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        )) => State::Early,
        _ => State::Valid,
    }
}
