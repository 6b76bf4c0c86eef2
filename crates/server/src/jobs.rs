//! What runs in the background: the outbox, the look for a newer configuration and for other nodes, what federations
//! say, upkeep.
//!
//! Every node runs all of it; claims on messages expire, so there is no leader to lose.

use std::time::Duration;

use journey::{Notice, Timestamp};
use peers::News;
use store::{Message, Outcome, Outgoing, Participant};
use tokio::time::timeout;

use crate::{
    app::App,
    clock,
    failure::chain,
    federation,
    gate::logout::{self, Untold},
    nodes,
    page::{Mail, Texts},
};

/// How many messages one round takes.
const ROUND: u16 = 32;
/// After so long the next round begins: whoever answers slowly holds up no other message.
const ROUND_TIME: Duration = Duration::from_secs(2);
/// Nobody is waited for longer: a claim lasts a minute.
const ATTEMPT_TIME: Duration = Duration::from_secs(50);
/// Between two looks for a newer configuration: what another node or a command took back holds nowhere
/// after a second.
const LOOK: Duration = Duration::from_millis(250);
/// The first wait before a message is tried again, in seconds; it doubles.
const RETRY_S: i64 = 2;
/// The longest wait, in seconds.
const RETRY_MAX_S: i64 = 300;

/// Runs for ever.
pub(crate) async fn run(app: &App) {
    tokio::join!(
        outbox(app),
        configuration(app),
        upkeep(app),
        federation::run(app),
        nodes::run(app)
    );
}

async fn outbox(app: &App) {
    let mut tick = tokio::time::interval(Duration::from_millis(250));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        while deliver(app).await == usize::from(ROUND) {}
    }
}

async fn configuration(app: &App) {
    let mut tick = tokio::time::interval(LOOK);
    // Said once, not at every look.
    let mut said = String::new();
    loop {
        tick.tick().await;
        let wrong = match app.reload().await {
            Ok(true) => {
                tracing::info!("a newer configuration is in use");
                String::new()
            }
            Ok(false) => String::new(),
            Err(error) => chain(&error),
        };
        if !wrong.is_empty() && wrong != said {
            tracing::error!(
                why = wrong,
                "a newer configuration cannot be used; the one before stays"
            );
        }
        said = wrong;
    }
}

async fn upkeep(app: &App) {
    let mut tick = tokio::time::interval(Duration::from_secs(60));
    loop {
        tick.tick().await;
        let now = app.world.now();
        let tidied = match clock::is_apart(app).await {
            Ok(None) => app.store.tidy(now).await.map(drop),
            Ok(Some(ahead_s)) => {
                tracing::error!(ahead_s, "{}, so nothing is deleted", clock::APART);
                Ok(())
            }
            Err(error) => Err(error),
        };
        if let Err(error) = tidied {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "what is over could not be deleted");
        }
    }
}

/// One round of the outbox; how many messages were claimed.
pub(crate) async fn deliver(app: &App) -> usize {
    let due = match app.store.claim_messages(app.world.now(), ROUND).await {
        Ok(due) => due,
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "the outbox could not be read");
            return 0;
        }
    };
    let count = due.len();
    let mut sends = tokio::task::JoinSet::new();
    for message in due {
        let app = app.clone();
        sends.spawn(async move { send(&app, message).await });
    }
    let all = async { while sends.join_next().await.is_some() {} };
    if timeout(ROUND_TIME, all).await.is_err() {
        sends.detach_all();
    }
    count
}

async fn send(app: &App, outgoing: Outgoing) {
    let now = app.world.now();
    let outcome = if now >= outgoing.until {
        Outcome::Refused("its time was over before a gateway took it".to_owned())
    } else {
        let attempted = timeout(ATTEMPT_TIME, attempt(app, &outgoing, now)).await;
        attempted.unwrap_or_else(|late| Outcome::Retry(now.plus(RETRY_S), late.to_string()))
    };
    match &outcome {
        Outcome::Sent => {
            app.metrics.messages_sent.inc();
        }
        Outcome::Refused(why) | Outcome::Retry(_, why) => {
            app.metrics.messages_failed.inc();
            tracing::warn!(
                message = outgoing.id.0,
                attempt = outgoing.attempts,
                why,
                "a message was not taken"
            );
        }
    };
    if let Err(error) = app.store.settle_message(outgoing.id, &outcome, now).await {
        let error: &dyn std::error::Error = &error;
        tracing::error!(error, "what became of a message could not be written down");
    }
}

