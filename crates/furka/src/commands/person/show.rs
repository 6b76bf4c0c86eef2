//! `furka person show` and `list`: what is known of people, without any secret.

use journey::{Method, Otp, OtpKind, Person};
use store::{Account, Cohort};

use crate::{
    commands::{activation::is_reset, policy::role},
    failure::{Exit, Outcome},
    installation::Installation,
    print::{self, Table},
};

/// How many people are read at once.
const PAGE: u32 = 500;

pub(crate) async fn one(here: &Installation, name: &str) -> Outcome {
    let account = here.account(name).await?;
    let person = &account.person;
    let now = here.now();
    let mut table = Table::default();
    table.pair("user name", &person.username);
    if !account.aliases.is_empty() {
        table.pair("also known as", account.aliases.join(", "));
    }
    table.pair(
        "name",
        format_args!("{} {}", person.first_name, person.last_name),
    );
    table.pair("role", role(person.role));
    table.pair("school", person.school.as_deref().unwrap_or("-"));
    table.pair("language", person.language);
    table.pair("mail", &person.mail);
    table.pair("id", person.id);
    if person.disabled {
        table.pair("state", "switched off: every sign-in is refused");
    }
    table.pair("activation", activation(here, &account).await?);
    table.pair("method", method(person));
    let phone = match (&person.phone, person.phone_confirmed) {
        (None, _) => "none".to_owned(),
        (Some(phone), true) => format!("{}, confirmed", phone.masked()),
        (Some(phone), false) => format!("{}, not confirmed", phone.masked()),
    };
    table.pair("number", phone);
    table.pair("app", person.app.as_ref().map_or("none".to_owned(), otp));
    let serial = person.token_serial.as_deref().unwrap_or_default();
    let token = person
        .token
        .as_ref()
        .map(|token| format!("{serial}, {}", otp(token)));
    table.pair("token", token.unwrap_or_else(|| "none".to_owned()));
    print::line(table);
    let sessions = here.store.sessions(person.id, now).await?;
    if sessions.is_empty() {
        print::line("\nno sessions");
        return Ok(Exit::Done);
    }
    print::line("");
    let mut table = Table::new(["session since", "last used", "made at", "proven by"]);
    for session in sessions {
        let proof = format!("{:?}", session.proof.assurance()).to_lowercase();
        let place = session.place.id().to_owned();
        table.row([
            session.created.to_string(),
            session.seen.to_string(),
            place,
            proof,
        ]);
    }
    print::line(table);
    Ok(Exit::Done)
}

pub(crate) async fn list(
    here: &Installation,
    school: Option<String>,
    not_activated: bool,
) -> Outcome {
    let cohort = match (school, not_activated) {
        (Some(school), _) => Cohort::School(school),
        (None, true) => Cohort::NotActivated,
        (None, false) => Cohort::All,
    };
    let mut table = Table::new(["user name", "name", "role", "school", "method", "state"]);
    let mut after: Option<String> = None;
    let mut count = 0_u64;
    loop {
        let people = here
            .store
            .people(cohort.clone(), after.as_deref(), PAGE)
            .await?;
        let Some(last) = people.last() else { break };
        after = Some(last.person.username.clone());
        for account in people {
            count += 1;
            let state = state(&account).to_owned();
            let person = account.person;
            let method = short(person.method).to_owned();
            let name = format!("{} {}", person.first_name, person.last_name);
            let school = person.school.unwrap_or_else(|| "-".to_owned());
            table.row([
                person.username,
                name,
                role(person.role).to_owned(),
                school,
                method,
                state,
            ]);
        }
    }
    print::line(table);
    print::aside(print::count(count, "person", "people"));
    Ok(Exit::Done)
}

fn state(account: &Account) -> &'static str {
    match (
        account.person.disabled,
        account.password.is_some(),
        account.person.enrolled(),
    ) {
        _ if is_reset(account) && !account.person.disabled => "password reset",
        (true, _, _) => "switched off",
        (false, false, _) => "not activated",
        (false, true, false) => "activated",
        (false, true, true) => "enrolled",
    }
}

async fn activation(here: &Installation, account: &Account) -> Result<String, store::StoreError> {
    let known = here.store.activations(account.person.id).await?;
    let password = match account.password {
        Some(_) => "activated",
        None if is_reset(account) => "password reset",
        None => "not activated",
    };
    let Some(last) = known.first() else {
        return Ok(format!("{password}; no code was sent"));
    };
    let until = last.until;
    Ok(match last.used_at {
        Some(used) => format!("{password}; the code was used {used}"),
        None if until > here.now() => format!("{password}; a code works until {until}"),
        None => format!("{password}; the code expired {until}"),
    })
}

fn short(method: Option<Method>) -> &'static str {
    match method {
        None => "-",
        Some(Method::App) => "app",
        Some(Method::Sms) => "sms",
        Some(Method::Token) => "token",
    }
}

fn method(person: &Person) -> String {
    let bound = if person.enrolled() {
        "bound"
    } else {
        "not bound yet"
    };
    match person.method {
        None => "none chosen yet".to_owned(),
        method => format!("{}, {bound}", short(method)),
    }
}

/// What may be told of a generator: never its seed.
fn otp(otp: &Otp) -> String {
    let kind = match otp.kind {
        OtpKind::Hotp => "HOTP".to_owned(),
        OtpKind::Totp { period_s } => format!("TOTP {period_s} s"),
    };
    let used = match (otp.last_counter, otp.kind) {
        (None, _) => "never used".to_owned(),
        (Some(last), OtpKind::Hotp) => format!("counter {last} used last"),
        (Some(last), OtpKind::Totp { period_s }) => {
            let at = last.saturating_mul(u64::from(period_s));
            format!(
                "used last {}",
                journey::Timestamp(i64::try_from(at).unwrap_or(i64::MAX))
            )
        }
    };
    format!(
        "{kind}, {} digits, drift {} steps, {used}",
        otp.digits, otp.drift
    )
}
