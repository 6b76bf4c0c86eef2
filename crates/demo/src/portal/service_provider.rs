//! A SAML service provider as a careful integrator writes it: signed requests, every check, each answer
//! once.

use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use serde_json::{Value, json};
use wire::saml::binding::{Binding, Kind, Outgoing, Received};
use wire::saml::logout::Making;
use wire::saml::metadata::MetadataError;
use wire::saml::relying_party::{Answer, Ask, Asserted, Declined, Doubt, Own};
use wire::saml::request::Expected;
use wire::saml::{Fault, IdentityProvider, LogoutRequest, LogoutResponse, Status};

use crate::portal::back_channel::{BackChannel, BackChannelError};
use crate::portal::id_token::Claims;
use crate::portal::page::{Explained, Sentence};
use crate::portal::{ACR_STRONG, Asked, Party, SignedIn, Who};
use crate::settings::{SamlKey, Settings};
use crate::shelf::{Shelf, lock};
use crate::world::{World, draw};

pub(crate) use wire::saml::application::Known as Kept;

/// How long somebody may take to sign in.
const ATTEMPT_S: i64 = 3600;
/// How long a verified answer waits for the browser that brought it, and a sign-out for its answer.
const STEP_S: i64 = 300;
/// How long a message of the provider's is known again: longer than any is good for.
const HEARD_S: i64 = 700;
/// How far the clocks of the provider and of this application may differ.
const CLOCKS_APART_S: i64 = 60;
/// How long metadata is believed.
pub(crate) const METADATA_S: i64 = 300;

/// What the attributes of the provider are called in the words of an ID token, for scripts that ask both
/// portals who is there.
const WORDS: [(&str, &str); 5] = [
    ("urn:oid:0.9.2342.19200300.100.1.1", "preferred_username"),
    ("urn:oid:2.16.840.1.113730.3.1.241", "name"),
    ("urn:oid:2.5.4.42", "given_name"),
    ("urn:oid:2.5.4.4", "family_name"),
    ("urn:oid:0.9.2342.19200300.100.1.3", "email"),
];
const METHODS: &str = "http://schemas.microsoft.com/claims/authnmethodsreferences";
const SUBJECT_ID: &str = "urn:oasis:names:tc:SAML:attribute:subject-id";

/// One application of one provider.
pub(crate) struct ServiceProvider {
    own: Own,
    key: SamlKey,
    described: String,
    /// The provider's entity ID, which is where its metadata is.
    provider: String,
    back_channel: BackChannel,
    world: Arc<dyn World>,
    /// By the identifier of the request.
    attempts: Shelf<Attempt>,
    /// Verified answers, by the ticket that their browser carries to the next step.
    answers: Shelf<Answer>,
    /// Identifiers of our logout requests.
    leaving: Shelf<()>,
    /// The provider's, by their identifiers.
    heard: Shelf<Whose>,
    known: Mutex<Option<(i64, Arc<IdentityProvider>)>>,
}

/// A sign-in that has begun.
#[derive(Clone)]
struct Attempt {
    browser: String,
    relay_state: String,
    target: String,
    /// From when on the person must have proven again, where that was asked for.
    anew_since: Option<i64>,
}

/// What a logout message led to.
pub(crate) enum Left {
    /// The answer to ours.
    Answered { everywhere: bool },
    /// Somebody leaves elsewhere, and the provider waits for an answer at this address; or for none.
    Asked { whose: Whose, back: Option<String> },
}

/// Whose sessions end.
#[derive(Clone)]
pub(crate) struct Whose(Arc<LogoutRequest>);

impl Whose {
    /// Whether this one does.
    pub(crate) fn is_of(&self, kept: &Kept) -> bool {
        let indexes = &self.0.session_indexes;
        let is_meant = indexes.is_empty() || indexes.contains(&kept.session_index);
        is_meant && self.0.name_id == kept.name_id
    }

    /// Whether this one was meant by name, so that no later one is.
    fn names(&self, kept: &Kept) -> bool {
        !self.0.session_indexes.is_empty() && self.is_of(kept)
    }
}

