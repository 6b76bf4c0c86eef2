//! What may be used once, and how it is used three times.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use driver::{Answer, Browser, otp};
use tokio::{sync::Barrier, task::JoinSet};

use super::{Arena, RACERS};
use crate::{
    Trouble,
    canton::{HOME, Part, SCHOOL},
    walk::{enters, journey_in, patiently},
};

/// Where recovery codes are made.
const SHEET: &str = "/account/recovery-codes";
/// A password of the cantonal rules.
const NEW_PASSWORD: &str = "Marmotte-2026-Furka";

/// Something that works once.
#[derive(Clone, Copy, Debug)]
pub(super) enum Thing {
    ActivationCode,
    AuthorizationCode,
    HotpCounter,
    RecoveryCode,
    RefreshToken,
    ResumeLink,
    TotpStep,
}

/// All that exist so far.
pub(super) const THINGS: [Thing; 7] = [
    Thing::AuthorizationCode,
    Thing::TotpStep,
    Thing::HotpCounter,
    Thing::ActivationCode,
    Thing::ResumeLink,
    Thing::RecoveryCode,
    Thing::RefreshToken,
];

/// Who is ready to use it, and how.
type Runners = Vec<(Browser, Move)>;

/// The one request that uses it.
#[derive(Clone, Debug)]
enum Move {
    /// Redeems an authorization code.
    Redeem(driver::Asked, String),
    /// Renews with a refresh token.
    Renew(String),
    /// Sends a form.
    Send(String, Vec<(&'static str, String)>),
}

impl Thing {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::ActivationCode => "activation code",
            Self::AuthorizationCode => "authorization code",
            Self::HotpCounter => "HOTP counter",
            Self::RecoveryCode => "recovery code",
            Self::RefreshToken => "refresh token",
            Self::ResumeLink => "resume link",
            Self::TotpStep => "TOTP step",
        }
    }

    /// One round; who won.
    pub(super) async fn round(
        self,
        arena: &Arena,
        number: usize,
    ) -> Result<[bool; RACERS], Trouble> {
        let runners = match self {
            Self::ActivationCode => newcomers(arena, number).await?,
            Self::AuthorizationCode => applications(arena, number).await?,
            Self::HotpCounter => {
                let code = otp::code(&arena.canton.token(Part::Counter, number), 0);
                holders(arena, (Part::Counter, number), || code.clone()).await?
            }
            Self::RecoveryCode => keepers(arena, number).await?,
            Self::RefreshToken => return renewals(arena, number).await,
            Self::ResumeLink => finders(arena, number).await?,
            Self::TotpStep => {
                let seed = arena.canton.token(Part::Clock, number);
                holders(arena, (Part::Clock, number), || otp::code(&seed, step())).await?
            }
        };
        let mut won = [false; RACERS];
        for (lane, mut browser, answer) in at_once(runners).await? {
            if let Some(won) = won.get_mut(lane) {
                *won = self.is_won(&mut browser, &answer?).await?;
            }
        }
        Ok(won)
    }

    /// Whether an answer says yes; an answer that says neither is trouble.
    async fn is_won(self, browser: &mut Browser, answer: &Answer) -> Result<bool, Trouble> {
        let way = answer.headers("location").next().unwrap_or_default();
        match (self, answer.status) {
            (Self::AuthorizationCode, 200) => Ok(true),
            (Self::AuthorizationCode, 400) if answer.body.contains("invalid_grant") => Ok(false),
            (Self::HotpCounter | Self::TotpStep, 303) if way.starts_with("/login/") => Ok(false),
            (Self::HotpCounter | Self::TotpStep, 303) => {
                Ok(browser.code_in(answer).map(|_| true)?)
            }
            (Self::RecoveryCode, 303) => {
                // Right or not, the page of the journey says it.
                let page = browser.get(way).await?;
                match page.status {
                    200 => Ok(true),
                    422 => Ok(false),
                    _ => Err(page.unexpected("what became of a recovery code").into()),
                }
            }
            (Self::ResumeLink, 303) if way.starts_with("/login/") => Ok(true),
            (Self::ResumeLink | Self::ActivationCode, 410) => Ok(false),
            (Self::ActivationCode, 303) => {
                // Winner or not, the page of the journey says it.
                let page = browser.get(way).await?;
                match page.status {
                    200 => Ok(true),
                    410 | 422 => Ok(false),
                    _ => Err(page.unexpected("the end of an activation").into()),
                }
            }
            _ => Err(answer.unexpected("a yes or a no").into()),
        }
    }
}

