//! An OpenID Connect client as a careful integrator writes it: code flow, PKCE, every check.

use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{SHA256, digest};
use axum::http::StatusCode;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use jsonwebtoken::Algorithm;
use jsonwebtoken::jwk::Jwk;
use serde::Deserialize;
use serde_json::Value;
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};

use crate::portal::back_channel::{BackChannel, BackChannelError};
use crate::portal::id_token::{self, Claims, Expected, IdTokenFault};
use crate::portal::logout_token::{self, Ended};
use crate::portal::page::{Explained, Sentence};
use crate::portal::{Asked, Party, SignedIn, Who};
use crate::secret::Secret;
use crate::shelf::{Shelf, lock};
use crate::web::Fields;
use crate::world::{World, draw};

/// How long somebody may take to sign in.
const ATTEMPT_S: i64 = 3600;
/// How long a logout token is known again: longer than any is good for.
const ENDED_S: i64 = 600;
/// How long discovery and keys are believed.
const METADATA_S: i64 = 300;

/// What was registered at the provider.
pub(crate) struct Registered {
    pub(crate) client: &'static str,
    /// For `client_secret_basic`.
    pub(crate) secret: Secret,
    pub(crate) issuer: String,
    pub(crate) redirect_uri: String,
    pub(crate) algorithm: Algorithm,
}

/// One client of one issuer.
pub(crate) struct RelyingParty {
    registered: Registered,
    back_channel: BackChannel,
    world: Arc<dyn World>,
    attempts: Shelf<Attempt>,
    /// Names of logout tokens that counted.
    ended: Shelf<()>,
    known: Mutex<Option<(i64, Arc<Issuer>)>>,
}

/// A sign-in that has begun, kept under its `state`.
#[derive(Clone)]
struct Attempt {
    browser: String,
    nonce: String,
    verifier: String,
    max_age_s: Option<i64>,
    target: String,
}

