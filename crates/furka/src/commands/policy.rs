//! `furka policy`: what the policy decides, and by which rule.

use clap::{Subcommand, ValueEnum};
use journey::{
    Assurance, Facts, Method, Place, Policy, Role, Verdict,
    policy::RecoveryCodes,
    zone::{Enrolment, SecondFactor, Zone},
};

use crate::{
    failure::{Exit, Failure, Outcome},
    installation::Installation,
    print::{self, Table},
};

/// What can be asked about the policy.
#[derive(Subcommand)]
pub(crate) enum PolicyCommand {
    /// Shows the rules and what they decide: for everybody, or for somebody somewhere.
    #[command(after_help = "\
Examples:
  furka policy explain                                        all cases
  furka policy explain --person anna.rey                      at home, for every demand
  furka policy explain --person anna.rey --place school-brig --demand strong")]
    Explain {
        /// Somebody's user name.
        #[arg(long, value_name = "NAME")]
        person: Option<String>,
        /// Where they are: the id of a zone, or `public`.
        #[arg(
            long,
            value_name = "ZONE",
            default_value = "public",
            requires = "person"
        )]
        place: String,
        /// What the application asks for.
        #[arg(long, value_enum, requires = "person")]
        demand: Option<Demand>,
    },
}

/// What an application may ask for.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Demand {
    /// A password.
    Password,
    /// A badge and PIN, or a teacher's word.
    Vouched,
    /// Two factors.
    Strong,
    /// A passkey.
    PhishingResistant,
}

impl Demand {
    pub(crate) fn assurance(self) -> Assurance {
        match self {
            Self::Password => Assurance::Password,
            Self::Vouched => Assurance::Vouched,
            Self::Strong => Assurance::Strong,
            Self::PhishingResistant => Assurance::PhishingResistant,
        }
    }
}

impl PolicyCommand {
    pub(crate) async fn run(
        self,
        open: impl AsyncFnOnce() -> Result<Installation, Failure>,
    ) -> Outcome {
        let here = open().await?;
        let policy = here.policy().await?;
        let Self::Explain {
            person,
            place,
            demand,
        } = self;
        match person {
            None => all(&policy),
            Some(name) => {
                let place = placed(&here, &place).await?;
                let person = here.account(&name).await?.person;
                let demands = demand.map_or(Assurance::ALL.to_vec(), |one| vec![one.assurance()]);
                let facts = demands
                    .into_iter()
                    .map(|demand| Facts::of(&person, &place, &place, demand));
                somebody(&policy, &facts.collect::<Vec<_>>());
            }
        }
        Ok(Exit::Done)
    }
}

/// A place by the name of its zone.
async fn placed(here: &Installation, name: &str) -> Result<Place, Failure> {
    if name == "public" {
        return Ok(Place::Public);
    }
    let zones = here.zones().await?;
    let Some(zone) = zones.get(name) else {
        return Err(Failure::new(format!("there is no zone `{name}`"))
            .cure("`furka zone list` names them; everywhere else is `public`"));
    };
    Ok(inside(zone))
}

/// The place of somebody in a zone.
pub(crate) fn inside(zone: &Zone) -> Place {
    Place::Inside(journey::zone::Inside {
        refuses_enrolment: zone.enrolment == Enrolment::Refused,
        waives_second_factor: zone.second_factor == SecondFactor::NotAsked,
        zone: zone.id.clone(),
    })
}

fn somebody(policy: &Policy, cases: &[Facts]) {
    if let Some(facts) = cases.first() {
        let mut table = Table::default();
        table.pair("role", role(facts.role));
        table.pair("method", method(facts));
        table.pair(
            "number",
            if facts.phone {
                "fixed at activation"
            } else {
                "none"
            },
        );
        table.pair("second factor here", second_factor(facts));
        table.pair("enrolment here", enrolment(facts));
        print::line(table);
        print::line("");
    }
    let mut table = Table::new(["the application asks for", "what follows", "by the rule"]);
    for facts in cases {
        let (verdict, rule) = policy.decide(facts);
        table.row([
            demand(facts.demand).to_owned(),
            say(verdict).to_owned(),
            rule.to_owned(),
        ]);
    }
    print::line(table);
}