/// The current step of a clock.
fn step() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a token's clock is the real one")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or(Duration::ZERO).as_secs() / otp::STEP_S
}

/// Lets all go at the same moment; what each was answered.
async fn at_once(
    runners: Runners,
) -> Result<Vec<(usize, Browser, Result<Answer, driver::Trouble>)>, Trouble> {
    let line = Arc::new(Barrier::new(runners.len()));
    let mut running = JoinSet::new();
    for (lane, (mut browser, what)) in runners.into_iter().enumerate() {
        let line = Arc::clone(&line);
        running.spawn(async move {
            line.wait().await;
            let answer = match &what {
                Move::Redeem(asked, code) => browser.redeem(asked, code).await,
                Move::Renew(token) => browser.renew(token).await,
                Move::Send(path, fields) => {
                    let fields: Vec<_> = fields
                        .iter()
                        .map(|(name, value)| (*name, value.as_str()))
                        .collect();
                    browser.post(path, &fields).await
                }
            };
            (lane, browser, answer)
        });
    }
    let mut answers = Vec::new();
    while let Some(answer) = running.join_next().await {
        answers.push(answer?);
    }
    Ok(answers)
}

/// Three servers of the application with the same code.
async fn applications(arena: &Arena, number: usize) -> Result<Runners, Trouble> {
    let mut browser = Browser::new(arena.portal(number), SCHOOL);
    let name = Part::Pupil.name(number);
    let (asked, answer) = enters(&mut browser, &name).await?;
    let code = browser.code_in(&answer)?;
    let mut runners = Runners::new();
    for lane in 0..RACERS {
        let mut server = Browser::new(arena.portal(lane), SCHOOL);
        server.get("/health/live").await?;
        runners.push((server, Move::Redeem(asked.clone(), code.clone())));
    }
    Ok(runners)
}

/// Three browsers of somebody with a token, each at the page that asks for its code.
async fn holders(
    arena: &Arena,
    (part, number): (Part, usize),
    code: impl Fn() -> String,
) -> Result<Runners, Trouble> {
    let name = part.name(number);
    let mut ready = Vec::new();
    for lane in 0..RACERS {
        let mut browser = Browser::new(arena.portal(lane), HOME);
        let (_, answer) = enters(&mut browser, &name).await?;
        ready.push((browser, journey_in(&answer)?));
    }
    // Drawn once, when all are ready: the same code for all.
    let code = code();
    let send = |path| Move::Send(path, vec![("code", code.clone())]);
    let runners = ready.into_iter();
    Ok(runners
        .map(|(browser, path)| (browser, send(path)))
        .collect())
}

/// Three browsers of somebody who kept a code, each at the page that asks for it.
async fn keepers(arena: &Arena, number: usize) -> Result<Runners, Trouble> {
    let name = Part::Counter.name(number);
    let mut browser = Browser::new(arena.portal(number), HOME);
    let (_, answer) = enters(&mut browser, &name).await?;
    // The counter before this one was raced.
    let shown = otp::code(&arena.canton.token(Part::Counter, number), 1);
    let answer = browser
        .post(&journey_in(&answer)?, &[("code", &shown)])
        .await?;
    browser.code_in(&answer)?;
    let sheet = browser.post(SHEET, &[("set", "")]).await?;
    let code = sheet.between("<li><code>", "<").map(str::to_owned);
    let code = code.ok_or_else(|| sheet.unexpected("a sheet of recovery codes"))?;
    let mut runners = Runners::new();
    for lane in 0..RACERS {
        let mut browser = Browser::new(arena.portal(lane), HOME);
        let (_, answer) = enters(&mut browser, &name).await?;
        let path = journey_in(&answer)?;
        let lost = browser.post(&path, &[("action", "lost")]).await?;
        journey_in(&lost)?;
        let types = vec![("recovery_code", code.clone())];
        runners.push((browser, Move::Send(path, types)));
    }
    Ok(runners)
}