/// Why nobody signed in, or out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SamlError {
    #[error("the answer belongs to no sign-in that this browser began")]
    NotBegunHere,
    #[error("asking the provider failed")]
    BackChannel(#[from] BackChannelError),
    #[error("the provider's metadata is not usable")]
    Metadata(#[from] MetadataError),
    #[error("making a message failed inside the cryptographic library")]
    Making,
    #[error("reading the message failed: {0}")]
    Message(#[from] Fault),
    #[error(transparent)]
    Doubt(#[from] Doubt),
    #[error("the provider answered `{}`: {}", .0.code, .0.message)]
    Declined(Declined),
    #[error("the sign-in reached `{0}` only")]
    TooWeak(String),
    #[error("the person has proven nothing since the request that asked for it")]
    NotAnew,
    #[error("the session is over already")]
    Over,
}

impl Explained for SamlError {
    fn code(&self) -> &str {
        match self {
            Self::Declined(declined) => &declined.code,
            _ => "",
        }
    }

    fn sentence(&self) -> Sentence<'_> {
        match self {
            Self::NotBegunHere => Sentence::NotBegunHere,
            Self::BackChannel(_) | Self::Metadata(_) => Sentence::Away,
            Self::Declined(declined) => Sentence::Refused(match declined.code.as_str() {
                "NoPassive" => "login_required",
                "AuthnFailed" | "RequestDenied" => "access_denied",
                "NoAuthnContext" => "unmet_authentication_requirements",
                other => other,
            }),
            Self::TooWeak(_) => Sentence::TooWeak,
            _ => Sentence::NotBelieved,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Declined(_) | Self::TooWeak(_) => StatusCode::FORBIDDEN,
            Self::BackChannel(_) | Self::Metadata(_) => StatusCode::BAD_GATEWAY,
            Self::Making => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl Party for ServiceProvider {
    /// None where the provider named no session: then nothing can be signed out there.
    type Kept = Option<Kept>;

    fn forgets(&self, browser: &str) {
        self.attempts.take_all(|attempt| attempt.browser == browser);
    }
}

impl ServiceProvider {
    pub(crate) fn new(
        settings: &Settings,
        back_channel: BackChannel,
        world: Arc<dyn World>,
    ) -> Self {
        let own = settings.ism_own();
        let key = settings.ism_key.clone();
        Self {
            described: own.metadata(key.credential().certificate()),
            own,
            key,
            provider: format!("{}/saml/metadata", settings.origins.provider),
            back_channel,
            world,
            attempts: Shelf::new(ATTEMPT_S),
            answers: Shelf::new(STEP_S),
            leaving: Shelf::new(STEP_S),
            heard: Shelf::new(HEARD_S),
            known: Mutex::new(None),
        }
    }

    /// What the provider must know of this application.
    pub(crate) fn metadata(&self) -> &str {
        &self.described
    }

    /// Begins a sign-in in `browser`: the address to send it to.
    pub(crate) async fn begin(
        &self,
        asked: &Asked<'_>,
        browser: &str,
    ) -> Result<String, SamlError> {
        let provider = self.provider().await?;
        let classes = asked.fields.one("acr_values").unwrap_or(ACR_STRONG);
        let prompt = asked.fields.one("prompt").unwrap_or_default();
        let ask = Ask {
            force_authn: prompt.split(' ').any(|word| word == "login"),
            is_passive: prompt.split(' ').any(|word| word == "none"),
            classes: classes.split(' ').map(str::to_owned).collect(),
            relay_state: draw(&*self.world),
        };
        let (location, id) = self
            .signed(|making| ask.request(making, &self.own, &provider))
            .ok_or(SamlError::Making)?;
        let now = self.world.now_unix();
        let attempt = Attempt {
            browser: browser.to_owned(),
            relay_state: ask.relay_state,
            target: asked.target.clone(),
            anew_since: ask.force_authn.then(|| now.saturating_sub(CLOCKS_APART_S)),
        };
        self.attempts.put(id, attempt, now);
        Ok(location)
    }

    /// Verifies an answer: the ticket under which it waits for its browser. None when nobody asked for it.
    pub(crate) async fn receives(
        &self,
        message: Result<Received, Fault>,
    ) -> Result<Option<String>, SamlError> {
        let provider = self.provider().await?;
        let now = self.world.now_unix();
        let answer = Answer::read(&message?, &self.own, &provider, now)?;
        if answer.in_response_to.is_none() {
            return Ok(None);
        }
        let ticket = draw(&*self.world);
        self.answers.put(ticket.clone(), answer, now);
        Ok(Some(ticket))
    }

    /// Ends a sign-in with a verified answer, brought by `browser`.
    pub(crate) async fn finish(
        &self,
        ticket: &str,
        browser: Option<&str>,
    ) -> Result<SignedIn<Option<Kept>>, SamlError> {
        let now = self.world.now_unix();
        let answer = self.answers.take(ticket, now);
        let answer = answer.ok_or(SamlError::NotBegunHere)?;
        // [Core §1.3.4] each request is answered once: whatever comes a second time finds nothing.
        let asked = answer.in_response_to.as_deref().unwrap_or_default();
        let attempt = self
            .attempts
            .take(asked, now)
            .filter(|attempt| Some(attempt.browser.as_str()) == browser)
            .filter(|attempt| answer.relay_state.as_ref() == Some(&attempt.relay_state))
            .ok_or(SamlError::NotBegunHere)?;
        let asserted = answer.said.map_err(SamlError::Declined)?;
        if asserted.class != ACR_STRONG {
            return Err(SamlError::TooWeak(asserted.class));
        }
        // [Core §3.4.1] ForceAuthn is a wish: whoever needs it looks whether it was granted.
        let since = attempt.anew_since;
        if since.is_some_and(|since| asserted.auth_instant < since) {
            return Err(SamlError::NotAnew);
        }
        let provider = self.provider().await?;
        let claims = claims(&asserted, &self.own, &provider);
        let kept = asserted.session_index.map(|session_index| Kept {
            name_id: asserted.name_id,
            session_index,
        });
        // [Core §3.7.3.2] an assertion may arrive after the request that ends its session.
        let is_over = |whose: &Whose| kept.as_ref().is_some_and(|kept| whose.names(kept));
        if self.heard.has(is_over, now) {
            return Err(SamlError::Over);
        }
        Ok(SignedIn {
            who: Who {
                claims,
                profile: Claims::new(),
            },
            until: asserted.session_until,
            kept,
            target: attempt.target,
        })
    }

    /// Where to send the browser so that it is signed out at the provider, too.
    pub(crate) async fn sign_out(&self, kept: &Option<Kept>) -> Option<String> {
        let (kept, provider) = (kept.as_ref()?, self.provider().await.ok()?);
        let (location, id) = self.signed(|making| {
            let to = provider.party();
            let (binding, message) = making.request(to, &kept.name_id, &kept.session_index)?;
            (binding == Binding::Redirect).then_some(message)
        })?;
        self.leaving.put(id, (), self.world.now_unix());
        Some(location)
    }

    /// A logout message of the provider's. Each counts once.
    pub(crate) async fn hears(&self, message: Result<Received, Fault>) -> Result<Left, SamlError> {
        let (message, provider) = (message?, self.provider().await?);
        let now = self.world.now_unix();
        let expected = Expected {
            here: &self.own.logout,
            now,
        };
        let find = |id: &str| (id == provider.entity_id).then(|| provider.party());
        if message.kind == Kind::Response {
            let answer = LogoutResponse::read(&message, expected, find)?;
            let ours = self.leaving.take(&answer.in_response_to, now);
            ours.ok_or(Fault::Replayed)?;
            return Ok(Left::Answered {
                everywhere: answer.success,
            });
        }
        let asked = LogoutRequest::read(&message, expected, find)?;
        if self.heard.look(&asked.id, now).is_some() {
            return Err(Fault::Replayed.into());
        }
        let whose = Whose(Arc::new(asked));
        let asked = &whose.0;
        self.heard.put(asked.id.clone(), whose.clone(), now);
        let back = match asked.asynchronous {
            true => None,
            false => {
                let answered = self.signed(|making| {
                    let (binding, answer) =
                        asked.answer(making, provider.party(), Status::SUCCESS)?;
                    (binding == Binding::Redirect).then_some(answer)
                });
                Some(answered.ok_or(SamlError::Making)?.0)
            }
        };
        Ok(Left::Asked { whose, back })
    }

    /// Makes a message that goes by Redirect: its address, signed, and its identifier.
    fn signed(
        &self,
        make: impl FnOnce(&Making<'_>) -> Option<Outgoing>,
    ) -> Option<(String, String)> {
        let mut chance = [0; 20];
        self.world.fill(&mut chance);
        let credential = self.key.credential();
        let making = Making {
            speaker: &self.own.entity_id,
            credential: &credential,
            now: self.world.now_unix(),
            chance: &chance,
        };
        let location = make(&making)?.location(&credential)?;
        Some((location, making.id()))
    }

    /// What the provider says of itself, asked for over the same way as every OpenID Connect client's keys.
    async fn provider(&self) -> Result<Arc<IdentityProvider>, SamlError> {
        let now = self.world.now_unix();
        if let Some((until, provider)) = lock(&self.known).as_ref()
            && *until > now
        {
            return Ok(Arc::clone(provider));
        }
        let kind = "application/samlmetadata+xml";
        let text = self.back_channel.fetch_text(&self.provider, kind).await?;
        let provider = Arc::new(IdentityProvider::read(&text, &self.provider, now)?);
        *lock(&self.known) = Some((now.saturating_add(METADATA_S), Arc::clone(&provider)));
        Ok(provider)
    }
}

/// What was said, in the words of an ID token.
fn claims(asserted: &Asserted, own: &Own, provider: &IdentityProvider) -> Claims {
    let values = |name: &str| asserted.attributes.get(name).map_or(&[][..], Vec::as_slice);
    // [Subject Identifiers §3.3] the id that every application knows, at a domain that this provider may
    // speak for.
    let subject = values(SUBJECT_ID).first().and_then(|id| id.split_once('@'));
    let is_theirs = |scope: &str| provider.scopes.iter().any(|one| one == scope);
    let subject = subject
        .filter(|(_, scope)| is_theirs(scope))
        .map(|(id, _)| id);
    let mut claims = Claims::new();
    claims.insert("iss".to_owned(), json!(provider.entity_id));
    claims.insert("aud".to_owned(), json!(own.entity_id));
    claims.insert(
        "sub".to_owned(),
        json!(subject.unwrap_or(&asserted.name_id.value)),
    );
    claims.insert("acr".to_owned(), json!(asserted.class));
    claims.insert("amr".to_owned(), json!(values(METHODS)));
    claims.insert("auth_time".to_owned(), json!(asserted.auth_instant));
    claims.insert("name_id".to_owned(), json!(asserted.name_id.value));
    if let Some(index) = &asserted.session_index {
        claims.insert("sid".to_owned(), json!(index));
    }
    for (name, word) in WORDS {
        if let Some(value) = values(name).first() {
            claims.insert(word.to_owned(), Value::String(value.clone()));
        }
    }
    claims
}
