//! `furka person reset`: the desk helps somebody who lost their phone or forgot their password.

use clap::{ArgGroup, Args, ValueEnum};
use journey::{Method, Phone, activation::CODE_BY_MAIL_S};
use store::{Account, Begun, Rebinding};

use crate::{
    commands::{
        activation::{is_reset, new_code},
        apply::asked,
        policy::role,
        restore::user,
    },
    failure::{Doing, Exit, Failure, Outcome},
    installation::{Installation, draw},
    print::{self, Table},
};

/// The longest reason, in characters.
const REASON_MAX: usize = 200;

/// What is taken back, and from whom.
#[derive(Args)]
#[command(
    group = ArgGroup::new("what").required(true).multiple(true).args(["factor", "password", "method", "phone"]),
    after_help = "\
Make sure first that it is them: see them, or call the number that the register has.

Shows who it is, what goes and what ends, and asks. Then, at once and on every node, all
sessions, refresh tokens, sign-ins under way, links to go on elsewhere and known devices
of this person end. They are told by mail.

Exit codes: 0 done; 1 something is wrong; 2 the plan waits for a yes.

Examples:
  furka person reset anna.rey --factor --reason \"lost phone, same number\"
  furka person reset anna.rey --phone \"079 123 45 67\" --reason \"new number\"
  furka person reset anna.rey --method sms --reason \"broken smartphone\"
  furka person reset anna.rey --password --reason \"forgotten; came in person\""
)]
pub(crate) struct Reset {
    /// User name or alias.
    name: String,
    /// The app, the confirmed number or the token goes; the next sign-in outside sets it up anew.
    #[arg(long)]
    factor: bool,
    /// The password goes; a code by mail leads to another one. Method and number stay.
    #[arg(long)]
    password: bool,
    /// Another method takes the place of theirs; `ask`, with `--password`: they choose method and number
    /// again.
    #[arg(long, value_name = "METHOD")]
    method: Option<Chosen>,
    /// Another number takes the place of theirs.
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,
    /// Why: kept in the audit.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Without asking.
    #[arg(long)]
    yes: bool,
}

/// What somebody proves with from now on.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Chosen {
    /// An authenticator app.
    App,
    /// They are asked.
    Ask,
    /// A code by SMS.
    Sms,
    /// A hardware token.
    Token,
}

impl Chosen {
    fn method(self) -> Option<Method> {
        match self {
            Self::App => Some(Method::App),
            Self::Ask => None,
            Self::Sms => Some(Method::Sms),
            Self::Token => Some(Method::Token),
        }
    }
}

impl Reset {
    pub(crate) async fn run(self, here: &Installation) -> Outcome {
        let account = here.account(&self.name).await?;
        let reset = self.judge(here, &account)?;
        let begun = here.store.begun(account.person.id, here.now()).await?;
        print::line(plan(&account, &reset, begun));
        if !self.yes && !asked()? {
            print::line("nothing was changed; `--yes` does it");
            return Ok(Exit::PlanWaits);
        }
        let by = store::By {
            person: Some(account.person.id),
            ..here.by("person reset")
        };
        let Some(ended) = here.store.reset(&reset, &by).await? else {
            return Err(Failure::new(format!(
                "`{}` was switched off or reset meanwhile; nothing was changed, and `furka person show` tells how they stand",
                account.person.username
            )));
        };
        print::line(format_args!("done; ended: {}", ended_text(ended)));
        print::line(next(&account, &reset));
        Ok(Exit::Done)
    }

    /// What is to be done, if it can be.
    fn judge(&self, here: &Installation, account: &Account) -> Result<store::Reset, Failure> {
        let person = &account.person;
        let name = &person.username;
        if person.disabled {
            return Err(Failure::new(format!("`{name}` is switched off"))
                .cure(format!("`furka person enable {name}` first")));
        }
        let Some(before) = person
            .method
            .filter(|_| account.password.is_some() || is_reset(account))
        else {
            return Err(Failure::new(format!(
                "`{name}` is not activated yet: there is nothing to reset"
            ))
            .cure(format!("`furka activation send {name}`")));
        };
        if self.reason.trim().is_empty() || self.reason.chars().count() > REASON_MAX {
            return Err(Failure::new(format!(
                "a reason has 1 to {REASON_MAX} characters"
            )));
        }
        let password = self
            .password
            .then(|| new_code(here, person.id, self.method != Some(Chosen::Ask)));
        Ok(store::Reset {
            factor: self.factor(account, before)?,
            id: draw(&here.world),
            password,
            person: person.id,
            reason: self.reason.trim().to_owned(),
            user: user(),
        })
    }