/// Three servers of an application with the same refresh token. The answer of one may have been lost, so two
/// hear the one successor; the third is a theft, and ends it. What must not be is a line beside the first: it
/// would count as a second winner.
async fn renewals(arena: &Arena, number: usize) -> Result<[bool; RACERS], Trouble> {
    let mut browser = Browser::new(arena.renewing(number), SCHOOL);
    let (asked, answer) = enters(&mut browser, &Part::Pupil.name(number)).await?;
    let code = browser.code_in(&answer)?;
    let first = refresh_token_in(&browser.redeem(&asked, &code).await?)?;
    let mut runners = Runners::new();
    for lane in 0..RACERS {
        let mut server = Browser::new(arena.renewing(lane), SCHOOL);
        server.get("/health/live").await?;
        runners.push((server, Move::Renew(first.clone())));
    }
    let mut successors = Vec::new();
    for (_, server, answer) in at_once(runners).await? {
        let answer = answer?;
        match answer.status {
            200 => successors.push((server, refresh_token_in(&answer)?)),
            400 if answer.body.contains("invalid_grant") => {}
            _ => return Err(answer.unexpected("a yes or a no").into()),
        }
    }
    let mut lines = 0;
    for (server, token) in &mut successors {
        let answer = server.renew(token).await?;
        match answer.status {
            200 => lines += 1,
            400 if answer.body.contains("invalid_grant") => {}
            _ => return Err(answer.unexpected("a yes or a no").into()),
        }
    }
    let is_one = matches!(successors.len(), 1 | 2);
    Ok([is_one, lines > 0, successors.len() > 2])
}

fn refresh_token_in(answer: &Answer) -> Result<String, Trouble> {
    let token = answer.between("\"refresh_token\":\"", "\"");
    let token = token.filter(|_| answer.status == 200).map(str::to_owned);
    token.ok_or_else(|| answer.unexpected("a refresh token").into())
}

/// Three browsers that have found the same link, each at the page with its button.
async fn finders(arena: &Arena, number: usize) -> Result<Runners, Trouble> {
    let mut browser = Browser::new(arena.strict(number), SCHOOL);
    let (_, answer) = enters(&mut browser, &Part::Unbound.name(number)).await?;
    let page = browser.get(&journey_in(&answer)?).await?;
    let token = page.between("/resume/", "\"");
    let token = token.ok_or_else(|| page.unexpected("a page with a link for later"))?;
    let path = format!("/resume/{token}");
    let mut runners = Runners::new();
    for lane in 0..RACERS {
        let mut browser = Browser::new(arena.strict(lane), HOME);
        browser.get(&path).await?;
        runners.push((browser, Move::Send(path.clone(), Vec::new())));
    }
    Ok(runners)
}

/// Three browsers of somebody who activates, each before the last step.
async fn newcomers(arena: &Arena, number: usize) -> Result<Runners, Trouble> {
    let name = Part::Newcomer.name(number);
    let mail = Part::Newcomer.mail(number);
    let code = arena.post.activation_code(&mail);
    let code = code.ok_or_else(|| format!("no activation code came to {mail}"))?;
    let mut runners = Runners::new();
    for lane in 0..RACERS {
        let mut browser = Browser::new(arena.portal(lane), HOME);
        browser.get("/activate").await?;
        let opens = [
            ("username", name.as_str()),
            ("activation_code", code.as_str()),
        ];
        let answer = browser.post("/activate", &opens).await?;
        let path = journey_in(&answer)?;
        let answer = browser.post(&path, &[]).await?;
        journey_in(&answer)?;
        let chooses = [
            ("new_password", NEW_PASSWORD),
            ("new_password_again", NEW_PASSWORD),
        ];
        let answer = patiently(&mut browser, &path, &chooses).await?;
        journey_in(&answer)?;
        let number = format!("+4178{number:07}");
        let last = vec![("method", "sms".to_owned()), ("phone", number)];
        runners.push((browser, Move::Send(path, last)));
    }
    Ok(runners)
}
