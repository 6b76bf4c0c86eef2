//! `furka app explain`: what an application would be told of somebody, made by what issues it.

mod cas;
mod gate;
mod openid;
mod saml;

use clap::Args;
use journey::{Assurance, Facts, Method, Person, Place, Verdict, amr};
use server::release;
use store::Account;
use wire::{
    oauth::client::Assurance as Level,
    oidc::{Issuer, claims::Profile},
    saml::{application::Released, context},
};

use super::{Application, word};
use crate::{
    commands::policy::{inside, role, say},
    failure::{Doing, Exit, Failure, Outcome},
    installation::Installation,
    print::{self, Table},
};

/// How many zones are named where all are treated alike.
const ZONES_SHOWN: usize = 3;

/// What `furka app explain` is told.
#[derive(Args)]
#[command(after_help = "\
Nothing is sent and nothing changes. `…` stands for what is new at every sign-in.

Examples:
  furka app explain portal anna.rey
  furka app explain portal anna.rey --scope 'openid email'
  furka app explain wiki anna.rey --path /admin/")]
pub(crate) struct Explain {
    /// The application's id.
    application: String,
    /// Somebody's user name.
    person: String,
    /// The scopes that the application asks for; all that it is registered for if none are given.
    #[arg(long, value_name = "SCOPES")]
    scope: Option<String>,
    /// Where behind the gate.
    #[arg(long, default_value = "/")]
    path: String,
}

/// Somebody, as all answers need them.
struct Case<'a> {
    asked: &'a Explain,
    /// The domain of scoped values.
    host: &'a str,
    issuer: &'a Issuer,
    person: &'a Person,
    profile: Profile,
}

/// What an application would be told, and what not.
pub(super) struct Answer {
    /// Name, and why it is not sent.
    pub(super) missing: Vec<[String; 2]>,
    /// What is sent, by where it stands.
    pub(super) messages: Vec<Message>,
    /// What else is worth knowing.
    pub(super) notes: Vec<String>,
    /// Why nothing of it is sent.
    pub(super) obstacles: Vec<String>,
}

/// One document that the application gets.
pub(super) struct Message {
    pub(super) title: &'static str,
    /// Name, value and where the value comes from.
    pub(super) parts: Vec<[String; 3]>,
}

/// What an application would be told of somebody.
pub(super) fn answer(
    application: Application<'_>,
    asked: &Explain,
    (issuer, host): (&Issuer, &str),
    person: &Person,
) -> Answer {
    let case = Case {
        asked,
        host,
        issuer,
        person,
        profile: release::profile(person),
    };
    match application {
        Application::Cas(service) => cas::answer(service, &case),
        Application::Gate(site) => gate::answer(site, &case),
        Application::Oidc(client) => openid::answer(client, &case),
        Application::Saml(saml) => saml::answer(saml, &case),
    }
}

impl Explain {
    /// The same question, asked by another command.
    pub(super) fn about(
        (application, person): (&str, &str),
        scope: Option<String>,
        path: String,
    ) -> Self {
        Self {
            application: application.to_owned(),
            person: person.to_owned(),
            scope,
            path,
        }
    }

    pub(super) async fn run(self, here: &Installation) -> Outcome {
        let file = here.applications().await?;
        let application = Application::find(&file, &self.application)?;
        let account = here.account(&self.person).await?;
        let issuer = Issuer::parse(&here.config.public_url.origin().ascii_serialization());
        let issuer = issuer.doing(|| "reading `public_url`".to_owned())?;
        let host = here.config.public_url.host_str().unwrap_or_default();
        let mut answer = answer(application, &self, (&issuer, host), &account.person);
        let minimum = application.minimum(&self.path);
        let ways = Ways::of(here, &account.person, minimum).await?;
        answer.obstacles.splice(0..0, common(application, &account));
        if !ways.lead_in() {
            let sentence = "the policy lets them in nowhere with what the application demands";
            answer.obstacles.push(sentence.to_owned());
        }
        head(application, &account.person);
        answer.show_obstacles();
        for note in &answer.notes {
            print::line(format_args!("\nnote: {note}"));
        }
        print::line(format_args!("\n{}", worth(application, minimum)));
        print::line(format_args!("\n{}", ways.table()));
        answer.show();
        Ok(Exit::Done)
    }
}

/// What keeps anybody from any application.
fn common(application: Application<'_>, account: &Account) -> Vec<String> {
    let mut obstacles = Vec::new();
    if !application.enabled() {
        obstacles
            .push("the application is not enabled: it is refused as if it were unknown".to_owned());
    }
    if account.person.disabled {
        obstacles.push("they are switched off: every sign-in is refused".to_owned());
    }
    if account.password.is_none() {
        obstacles.push("they have not activated their account: they cannot sign in".to_owned());
    }
    obstacles
}