/// Why nobody signed in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignInError {
    #[error("the answer belongs to no sign-in that this browser began")]
    NotBegunHere,
    #[error("the answer names another issuer")]
    WrongIssuer,
    #[error("the provider answered `{error}`: {description}")]
    Refused { error: String, description: String },
    #[error("the provider's answer carries no code")]
    NoCode,
    #[error("asking the provider failed")]
    BackChannel(#[from] BackChannelError),
    #[error("the provider's metadata or keys are not usable ({0})")]
    Metadata(&'static str),
    #[error("the token endpoint answered {status}: `{error}`")]
    NoToken { status: StatusCode, error: String },
    #[error(transparent)]
    IdToken(#[from] IdTokenFault),
}

/// What discovery said, and the issuer's keys.
struct Issuer {
    metadata: Metadata,
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    end_session_endpoint: Option<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: String,
    id_token: String,
}

impl Party for RelyingParty {
    type Kept = String;

    fn forgets(&self, browser: &str) {
        self.attempts.take_all(|attempt| attempt.browser == browser);
    }
}

impl Explained for SignInError {
    fn code(&self) -> &str {
        match self {
            Self::Refused { error, .. } => error,
            _ => "",
        }
    }

    fn sentence(&self) -> Sentence<'_> {
        match self {
            Self::Refused { error, .. } => Sentence::Refused(error),
            Self::NotBegunHere => Sentence::NotBegunHere,
            Self::BackChannel(_) | Self::Metadata(_) => Sentence::Away,
            _ => Sentence::NotBelieved,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Refused { .. } => StatusCode::FORBIDDEN,
            Self::BackChannel(_) | Self::Metadata(_) | Self::NoToken { .. } => {
                StatusCode::BAD_GATEWAY
            }
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl RelyingParty {
    pub(crate) fn new(
        registered: Registered,
        back_channel: BackChannel,
        world: Arc<dyn World>,
    ) -> Self {
        let attempts = Shelf::new(ATTEMPT_S);
        Self {
            registered,
            back_channel,
            world,
            attempts,
            ended: Shelf::new(ENDED_S),
            known: Mutex::new(None),
        }
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.registered.issuer
    }

    /// Begins a sign-in in `browser`: the address to send it to.
    pub(crate) async fn begin(&self, asked: Asked<'_>, browser: &str) -> Result<Url, SignInError> {
        let issuer = self.discover().await?;
        let mut url = Url::parse(&issuer.metadata.authorization_endpoint)
            .map_err(|_| SignInError::Metadata("authorization_endpoint is no URL"))?;
        let world = &*self.world;
        let (state, nonce, verifier) = (draw(world), draw(world), draw(world));
        // [RFC 7636 §4.2] "code_challenge = BASE64URL-ENCODE(SHA256(ASCII(code_verifier)))"
        let challenge = BASE64URL_NOPAD.encode(digest(&SHA256, verifier.as_bytes()).as_ref());
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", self.registered.client)
            .append_pair("redirect_uri", &self.registered.redirect_uri)
            .append_pair("scope", "openid profile email")
            .append_pair("state", &state)
            .append_pair("nonce", &nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        let usual = [
            ("prompt", None),
            ("max_age", None),
            ("login_hint", None),
            ("acr_values", None),
            ("ui_locales", Some(asked.language)),
        ];
        for (name, usual) in usual {
            if let Some(value) = asked.fields.one(name).or(usual) {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
        let attempt = Attempt {
            browser: browser.to_owned(),
            nonce,
            verifier,
            max_age_s: asked.fields.one("max_age").and_then(|age| age.parse().ok()),
            target: asked.target,
        };
        self.attempts.put(state, attempt, self.world.now_unix());
        Ok(url)
    }

    /// Ends a sign-in with the provider's answer, brought by `browser`.
    pub(crate) async fn finish(
        &self,
        answer: &Fields,
        browser: Option<&str>,
    ) -> Result<SignedIn<String>, SignInError> {
        let attempt = answer
            .one("state")
            .and_then(|state| self.attempts.take(state, self.world.now_unix()))
            .filter(|attempt| Some(attempt.browser.as_str()) == browser)
            .ok_or(SignInError::NotBegunHere)?;
        let issuer = self.discover().await?;
        // [RFC 9207 §2.4] "If the value does not match the expected issuer identifier, clients MUST
        // reject the authorization response"; the same where it is promised but missing.
        match answer.one("iss") {
            Some(iss) if iss == self.registered.issuer => {}
            None if !issuer
                .metadata
                .authorization_response_iss_parameter_supported => {}
            _ => return Err(SignInError::WrongIssuer),
        }
        if let Some(error) = answer.one("error") {
            let description = answer
                .one("error_description")
                .unwrap_or_default()
                .to_owned();
            return Err(SignInError::Refused {
                error: error.to_owned(),
                description,
            });
        }
        let code = answer.one("code").ok_or(SignInError::NoCode)?;
        let tokens = self
            .redeem(&issuer.metadata, code, &attempt.verifier)
            .await?;
        let claims = self.believe(&tokens, &attempt).await?;
        let profile = self
            .profile(&issuer.metadata, &tokens.access_token, &claims)
            .await;
        Ok(SignedIn {
            kept: tokens.id_token,
            who: Who { claims, profile },
            until: None,
            target: attempt.target,
        })
    }

    /// Where to send the browser so that it is signed out at the provider, too.
    ///
    /// [OIDC RP-Initiated Logout §2] `id_token_hint`, `client_id`, `post_logout_redirect_uri`.
    pub(crate) async fn sign_out_url(&self, id_token: &str, back: &str) -> Option<Url> {
        let issuer = self.discover().await.ok()?;
        let mut url = Url::parse(issuer.metadata.end_session_endpoint.as_deref()?).ok()?;
        url.query_pairs_mut()
            .append_pair("id_token_hint", id_token)
            .append_pair("client_id", self.registered.client)
            .append_pair("post_logout_redirect_uri", back);
        Some(url)
    }

    /// What a logout token of the provider says has ended. It counts once.
    pub(crate) async fn ended(&self, token: &str) -> Result<Ended, SignInError> {
        let header = logout_token::header(token, self.registered.algorithm)?;
        let key = self.key(header.kid.as_deref()).await?;
        let now = self.world.now_unix();
        let expected = logout_token::Expected {
            issuer: &self.registered.issuer,
            client: self.registered.client,
            algorithm: self.registered.algorithm,
            now,
        };
        let ended = logout_token::verify(token, &key, &expected)?;
        if self.ended.look(&ended.jti, now).is_some() {
            return Err(IdTokenFault::NotLogout.into());
        }
        self.ended.put(ended.jti.clone(), (), now);
        Ok(ended)
    }

    /// The key of that name; if it is unknown, the issuer is asked anew.
    async fn key(&self, kid: Option<&str>) -> Result<Jwk, SignInError> {
        let kid = kid.ok_or(IdTokenFault::UnknownKey)?;
        if let Some(key) = self.discover().await?.key(kid) {
            return Ok(key);
        }
        lock(&self.known).take();
        let key = self.discover().await?.key(kid);
        Ok(key.ok_or(IdTokenFault::UnknownKey)?)
    }

    async fn redeem(
        &self,
        metadata: &Metadata,
        code: &str,
        verifier: &str,
    ) -> Result<Tokens, SignInError> {
        let form = Serializer::new(String::new())
            .append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", &self.registered.redirect_uri)
            .append_pair("code_verifier", verifier)
            .finish();
        let endpoint = &metadata.token_endpoint;
        let answer = self
            .back_channel
            .post(endpoint, form, Some(&self.basic()))
            .await?;
        if answer.status != StatusCode::OK {
            let error = answer
                .body
                .get("error")
                .and_then(Value::as_str)
                .unwrap_or_default();
            return Err(SignInError::NoToken {
                status: answer.status,
                error: error.to_owned(),
            });
        }
        serde_json::from_value(answer.body).map_err(|_| SignInError::NoToken {
            status: StatusCode::OK,
            error: "no access_token and id_token".to_owned(),
        })
    }

    /// [RFC 6749 §2.3.1] "The client identifier is encoded using the
    /// "application/x-www-form-urlencoded" encoding algorithm".
    fn basic(&self) -> String {
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!(
            "{}:{}",
            encoded(self.registered.client),
            encoded(self.registered.secret.reveal())
        );
        format!("Basic {}", BASE64.encode(pair.as_bytes()))
    }

    async fn believe(&self, tokens: &Tokens, attempt: &Attempt) -> Result<Claims, SignInError> {
        let header = id_token::header(&tokens.id_token, self.registered.algorithm)?;
        let key = self.key(header.kid.as_deref()).await?;
        let expected = Expected {
            issuer: &self.registered.issuer,
            client: self.registered.client,
            algorithm: self.registered.algorithm,
            nonce: &attempt.nonce,
            access_token: &tokens.access_token,
            max_age_s: attempt.max_age_s,
            now: self.world.now_unix(),
        };
        Ok(id_token::verify(&tokens.id_token, &key, &expected)?)
    }

    /// Names for the greeting; a portal works without them.
    ///
    /// [OIDC Core §5.3.2] "The sub Claim in the UserInfo Response MUST be verified to exactly match
    /// the sub Claim in the ID Token".
    async fn profile(&self, metadata: &Metadata, access_token: &str, claims: &Claims) -> Claims {
        let Some(endpoint) = &metadata.userinfo_endpoint else {
            return Claims::new();
        };
        match self.back_channel.fetch(endpoint, Some(access_token)).await {
            Ok(answer) => match answer.body {
                Value::Object(profile) if profile.get("sub") == claims.get("sub") => profile,
                _ => Claims::new(),
            },
            Err(error) => {
                tracing::warn!(%error, "a portal got no userinfo");
                Claims::new()
            }
        }
    }

    async fn discover(&self) -> Result<Arc<Issuer>, SignInError> {
        let now = self.world.now_unix();
        if let Some((until, issuer)) = lock(&self.known).as_ref()
            && *until > now
        {
            return Ok(Arc::clone(issuer));
        }
        let expected = &self.registered.issuer;
        let address = format!("{expected}/.well-known/openid-configuration");
        let answer = self.back_channel.fetch(&address, None).await?;
        let metadata: Metadata = serde_json::from_value(answer.body)
            .map_err(|_| SignInError::Metadata("discovery lacks an endpoint"))?;
        // [OIDC Discovery §4.3] "The issuer value returned MUST be identical to the Issuer URL".
        if &metadata.issuer != expected {
            return Err(SignInError::Metadata("discovery names another issuer"));
        }
        let answer = self.back_channel.fetch(&metadata.jwks_uri, None).await?;
        let keys = match answer.body.get("keys").and_then(Value::as_array) {
            Some(keys) => keys
                .iter()
                .filter_map(|key| Jwk::deserialize(key).ok())
                .collect(),
            None => return Err(SignInError::Metadata("jwks_uri leads to no key set")),
        };
        let issuer = Arc::new(Issuer { metadata, keys });
        *lock(&self.known) = Some((now.saturating_add(METADATA_S), Arc::clone(&issuer)));
        Ok(issuer)
    }
}

impl Issuer {
    fn key(&self, kid: &str) -> Option<Jwk> {
        self.keys
            .iter()
            .find(|key| key.common.key_id.as_deref() == Some(kid))
            .cloned()
    }
}
