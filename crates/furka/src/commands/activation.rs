//! `furka activation`: people receive the code that activates their identity.

use clap::{Args, Subcommand};
use journey::{ActivationId, PersonId, Secret, activation::CODE_BY_MAIL_S};
use server::activation_code;
use store::{Account, Cohort, Message, NewActivation};

use crate::{
    commands::person::Progress,
    failure::{Exit, Failure, Outcome},
    installation::{Installation, draw},
    print,
};

/// How many people are read at once.
const PAGE: u32 = 500;

/// What can be done with activations.
#[derive(Subcommand)]
pub(crate) enum ActivationCommand {
    /// Sends somebody, a school, or everybody who is not activated a code by mail. It works once, for
    /// 24 hours; a code sent before ends with it.
    Send(Send),
}

/// To whom.
#[derive(Args)]
#[command(after_help = "\
Examples:
  furka activation send anna.rey
  furka activation send --school Brig
  furka activation send --all-not-activated

The messages leave while `furka serve` runs. Who has a code that still works
gets no second one unless named, or with --again.")]
#[command(group = clap::ArgGroup::new("whom").required(true).args(["name", "school", "all_not_activated"]))]
pub(crate) struct Send {
    /// A user name.
    name: Option<String>,
    /// Everybody of a school who is not activated.
    #[arg(long)]
    school: Option<String>,
    /// Everybody who is not activated.
    #[arg(long)]
    all_not_activated: bool,
    /// Also to those whose code still works.
    #[arg(long)]
    again: bool,
}

/// What sending to many came to.
#[derive(Default)]
pub(crate) struct Sent {
    pub(crate) sent: u64,
    pub(crate) waiting: u64,
}

impl ActivationCommand {
    pub(crate) async fn run(self, here: &Installation) -> Outcome {
        let Self::Send(send) = self;
        let cohort = match (send.name, send.school) {
            (Some(name), _) => return to_one(here, &name).await,
            (None, Some(school)) => Cohort::School(school),
            (None, None) => Cohort::NotActivated,
        };
        let progress = Progress::new("activation messages");
        let mut all = Sent::default();
        let mut after: Option<String> = None;
        let mut seen = false;
        loop {
            let people = here
                .store
                .people(cohort.clone(), after.as_deref(), PAGE)
                .await?;
            let Some(last) = people.last() else { break };
            after = Some(last.person.username.clone());
            seen = true;
            to_many(here, &people, send.again, &progress, &mut all).await?;
        }
        progress.end();
        if let (Cohort::School(school), false) = (&cohort, seen) {
            return Err(
                Failure::new(format!("nobody is at a school called `{school}`"))
                    .cure("write it as in the register; `furka person list` shows it"),
            );
        }
        say(&all);
        Ok(Exit::Done)
    }
}

/// To all of these who are not activated.
pub(crate) async fn to_many(
    here: &Installation,
    people: &[Account],
    again: bool,
    progress: &Progress,
    all: &mut Sent,
) -> Result<(), Failure> {
    for account in people {
        progress.one_more();
        if is_activated(account) || account.person.disabled {
            continue;
        }
        if !again && has_code(here, account).await? {
            all.waiting += 1;
            continue;
        }
        issue(here, account).await?;
        all.sent += 1;
    }
    Ok(())
}

pub(crate) fn say(all: &Sent) {
    let sent = print::count(all.sent, "activation message", "activation messages");
    print::line(format_args!(
        "{sent} in the outbox; the codes work for {} hours",
        CODE_BY_MAIL_S / 3600
    ));
    if all.waiting > 0 {
        let people = print::count(all.waiting, "person has", "people have");
        print::line(format_args!(
            "{people} a code that still works, and got no second one"
        ));
    }
}

async fn to_one(here: &Installation, name: &str) -> Outcome {
    let account = here.account(name).await?;
    let person = &account.person;
    if person.disabled {
        return Err(Failure::new(format!(
            "`{}` is switched off",
            person.username
        )));
    }
    if is_activated(&account) {
        let sentence = format!("`{}` is activated already", person.username);
        return Err(Failure::new(sentence).cure(format!(
            "whoever forgot their password gets a code by `furka person reset {} --password`",
            person.username
        )));
    }
    issue(here, &account).await?;
    say(&Sent {
        sent: 1,
        waiting: 0,
    });
    print::line(format_args!("to {}", person.mail));
    Ok(Exit::Done)
}

/// Who came with a password has still to choose a method.
fn is_activated(account: &Account) -> bool {
    account.password.is_some() && account.person.method.is_some()
}

async fn has_code(here: &Installation, account: &Account) -> Result<bool, Failure> {
    let now = here.now();
    let known = here.store.activations(account.person.id).await?;
    Ok(known
        .iter()
        .any(|activation| activation.used_at.is_none() && activation.until > now))
}

async fn issue(here: &Installation, account: &Account) -> Result<(), Failure> {
    let person = account.person.id;
    let by = store::By {
        person: Some(person),
        ..here.by("activation send")
    };
    let new = new_code(here, person, is_reset(account));
    Ok(here.store.issue_activation(&new, &by).await?)
}

/// Whether they were activated, and the desk has voided their password since.
pub(crate) fn is_reset(account: &Account) -> bool {
    account.password.is_none() && account.person.method.is_some() && account.era > 0
}

/// [O16] Random, for one person, and only its MAC is kept beside the sealed message. After a reset other words
/// come with it.
pub(crate) fn new_code(here: &Installation, person: PersonId, reset: bool) -> NewActivation {
    let until = here.now().plus(CODE_BY_MAIL_S);
    let drawn = activation_code::draw(&here.world);
    let Some(canonical) = activation_code::canonical(&drawn) else {
        unreachable!("what is drawn can be typed")
    };
    let code = Secret::new(drawn.into_bytes());
    NewActivation {
        id: ActivationId(draw(&here.world)),
        mac: activation_code::mac(&here.keys, person, &canonical),
        message: Some(match reset {
            false => Message::Activation { code, until },
            true => Message::NewPassword { code, until },
        }),
        person,
        until,
    }
}
