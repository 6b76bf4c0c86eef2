//! The page of each state of a sign-in.

use journey::{
    Factor, Person, Place,
    login::{AwaitAppEnrolment, AwaitCode, AwaitSmsCode, EnrolElsewhere, Then, WrongCode},
    zone::Inside,
};
use store::{MessageState, TokenRecord};

use super::{
    App, Failure, Journey, JourneyState, Login, Reason, Response, StatusCode, Visit,
    application_of, begin_at, purpose_of, refusal, refused_page, resume_token, show, who,
};
use crate::page::{
    AppCode, AppCodeProblem, AppEnrolment, Clock, Delivery, EnrolElsewhere as ElsewherePage,
    Resend, SmsCode, SmsProblem, Step, TokenAsk, TokenCode, TokenProblem,
};

/// What the page says of the last try.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Problem {
    /// Nothing yet: two codes of a token are asked for.
    AskTwo,
    /// What the state remembers.
    Last,
    /// What was typed is no code; nothing was counted.
    Malformed {
        /// Two codes were asked for.
        two: bool,
    },
    /// The two codes are not two of this token in a row.
    NotInARow,
}

/// What the pages of all states need.
pub(super) struct Scene<'a> {
    pub(super) action: String,
    app: &'a App,
    journey: &'a Journey,
    pub(super) person: Person,
    pub(super) problem: Problem,
    pub(super) visit: &'a Visit,
}

/// The page of the state in which a journey is.
pub(super) async fn page(
    app: &App,
    visit: &Visit,
    journey: &Journey,
    problem: Problem,
) -> Result<Response, Failure> {
    let JourneyState::Login(state) = &journey.state else {
        return show::refused(app, visit, StatusCode::GONE, Reason::TooLate);
    };
    if let Some(reason) = refusal(state) {
        let page = refused_page(app, visit, journey, reason);
        return show::page(app, visit, StatusCode::FORBIDDEN, &page);
    }
    let account = match state.person() {
        Some(person) => app.store.person(person).await?,
        None => None,
    };
    let Some(account) = account else {
        return show::refused(app, visit, StatusCode::GONE, Reason::TooLate);
    };
    if state.until().is_some_and(|until| app.world.now() >= until) {
        let page = refused_page(app, visit, journey, journey::Refusal::TooLate);
        return show::page(app, visit, StatusCode::GONE, &page);
    }
    let action = format!("/login/{}", journey.id);
    let scene = Scene {
        action,
        app,
        journey,
        person: account.person,
        problem,
        visit,
    };
    match state {
        Login::AwaitAppCode(state) => scene.app_code(state),
        Login::AwaitAppEnrolment(state) => scene.app_enrolment(state),
        Login::AwaitRecoveryCode(state) => scene.recovery_code(state),
        Login::AwaitSmsCode(state) => scene.sms_code(state).await,
        Login::AwaitTokenCode(state) => scene.token_code(state).await,
        Login::EnrolElsewhere(state) => scene.elsewhere(state),
        Login::OfferReplacement(state) => scene.replacement(state),
        Login::SignedIn(_) => scene.over(),
        Login::AwaitPassword(_) | Login::Refused(_) => {
            show::refused(app, visit, StatusCode::GONE, Reason::TooLate)
        }
    }
}