async fn attempt(app: &App, outgoing: &Outgoing, now: Timestamp) -> Outcome {
    let catalogue = app.catalogue.load_full();
    let (sms, mail, applications) = &catalogue.senders;
    let letter = match write(app, outgoing) {
        Ok(letter) => letter,
        // There is nothing to send.
        Err(Untold::InTheBrowser) => return Outcome::Sent,
        Err(untold) => return Outcome::Refused(chain(&untold)),
    };
    let sent = match letter {
        Letter::News(news) => applications.post(&news).await,
        Letter::Sms { to, text } => {
            let message = peers::Sms {
                id: outgoing.reference.clone(),
                to,
                text,
            };
            sms.send(&message).await
        }
        Letter::Mail { to, written } => {
            let message = peers::Mail {
                id: outgoing.reference.clone(),
                to,
                subject: written.subject,
                text: written.body,
            };
            mail.send(&message).await
        }
    };
    match sent {
        Ok(_) => Outcome::Sent,
        Err(error) if error.is_temporary() => {
            let doubled = RETRY_S.saturating_mul(2_i64.saturating_pow(outgoing.attempts));
            Outcome::Retry(
                now.plus(doubled.clamp(RETRY_S, RETRY_MAX_S)),
                error.to_string(),
            )
        }
        Err(error) => Outcome::Refused(error.to_string()),
    }
}

enum Letter {
    News(News),
    Mail { to: String, written: Mail },
    Sms { to: String, text: String },
}

/// The words are found when a message is sent: in the language the person has now.
fn write(app: &App, outgoing: &Outgoing) -> Result<Letter, Untold> {
    let person = &outgoing.person;
    let texts = Texts {
        language: person.language,
        institution: app.settings.institution.say(person.language),
        support: &app.settings.support,
    };
    let text = |secret: &journey::Secret| String::from_utf8_lossy(secret.expose()).into_owned();
    let written = match &outgoing.message {
        Message::SmsCode { digits, to } => {
            let text = texts.sms_code(&text(digits), app.settings.host());
            return Ok(Letter::Sms {
                to: to.as_str().to_owned(),
                text,
            });
        }
        Message::SignedOut {
            application,
            session,
        } => {
            let participant = Participant {
                application: application.clone(),
                session: *session,
            };
            return logout::news(app, &participant, person.id).map(Letter::News);
        }
        Message::Activation { code, until } => {
            let link = format!("{}/activate", app.settings.origin());
            texts.activation(&person.username, &text(code), &link, *until)
        }
        Message::NewPassword { code, until } => {
            let link = format!("{}/activate", app.settings.origin());
            texts.new_password(&person.username, &text(code), &link, *until)
        }
        Message::NumberReplaced { to } => {
            return Ok(Letter::Sms {
                to: to.as_str().to_owned(),
                text: texts.sms_new_number(),
            });
        }
        Message::Notice(notice) => told(&texts, notice),
    };
    Ok(Letter::Mail {
        to: person.mail.clone(),
        written,
    })
}

/// The mail of a notice.
fn told(texts: &Texts<'_>, notice: &Notice) -> Mail {
    match notice {
        Notice::Activated { at } => texts.activated(*at),
        Notice::CodeUsedTwice { at } => texts.code_used_twice(*at),
        Notice::FactorBound { at, method } => texts.factor_bound(*method, *at),
        Notice::FactorReset { at } => texts.factor_reset(*at),
        Notice::NumberReplaced { at, masked } => texts.new_number(masked, *at),
        Notice::PasswordChanged { at } => texts.password_changed(*at),
        Notice::RecoveryCodeUsed { at, left } => texts.recovery_code_used(*left, *at),
        Notice::RecoveryCodesMade { at } => texts.recovery_codes_made(*at),
        Notice::SecondFactorFailed { at } => texts.second_factor_failed(*at),
    }
}