    /// What is bound anew, if anything is.
    fn factor(&self, account: &Account, before: Method) -> Result<Option<Rebinding>, Failure> {
        if !self.factor && self.method.is_none() && self.phone.is_none() {
            return Ok(None);
        }
        let method = self.method.map_or(Some(before), Chosen::method);
        let phone = self.phone.as_deref().map(Phone::parse).transpose();
        let phone = phone.doing(|| "reading the number".to_owned())?;
        let name = &account.person.username;
        match method {
            None if !self.password => {
                Err(Failure::new("a method is chosen when a password is set")
                    .cure("add `--password`, or name a method"))
            }
            None if phone.is_some() => Err(Failure::new(
                "whoever chooses again gives their number themselves",
            )
            .cure("leave `--phone` out, or name a method")),
            Some(Method::Token) if phone.is_some() => Err(Failure::new("a token needs no number")
                .cure("leave `--phone` out, or name another method")),
            Some(Method::App | Method::Sms)
                if phone.is_none() && account.person.phone.is_none() =>
            {
                Err(Failure::new(format!("no number of `{name}` is known"))
                    .cure("give it with `--phone`: the first code goes there"))
            }
            method => Ok(Some(Rebinding { method, phone })),
        }
    }
}

/// Who, what goes, what ends, who is told.
fn plan(account: &Account, reset: &store::Reset, begun: Begun) -> Table {
    let person = &account.person;
    let mut table = Table::default();
    table.pair("person", &person.username);
    table.pair(
        "name",
        format_args!("{} {}", person.first_name, person.last_name),
    );
    table.pair(
        "is",
        format_args!(
            "{}, {}",
            role(person.role),
            person.school.as_deref().unwrap_or("no school")
        ),
    );
    if let Some(factor) = &reset.factor {
        table.pair("goes", bound(account));
        table.pair("then", then(account, factor));
    }
    if reset.password.is_some() {
        table.pair("goes", "the password");
        table.pair(
            "then",
            format_args!(
                "a code by mail to {}, for {} hours, leads to another one",
                person.mail,
                CODE_BY_MAIL_S / 3600
            ),
        );
    }
    table.pair("ends", ended_text(begun));
    table.pair("told", told(account, reset));
    table
}

/// What is bound now.
fn bound(account: &Account) -> String {
    let person = &account.person;
    let number = || {
        person
            .phone
            .as_ref()
            .map_or_else(|| "no number".to_owned(), Phone::masked)
    };
    match (person.method, person.enrolled()) {
        (Some(Method::App), true) => "the app".to_owned(),
        (Some(Method::App), false) => "nothing: no app is set up yet".to_owned(),
        (Some(Method::Token), true) => {
            let serial = person.token_serial.as_deref().unwrap_or_default();
            format!("the token {serial}; it is free again")
        }
        (Some(Method::Sms), true) => format!("the confirmation of {}", number()),
        _ => "nothing: nothing is bound yet".to_owned(),
    }
}

/// How it is bound anew.
fn then(account: &Account, factor: &Rebinding) -> String {
    let number = factor.phone.as_ref().or(account.person.phone.as_ref());
    let number = number.map(Phone::masked).unwrap_or_default();
    match factor.method {
        None => "they choose a method and give a number with the new password".to_owned(),
        Some(Method::App) => {
            format!("their next sign-in outside sends a code to {number}, then sets up an app")
        }
        Some(Method::Sms) => format!("their next sign-in outside confirms {number} by a code"),
        Some(Method::Token) => "they need a token".to_owned(),
    }
}

fn ended_text(begun: Begun) -> String {
    let counts = [
        (begun.sessions, "session", "sessions"),
        (begun.refresh_tokens, "refresh token", "refresh tokens"),
        (begun.journeys, "step under way", "steps under way"),
        (
            begun.resume_links,
            "link to go on elsewhere",
            "links to go on elsewhere",
        ),
    ];
    let some = counts.into_iter().filter(|(count, ..)| *count > 0);
    let some = some.map(|(count, one, many)| print::count(count, one, many));
    let some: Vec<_> = some.chain(["all known devices".to_owned()]).collect();
    some.join(", ")
}

fn told(account: &Account, reset: &store::Reset) -> String {
    let person = &account.person;
    let given = reset
        .factor
        .as_ref()
        .and_then(|factor| factor.phone.as_ref());
    let former = person.phone.as_ref();
    match former.filter(|former| given.is_some_and(|given| given != *former)) {
        Some(former) => format!("{} by mail, {} by SMS", person.mail, former.masked()),
        None => format!("{} by mail", person.mail),
    }
}

/// What the desk or the person does now.
fn next(account: &Account, reset: &store::Reset) -> String {
    let name = &account.person.username;
    let method = reset.factor.as_ref().and_then(|factor| factor.method);
    let kept = account.person.method != Some(Method::Token) && account.person.token.is_some();
    match (method, &reset.password) {
        (Some(Method::Token), _) if !kept => {
            format!("next: `furka token assign SERIAL {name}` gives them a token")
        }
        (_, Some(_)) => "next: they open the message and set a password".to_owned(),
        _ => "next: they sign in outside the school, and are led through it".to_owned(),
    }
}