fn all(policy: &Policy) {
    print::line(format_args!(
        "preset {}; the first rule that fits decides:",
        policy.preset
    ));
    for (at, rule) in policy.rules.iter().enumerate() {
        print::line(format_args!(
            "{:3}. {} \u{2192} {}",
            at + 1,
            rule.name,
            say(rule.then)
        ));
    }
    print::line(match policy.recovery_codes {
        RecoveryCodes::Off => "recovery codes: none are made or taken",
        RecoveryCodes::Offered => {
            "recovery codes: whoever has a factor may keep eight, each stands for it once"
        }
    });
    print::line("\nwhat follows, for an application that asks for \u{2026}");
    let mut table = Table::new([
        "second factor",
        "enrolment",
        "method",
        "number",
        "password",
        "vouched",
        "strong",
        "phishing-resistant",
        "for",
    ]);
    for (cells, roles) in grouped(policy) {
        let [second_factor, enrolment, method, number, rest @ ..] = cells;
        let [password, vouched, strong, resistant] = rest;
        table.row([
            second_factor,
            enrolment,
            method,
            number,
            password,
            vouched,
            strong,
            resistant,
            roles,
        ]);
    }
    print::line(table);
}

/// Every case that can occur, one row for all roles that are treated alike.
fn grouped(policy: &Policy) -> Vec<([String; 8], String)> {
    let mut rows: Vec<([String; 8], Vec<Role>)> = Vec::new();
    for facts in Facts::all().filter(|facts| facts.demand == Assurance::Password) {
        let verdicts = Assurance::ALL.map(|demand| policy.decide(&Facts { demand, ..facts }).0);
        let [password, vouched, strong, resistant] =
            verdicts.map(|verdict| short(verdict).to_owned());
        let number = if facts.phone { "yes" } else { "no" }.to_owned();
        let (second_factor, enrolment) = (second_factor(&facts), enrolment(&facts));
        let cells = [
            second_factor.to_owned(),
            enrolment.to_owned(),
            method(&facts),
            number,
            password,
            vouched,
            strong,
            resistant,
        ];
        match rows.iter_mut().find(|(known, _)| *known == cells) {
            Some((_, roles)) => roles.push(facts.role),
            None => rows.push((cells, vec![facts.role])),
        }
    }
    let said = |roles: Vec<Role>| match roles.len() {
        4 => "everybody".to_owned(),
        _ => roles.into_iter().map(role).collect::<Vec<_>>().join(" "),
    };
    rows.into_iter()
        .map(|(cells, roles)| (cells, said(roles)))
        .collect()
}

/// What a verdict means, for cells of a table.
pub(crate) fn say(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::AskFactor => "their method is asked for",
        Verdict::AskSmsThenEnrol => "SMS, then enrolment",
        Verdict::LetIn => "let in",
        Verdict::RefuseEnrolHere => "refused: enrol elsewhere",
        Verdict::RefuseNoBinding => "refused: nothing to bind with",
        Verdict::RefuseTooWeak => "refused: too weak",
    }
}

/// The same for cells.
fn short(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::AskFactor => "ask factor",
        Verdict::AskSmsThenEnrol => "sms, enrol",
        Verdict::LetIn => "let in",
        Verdict::RefuseEnrolHere => "not here",
        Verdict::RefuseNoBinding => "no binding",
        Verdict::RefuseTooWeak => "too weak",
    }
}

fn demand(demand: Assurance) -> &'static str {
    match demand {
        Assurance::Password => "password",
        Assurance::Vouched => "vouched",
        Assurance::Strong => "strong",
        Assurance::PhishingResistant => "phishing-resistant",
    }
}

/// The method and whether it is bound.
fn method(facts: &Facts) -> String {
    let method = match facts.method {
        None => return "none".to_owned(),
        Some(Method::App) => "app",
        Some(Method::Sms) => "sms",
        Some(Method::Token) => "token",
    };
    format!(
        "{method}, {}",
        if facts.enrolled { "bound" } else { "not bound" }
    )
}

fn second_factor(facts: &Facts) -> &'static str {
    match facts.second_factor {
        SecondFactor::Asked => "asked",
        SecondFactor::NotAsked => "not asked",
    }
}

fn enrolment(facts: &Facts) -> &'static str {
    match facts.enrolment {
        Enrolment::Allowed => "allowed",
        Enrolment::Refused => "refused",
    }
}

/// A role as it stands in files.
pub(crate) fn role(role: Role) -> &'static str {
    match role {
        Role::Admin => "admin",
        Role::Pupil => "pupil",
        Role::Staff => "staff",
        Role::Teacher => "teacher",
    }
}