fn head(application: Application<'_>, person: &Person) {
    let mut table = Table::default();
    let (id, name) = (application.id(), &application.name().en);
    table.pair(
        "application",
        format_args!("{id} ({name}), {}", application.speaks()),
    );
    let (first, last) = (&person.first_name, &person.last_name);
    table.pair(
        "person",
        format_args!(
            "{} ({first} {last}), {}",
            person.username,
            role(person.role)
        ),
    );
    print::line(table);
}

/// What is said of a sign-in, by what was proven.
fn worth(application: Application<'_>, minimum: Level) -> Table {
    let said = match application {
        Application::Saml(_) => "class",
        _ => "acr",
    };
    let mut table = Table::new(["proven", said, "amr", "the application demands"]);
    let proofs = [
        ("a password", None),
        ("and a code by SMS", Some(Method::Sms)),
        ("and a code of app or token", Some(Method::App)),
    ];
    for (proven, factor) in proofs {
        let assurance = Assurance::of(factor);
        let said = match application {
            Application::Saml(_) => context::earned(release::level(assurance)),
            _ => release::acr(assurance),
        };
        let says_amr = match application {
            Application::Oidc(_) => true,
            Application::Saml(told) => told.attributes.contains(&Released::Methods),
            _ => false,
        };
        let amr = match says_amr {
            true => amr(factor).join(" "),
            false => "not said".to_owned(),
        };
        let verdict = match assurance >= release::assurance(minimum) {
            true => format!("{}: enough", word(minimum)),
            false => format!("{}: not enough", word(minimum)),
        };
        table.row([proven.to_owned(), said.to_owned(), amr, verdict]);
    }
    table
}

/// How the policy leads somebody to an application, by where they are.
pub(super) struct Ways(Vec<(Vec<String>, Verdict, String)>);

impl Ways {
    pub(super) async fn of(
        here: &Installation,
        person: &Person,
        minimum: Level,
    ) -> Result<Self, Failure> {
        let (policy, zones) = (here.policy().await?, here.zones().await?);
        let demand = release::assurance(minimum);
        let public = ("public".to_owned(), Place::Public);
        let places = zones.iter().map(|zone| (zone.id.to_string(), inside(zone)));
        let mut ways: Vec<(Vec<String>, Verdict, String)> = Vec::new();
        for (name, place) in std::iter::once(public).chain(places) {
            let (verdict, rule) = policy.decide(&Facts::of(person, &place, &place, demand));
            match ways
                .iter_mut()
                .find(|way| way.1 == verdict && way.2 == rule)
            {
                Some((names, ..)) => names.push(name),
                None => ways.push((vec![name], verdict, rule.to_owned())),
            }
        }
        Ok(Self(ways))
    }

    /// Each way: from where, what the policy decides, and by which rule.
    pub(super) fn all(&self) -> &[(Vec<String>, Verdict, String)] {
        &self.0
    }

    pub(super) fn lead_in(&self) -> bool {
        let open = [Verdict::AskFactor, Verdict::AskSmsThenEnrol, Verdict::LetIn];
        self.0.iter().any(|(_, verdict, _)| open.contains(verdict))
    }

    fn table(&self) -> Table {
        let mut table = Table::new(["where they are", "after the password", "by the rule"]);
        for (names, verdict, rule) in &self.0 {
            let shown: Vec<&str> = names.iter().take(ZONES_SHOWN).map(String::as_str).collect();
            let names = match names.len().saturating_sub(ZONES_SHOWN) {
                0 => shown.join(" "),
                more => format!("{} and {more} more", shown.join(" ")),
            };
            table.row([names, say(*verdict).to_owned(), rule.clone()]);
        }
        table
    }
}

impl Answer {
    fn show_obstacles(&self) {
        if self.obstacles.is_empty() {
            return;
        }
        print::line("\nnothing is sent:");
        for obstacle in &self.obstacles {
            print::line(format_args!("  {obstacle}"));
        }
        print::line("otherwise it would be what follows");
    }

    fn show(self) {
        for message in self.messages {
            let mut table = Table::new([message.title, "", "from"]);
            message.parts.into_iter().for_each(|part| table.row(part));
            print::line(format_args!("\n{table}"));
        }
        if !self.missing.is_empty() {
            let mut table = Table::new(["not sent", "because"]);
            self.missing.into_iter().for_each(|part| table.row(part));
            print::line(format_args!("\n{table}"));
        }
    }
}
