//! `furka app test`: somebody's sign-in to an application, walked in a rehearsal, message by message.

mod browser;
mod cas;
mod certificate;
mod checks;
mod gate;
mod openid;
mod page;
mod rehearsal;
mod saml;
mod told;
mod xml;

use std::{collections::BTreeMap, net::IpAddr};

use clap::Args;
use ipnet::IpNet;
use journey::{Facts, Happened, Place, Verdict};
use serde_json::{Value, json};
use server::release;
use store::Account;
use url::Url;
use wire::{oauth::client::Applications, oidc::Issuer};

use self::told::{Finding, Message, NEW, Told};
use super::{Application, explain};
use crate::{
    commands::{person::Progress, policy::inside},
    failure::{Doing, Exit, Failure, Outcome},
    installation::Installation,
    print::{self, Table},
};

/// What `furka app test` is told.
#[derive(Args)]
#[command(after_help = "\
The sign-in happens in a rehearsal: the provider itself, in memory, with this application, this person,
your zones and your policy. It makes the messages that the real one makes. But its keys are drawn for the
walk and gone with it, so no application believes what it signs; the person needs not be there, none of
their codes is used, and no session is left. The audit says who was walked for.

`\u{2026}` stands for what is new at every sign-in. The application's address is looked at, without a word
about anybody, to see who answers there and what time it has; `--offline` leaves that out.

Exit codes: 0 nothing is wrong by the standards; 1 something is, and is said with its cure.

Examples:
  furka app test portal --person anna.rey
  furka app test portal --person anna.rey --place school-brig --scope 'openid email'
  furka app test portal --person anna.rey --url https://portal.example.ch/other/callback
  furka app test moodle --person anna.rey --url https://moodle.example.ch/login/index.php
  furka app test wiki --person anna.rey --url https://wiki.example.ch/admin/ --json")]
pub(crate) struct Test {
    /// The application's id.
    application: String,
    /// Who signs in: a user name.
    #[arg(long, value_name = "NAME")]
    person: String,
    /// Where they are: the id of a zone, or `public`.
    #[arg(long, value_name = "ZONE", default_value = "public")]
    place: String,
    /// The address that the application sends: its redirect address, its assertion consumer service, its
    /// service, or the page behind the gate; the first that is registered if it is not given.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The scopes that the application asks for; all that it is registered for if none are given.
    #[arg(long, value_name = "SCOPES")]
    scope: Option<String>,
    /// Does not look at the application's address.
    #[arg(long)]
    offline: bool,
    /// Prints all of it as JSON.
    #[arg(long)]
    json: bool,
}

/// Everything that a walk needs.
struct Stage<'a> {
    account: &'a Account,
    /// Where they are; none for somewhere that no zone lists.
    address: Option<IpAddr>,
    asked: &'a Test,
    /// What the policy decides after the password, and by which rule.
    decided: (Verdict, String),
    here: &'a Installation,
    issuer: &'a Issuer,
    /// Where each thing comes from, by document and name.
    sources: BTreeMap<(&'static str, String), String>,
}

impl Test {
    pub(super) async fn run(self, here: &Installation) -> Outcome {
        let file = here.applications().await?;
        let application = Application::find(&file, &self.application)?;
        let account = here.account(&self.person).await?;
        let (place, address) = self.placed(here).await?;
        let issuer = Issuer::parse(&here.config.public_url.origin().ascii_serialization());
        let issuer = issuer.doing(|| "reading `public_url`".to_owned())?;
        let decided = self.decided(here, application, (&account, &place)).await?;
        let mut stage = Stage {
            account: &account,
            address,
            asked: &self,
            decided,
            here,
            issuer: &issuer,
            sources: BTreeMap::new(),
        };
        let walked = walked(&mut stage, application);
        let told = Progress::during("rehearsing the sign-in", walked).await?;
        match self.json {
            true => print::line(format_args!("{:#}", self.document(&told))),
            false => {
                print::line(self.head(application, &account));
                told.show();
            }
        }
        Ok(match told.is_wrong() {
            true => Exit::Problems,
            false => Exit::Done,
        })
    }

    /// A place by the name of its zone, and an address there.
    async fn placed(&self, here: &Installation) -> Result<(Place, Option<IpAddr>), Failure> {
        if self.place == "public" {
            return Ok((Place::Public, None));
        }
        let zones = here.zones().await?;
        let Some(zone) = zones.get(&self.place) else {
            return Err(Failure::new(format!("there is no zone `{}`", self.place))
                .cure("`furka zone list` names them; everywhere else is `public`"));
        };
        let mut networks = zone.networks.iter();
        let network = networks.find_map(|network| network.parse::<IpNet>().ok());
        Ok((inside(zone), network.map(|network| network.addr())))
    }