impl Scene<'_> {
    fn status(&self, last: Option<WrongCode>) -> StatusCode {
        match (self.problem, last) {
            (Problem::Malformed { .. } | Problem::NotInARow, _) | (Problem::Last, Some(_)) => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            _ => StatusCode::OK,
        }
    }

    pub(super) fn show(
        &self,
        page: &impl crate::page::Page,
        last: Option<WrongCode>,
    ) -> Result<Response, Failure> {
        show::page(self.app, self.visit, self.status(last), page)
    }

    /// Whether the page offers the way without phone or token.
    fn offers_recovery(&self) -> bool {
        let policy = &self.app.catalogue.load().policy;
        match &self.journey.state {
            JourneyState::Login(state) => state.offers_recovery(policy),
            JourneyState::Activation(_) => false,
        }
    }

    pub(super) fn who(&self) -> crate::page::Who {
        who(
            self.app,
            self.visit,
            (&self.person, &purpose_of(self.journey)),
        )
    }

    fn app_code(&self, state: &AwaitCode) -> Result<Response, Failure> {
        let tries_left = state.underway.tries_left;
        let problem = self.app_problem(state.last, tries_left);
        let page = AppCode {
            action: self.action.clone(),
            who: Some(self.who()),
            problem,
            recovery: self.offers_recovery(),
        };
        self.show(&page, state.last)
    }

    fn app_problem(&self, last: Option<WrongCode>, tries_left: u8) -> Option<AppCodeProblem> {
        if matches!(self.problem, Problem::Malformed { .. }) {
            return Some(AppCodeProblem::Malformed);
        }
        last.map(|why| match why {
            WrongCode::ClockAhead(seconds) => AppCodeProblem::ClockOff {
                minutes: u32::try_from((seconds.unsigned_abs() + 30) / 60)
                    .unwrap_or(10)
                    .max(1),
                clock: if seconds < 0 {
                    Clock::Slow
                } else {
                    Clock::Fast
                },
            },
            WrongCode::Replayed => AppCodeProblem::Replayed,
            WrongCode::Expired | WrongCode::Wrong => AppCodeProblem::Wrong { tries_left },
        })
    }

    fn app_enrolment(&self, state: &AwaitAppEnrolment) -> Result<Response, Failure> {
        let key = wire::Secret::new(state.pending.secret.expose().to_vec());
        // A colon separates issuer and account in the link; names have none there.
        let issuer = self
            .app
            .settings
            .institution
            .say(self.visit.language)
            .replace(':', " ");
        let account = self.person.username.replace(':', " ");
        let link = wire::otpauth::key_uri(&issuer, &account, &key)
            .map_err(|_| Failure::Impossible("an institution or a user without a name"))?;
        let page = AppEnrolment {
            link: link.to_string(),
            key: data_encoding::BASE32_NOPAD.encode(key.expose()),
            action: self.action.clone(),
            who: Some(self.who()),
            problem: self.app_problem(state.last, state.underway.tries_left),
            step: (state.sms.factor() == Factor::Sms).then_some(Step { at: 3, of: 3 }),
        };
        self.show(&page, state.last)
    }

    async fn sms_code(&self, state: &AwaitSmsCode) -> Result<Response, Failure> {
        let now = self.app.world.now();
        let problem = match (self.problem, state.last) {
            (Problem::Malformed { .. }, _) => Some(SmsProblem::Malformed),
            (_, None) => None,
            (_, Some(WrongCode::Expired)) => Some(SmsProblem::Expired),
            (_, Some(WrongCode::Replayed)) => Some(SmsProblem::Replayed),
            (_, Some(_)) => Some(SmsProblem::Wrong {
                tries_left: state.underway.tries_left,
            }),
        };
        let wait = state
            .sent_at
            .plus(journey::factor::sms::RESEND_AFTER_S)
            .since(now);
        let resend = match state.sends {
            sends if sends >= journey::factor::sms::SENDS_MAX => Resend::NoneLeft,
            _ if wait > 0 => Resend::Wait {
                seconds: wait.unsigned_abs(),
            },
            _ => Resend::Available,
        };
        let of = match state.then {
            Then::EnrolApp => Some(3),
            Then::EnrolSms => Some(2),
            Then::SignIn => None,
        };
        let page = SmsCode {
            phone: self
                .person
                .phone
                .as_ref()
                .map(journey::Phone::masked)
                .unwrap_or_default(),
            action: self.action.clone(),
            who: Some(self.who()),
            problem,
            resend,
            delivery: self.delivery(state).await?,
            recovery: self.offers_recovery(),
            step: of.map(|of| Step { at: 2, of }),
        };
        self.show(&page, state.last)
    }

    /// What the outbox knows of the last message.
    async fn delivery(&self, state: &AwaitSmsCode) -> Result<Delivery, Failure> {
        let messages = self.app.store.messages_of(self.journey.id).await?;
        let at = state.sent_at;
        Ok(match messages.last() {
            Some(MessageState::Sent) if state.sends > 1 => Delivery::SentAgain { at },
            Some(MessageState::Sent) => Delivery::Sent { at },
            Some(MessageState::Trouble | MessageState::Failed) => Delivery::Trouble,
            Some(MessageState::Waiting) | None => Delivery::OnItsWay,
        })
    }

    async fn token_code(&self, state: &AwaitCode) -> Result<Response, Failure> {
        let serial = self.person.token_serial.clone().unwrap_or_default();
        let known: Option<TokenRecord> = self.app.store.token(&serial).await?;
        let serial = known.map(|token| token.serial).unwrap_or(serial);
        let letters: Vec<char> = serial.chars().collect();
        let two = matches!(
            self.problem,
            Problem::AskTwo | Problem::Malformed { two: true } | Problem::NotInARow
        );
        let tries_left = state.underway.tries_left;
        let problem = match (self.problem, state.last) {
            (Problem::AskTwo, _) | (Problem::Last, None) => None,
            (Problem::NotInARow, _) => Some(TokenProblem::NotInARow),
            (Problem::Malformed { .. }, _) => Some(TokenProblem::Malformed),
            (Problem::Last, Some(WrongCode::Replayed)) => Some(TokenProblem::Replayed),
            (Problem::Last, Some(_)) => Some(TokenProblem::Wrong { tries_left }),
        };
        let page = TokenCode {
            serial_end: letters
                .iter()
                .skip(letters.len().saturating_sub(4))
                .collect(),
            action: self.action.clone(),
            who: Some(self.who()),
            problem,
            ask: if two {
                TokenAsk::TwoInARow
            } else {
                TokenAsk::One
            },
            recovery: self.offers_recovery(),
        };
        self.show(&page, state.last)
    }

    fn elsewhere(&self, state: &EnrolElsewhere) -> Result<Response, Failure> {
        let catalogue = self.app.catalogue.load();
        let zone = match &state.place {
            Place::Inside(Inside { zone, .. }) => catalogue.zones.get(zone).map_or_else(
                || zone.clone(),
                |known| known.name.say(self.visit.language).to_owned(),
            ),
            Place::Public => String::new(),
        };
        let token = resume_token(self.app, self.journey.id);
        let token = data_encoding::BASE64URL_NOPAD.encode(token.expose());
        let page = ElsewherePage {
            zone,
            resume_link: format!("{}/resume/{token}", self.app.settings.origin()),
            valid_until: state.underway.until,
            mailed: false,
            who: Some(self.who()),
            back: application_of(self.app, self.visit, &purpose_of(self.journey)),
        };
        show::page(self.app, self.visit, StatusCode::FORBIDDEN, &page)
    }

    /// The journey is over and they are in: on to where they wanted, by a fresh request.
    fn over(&self) -> Result<Response, Failure> {
        let purpose = purpose_of(self.journey);
        let way = match &purpose.authorize {
            None => "/account".to_owned(),
            Some(authorize) => begin_at(self.app, authorize),
        };
        show::see_other(self.visit, &way)
    }
}