    /// What the policy decides about them. Written down: somebody looked at what is known of a person.
    async fn decided(
        &self,
        here: &Installation,
        application: Application<'_>,
        (account, place): (&Account, &Place),
    ) -> Result<(Verdict, String), Failure> {
        let demand = release::assurance(application.minimum(&self.path()));
        let policy = here.policy().await?;
        let facts = Facts::of(&account.person, place, place, demand);
        let (verdict, rule) = policy.decide(&facts);
        let happened = Happened::Decided {
            rule: rule.to_owned(),
            verdict,
        };
        let command = format!("{} {}", rehearsal::COMMAND, self.application);
        let by = here.by(&command).about(account.person.id);
        here.store.audit(&happened, &by).await?;
        Ok((verdict, rule.to_owned()))
    }

    /// The path behind the gate.
    fn path(&self) -> String {
        let url = self.url.as_deref().and_then(|url| Url::parse(url).ok());
        url.map_or_else(|| "/".to_owned(), |url| url.path().to_owned())
    }

    fn head(&self, application: Application<'_>, account: &Account) -> Table {
        let mut table = Table::default();
        let (id, name) = (application.id(), &application.name().en);
        let speaks = application.speaks();
        table.pair("application", format_args!("{id} ({name}), {speaks}"));
        let person = &account.person;
        let (first, last) = (&person.first_name, &person.last_name);
        table.pair(
            "person",
            format_args!("{} ({first} {last})", person.username),
        );
        table.pair(
            "rehearsal",
            "no session is left, nothing here opens anything",
        );
        table
    }

    fn document(&self, told: &Told) -> Value {
        let mut document = told.json();
        if let Some(object) = document.as_object_mut() {
            object.insert("application".to_owned(), json!(self.application));
            object.insert("person".to_owned(), json!(self.person));
            object.insert("place".to_owned(), json!(self.place));
        }
        document
    }
}

/// The walk, and what is found around it.
async fn walked(stage: &mut Stage<'_>, application: Application<'_>) -> Result<Told, Failure> {
    let mut told = Told::default();
    stage.explained(application, &mut told);
    checks::around(stage, application, &mut told).await?;
    let now = stage.here.now().0;
    let address = match application {
        Application::Cas(service) => cas::walk(service, stage, &mut told).await?,
        Application::Gate(site) => {
            told.findings.extend(gate::faults(&stage.here.config));
            gate::walk(site, stage, &mut told).await?
        }
        Application::Oidc(client) => openid::walk(client, stage, &mut told).await?,
        Application::Saml(saml) => {
            checks::metadata(saml, now, &mut told);
            saml::walk(saml, stage, &mut told).await?
        }
    };
    if let Some(address) = address.filter(|_| !stage.asked.offline) {
        checks::address(&address, now, &mut told).await;
    }
    Ok(told)
}

impl Stage<'_> {
    /// Asks what releases for the sources of all that is sent, and for what is not.
    fn explained(&mut self, application: Application<'_>, told: &mut Told) {
        let path = self.asked.path();
        let person = &self.account.person;
        let asked = explain::Explain::about(
            (&self.asked.application, &person.username),
            self.asked.scope.clone(),
            path,
        );
        let host = self.here.config.public_url.host_str().unwrap_or_default();
        let answer = explain::answer(application, &asked, (self.issuer, host), person);
        told.missing = answer.missing;
        for note in answer.notes {
            told.notes.push(note);
        }
        if !matches!(application, Application::Oidc(_)) {
            let cure = "change who may enter in its registration, or test with somebody else";
            let obstacles = answer.obstacles.into_iter();
            told.findings
                .extend(obstacles.map(|what| Finding::wrong(what, "", cure)));
        }
        for message in answer.messages {
            for [name, _, source] in message.parts {
                self.sources.insert((message.title, name), source);
            }
        }
    }

    /// Where something comes from; nothing if that is not known.
    fn source(&self, document: &'static str, name: &str) -> String {
        let key = (document, name.to_owned());
        self.sources.get(&key).cloned().unwrap_or_default()
    }

    /// The claims of a document, each with where it comes from.
    fn claims(&self, mut message: Message, document: &'static str, claims: &Value) -> Message {
        for (name, value) in claims.as_object().into_iter().flatten() {
            let value = match name.as_str() {
                "at_hash" | "jti" | "nonce" | "sid" => NEW.to_owned(),
                _ => value.to_string(),
            };
            message = message.part(name, value, self.source(document, name));
        }
        message
    }

    /// An address of the provider.
    fn at(&self, path: &str) -> Result<Url, Failure> {
        let url = format!("{}{path}", self.issuer.as_str());
        Url::parse(&url).doing(|| "reading `public_url`".to_owned())
    }

    /// The provider's host, as requests name it.
    fn authority(&self) -> &str {
        self.here.config.public_url.authority()
    }

    /// A file with one application.
    fn file(&self, with: impl FnOnce(&mut Applications)) -> Applications {
        let mut file = Applications::default();
        with(&mut file);
        file
    }
}
