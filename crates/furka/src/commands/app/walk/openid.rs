//! A walk of OpenID Connect: from the request that the application should send to the answer of `/userinfo`.

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use http::{
    Request,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST},
};
use serde_json::Value;
use url::{Url, form_urlencoded::Serializer};
use wire::oauth::client::{
    Applications, Auth, Client, Encrypted, GrantName, Kind, new_secret, secret_digest,
};

use super::{
    Stage,
    browser::{Answer, Browser, Landed},
    told::{Finding, Message, NEW, Told},
};
use crate::{
    commands::app::check,
    failure::{Doing, Failure},
    installation::draw,
};

/// A client in the rehearsal, with what it draws for one sign-in.
struct Rehearsed<'c> {
    client: &'c Client,
    nonce: String,
    redirect_uri: String,
    secret: String,
    state: String,
    verifier: String,
}

/// Walks the sign-in of a client.
pub(super) async fn walk(
    client: &Client,
    stage: &Stage<'_>,
    told: &mut Told,
) -> Result<Option<Url>, Failure> {
    if !client.may(GrantName::AuthorizationCode) {
        told.find(without_browser(client));
        return Ok(None);
    }
    let asked = stage.asked.url.as_ref();
    let Some(redirect_uri) = asked.or(client.redirect_uris.first()).cloned() else {
        told.find(Finding::no_address());
        return Ok(None);
    };
    let world = &stage.here.world;
    let secret = new_secret(draw(world));
    let rehearsed = Rehearsed {
        client,
        nonce: BASE64URL_NOPAD.encode(&draw::<16>(world)),
        redirect_uri,
        secret: String::from_utf8_lossy(secret.expose()).into_owned(),
        state: BASE64URL_NOPAD.encode(&draw::<16>(world)),
        verifier: BASE64URL_NOPAD.encode(&draw::<32>(world)),
    };
    let copy = in_rehearsal(client, secret.expose(), told);
    let file = Applications {
        application: vec![copy.clone()],
        ..Applications::default()
    };
    let mut browser = Browser::opens(stage, file).await?;
    let request = rehearsed.request(&copy, stage, told)?;
    let landed = browser.goes(request, None).await?;
    told.messages.extend(browser.signed_in(stage));
    let redirect = Url::parse(&rehearsed.redirect_uri).ok();
    if let Some(code) = came_back(landed, &rehearsed, told) {
        rehearsed.redeems(&browser, (stage, &code), told).await?;
    }
    Ok(redirect)
}

/// The registration as it is, but for what only the application itself can do.
fn in_rehearsal(client: &Client, secret: &[u8], told: &mut Told) -> Client {
    let mut copy = Client {
        authorization_encrypted_response_alg: None,
        authorization_encrypted_response_enc: None,
        backchannel_logout_uri: None,
        frontchannel_logout_uri: None,
        frontchannel_logout_session_required: false,
        dpop_bound: false,
        id_token_encrypted_response_alg: None,
        id_token_encrypted_response_enc: None,
        introspection_encrypted_response_alg: None,
        introspection_encrypted_response_enc: None,
        introspection_signed_response_alg: None,
        jwks: None,
        profile: None,
        require_par: false,
        require_signed_request_object: false,
        secret: None,
        tls_client_auth: None,
        tls_client_certificate_bound_access_tokens: false,
        userinfo_encrypted_response_alg: None,
        userinfo_encrypted_response_enc: None,
        userinfo_signed_response_alg: None,
        ..client.clone()
    };
    if client.auth != Auth::None {
        copy.kind = Kind::Confidential;
        copy.auth = Auth::Basic;
        copy.secret_sha256 = Some(secret_digest(secret));
    }
    let left_out = [
        (
            client.auth == Auth::PrivateKeyJwt,
            "`private_key_jwt`: the rehearsal has a secret instead",
        ),
        (
            client.auth == Auth::SecretJwt,
            "`secret_jwt`: the rehearsal has a secret of its own, and sends it",
        ),
        (
            client.auth.is_by_certificate(),
            "the certificate: the rehearsal has a secret instead",
        ),
        (
            client.tls_client_certificate_bound_access_tokens,
            "`tls_client_certificate_bound_access_tokens`",
        ),
        (client.dpop_bound, "`dpop_bound`"),
        (client.require_par, "`require_par`"),
        (
            client.require_signed_request_object,
            "`require_signed_request_object`",
        ),
        (client.profile.is_some(), "`profile`"),
        (
            Encrypted::ALL
                .into_iter()
                .any(|what| client.encryption(what).is_some()),
            "that answers are encrypted",
        ),
    ];
    for (_, what) in left_out.into_iter().filter(|(is, _)| *is) {
        let why = "it needs a key, or a connection, of the application's own";
        told.notes
            .push(format!("left out of the rehearsal is {what}; {why}"));
    }
    copy
}

impl Rehearsed<'_> {
    /// The request that the application should send; what is wrong with it is found.
    fn request(&self, copy: &Client, stage: &Stage<'_>, told: &mut Told) -> Result<Url, Failure> {
        let registered = self.client.scope().to_string();
        let scope = stage.asked.scope.clone().unwrap_or(registered);
        let challenge = digest(&SHA256, self.verifier.as_bytes());
        let challenge = BASE64URL_NOPAD.encode(challenge.as_ref());
        let url = stage.issuer.authorization_endpoint();
        let mut url = Url::parse(&url).doing(|| "reading `public_url`".to_owned())?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client.id)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("scope", &scope)
            .append_pair("state", &self.state)
            .append_pair("nonce", &self.nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        let message = Message::new(
            "browser \u{2192} provider",
            format!("GET {}", url.path()),
            "OIDC Core \u{a7}3.1.2.1",
        );
        let message = message
            .part("response_type", "code", "the only one there is")
            .part("client_id", &self.client.id, "the application's id")
            .part("redirect_uri", &self.redirect_uri, self.known_redirect())
            .part("scope", scope, "what it may ask for: `scopes`")
            .part("state", NEW, "comes back unchanged")
            .part("nonce", NEW, "comes back in the ID token")
            .part(
                "code_challenge",
                NEW,
                "S256 of a secret of this sign-in [RFC 7636 \u{a7}4.2]",
            )
            .part("code_challenge_method", "S256", "the only one there is");
        told.message(message);
        if let Err(wrong) = check::judged(copy, &url, (stage.issuer, stage.here.now().0)) {
            let cure = "correct the application, or its registration in `applications.toml`";
            let found = wrong.into_iter();
            told.findings
                .extend(found.map(|what| Finding::wrong(what, "", cure)));
        }
        Ok(url)
    }

    fn known_redirect(&self) -> &'static str {
        match self.client.redirect_uris.contains(&self.redirect_uri) {
            true => "registered, character by character",
            false => "not registered like this",
        }
    }

    /// The code becomes tokens, and the access token opens `/userinfo`.
    async fn redeems(
        &self,
        browser: &Browser<'_>,
        (stage, code): (&Stage<'_>, &str),
        told: &mut Told,
    ) -> Result<(), Failure> {
        let answer = browser.sends(self.token_request(stage, code)?).await?;
        let mut message = Message::new(
            "application \u{2192} provider",
            "POST /token".to_owned(),
            "OIDC Core \u{a7}3.1.3.1",
        )
        .part("grant_type", "authorization_code", "")
        .part(
            "code",
            NEW,
            "works once, for a minute, for this application",
        )
        .part("redirect_uri", &self.redirect_uri, "the same again")
        .part(
            "code_verifier",
            NEW,
            "the secret of this sign-in [RFC 7636 \u{a7}4.5]",
        );
        message = match self.client.auth {
            Auth::None => message.part(
                "client_id",
                &self.client.id,
                "it has no secret: `auth = \"none\"`",
            ),
            auth => message.part(
                "authentication",
                crate::commands::app::word(auth),
                "`auth` of the registration",
            ),
        };
        told.message(message);
        let tokens: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        told.message(token_answer(&answer, &tokens));
        let text = |name: &str| tokens.get(name).and_then(Value::as_str);
        match text("id_token").and_then(decoded) {
            Some((header, claims)) => told.message(self.id_token(&header, &claims, stage)),
            None => told.find(Finding::wrong(
                format!("the provider gave no ID token: {}", answer.body.trim()),
                "OIDC Core \u{a7}3.1.3.3",
                "this is a mistake of the provider: tell its makers",
            )),
        }
        if let Some(token) = text("access_token") {
            self.userinfo(browser, (stage, token), told).await?;
        }
        Ok(())
    }

    fn token_request(&self, stage: &Stage<'_>, code: &str) -> Result<Request<Body>, Failure> {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("code_verifier", &self.verifier);
        let mut request = Request::post("/token").header(HOST, stage.authority());
        match self.client.auth {
            Auth::None => {
                form.append_pair("client_id", &self.client.id);
            }
            _ => {
                let pair = format!("{}:{}", self.client.id, self.secret);
                let basic = format!("Basic {}", BASE64.encode(pair.as_bytes()));
                request = request.header(AUTHORIZATION, basic);
            }
        }
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request = request.body(Body::from(form.finish()));
        request.doing(|| "asking for tokens".to_owned())
    }

    fn id_token(&self, header: &Value, claims: &Value, stage: &Stage<'_>) -> Message {
        let mut message = Message::new(
            "in that answer",
            "the ID token, decoded".to_owned(),
            "OIDC Core \u{a7}2",
        );
        for name in ["alg", "kid"] {
            if let Some(value) = header.get(name).and_then(Value::as_str) {
                let from = match name {
                    "alg" => "`id_token_alg` of the registration",
                    _ => "a key of the rehearsal: it is in no key set",
                };
                message = message.part(format!("header {name}"), value, from);
            }
        }
        stage.claims(message, "ID token", claims)
    }

    async fn userinfo(
        &self,
        browser: &Browser<'_>,
        (stage, token): (&Stage<'_>, &str),
        told: &mut Told,
    ) -> Result<(), Failure> {
        let request = Request::get("/userinfo")
            .header(HOST, stage.authority())
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .body(Body::empty());
        let answer = browser
            .sends(request.doing(|| "asking for claims".to_owned())?)
            .await?;
        let claims: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let message = Message::new(
            "provider \u{2192} application",
            format!("GET /userinfo: {}", answer.status.as_u16()),
            "OIDC Core \u{a7}5.3.2",
        );
        told.message(stage.claims(message, "/userinfo", &claims));
        Ok(())
    }
}

/// What came back to the application: the code, if one did.
fn came_back(landed: Landed, rehearsed: &Rehearsed<'_>, told: &mut Told) -> Option<String> {
    let fields: Vec<(String, String)> = match landed {
        Landed::Page(status, said) => {
            told.message(Message::new(
                "provider \u{2192} person",
                format!("a page ({}): {said}", status.as_u16()),
                "OIDC Core \u{a7}3.1.2.6",
            ));
            told.find(Finding::wrong(
                format!("the application is told nothing; the person reads: {said}"),
                "RFC 6749 \u{a7}4.1.2.1",
                "the messages above say where it ended, the faults beside this one why",
            ));
            return None;
        }
        Landed::Away(url) => url.query_pairs().into_owned().collect(),
        Landed::Posted(_, fields) => fields,
    };
    let mut message = Message::new(
        "browser \u{2192} application",
        format!("back to {}", rehearsed.redirect_uri),
        "OIDC Core \u{a7}3.1.2.5",
    );
    for (name, value) in &fields {
        let from = match name.as_str() {
            "state" if *value == rehearsed.state => "as it was sent",
            "state" => "not as it was sent",
            "iss" => "it must be the issuer that it asked [RFC 9207 \u{a7}2.4]",
            "code" => "for `/token`, from the application's server",
            _ => "",
        };
        let value = match name.as_str() {
            "code" | "state" => NEW,
            _ => value,
        };
        message = message.part(name, value, from);
    }
    told.message(message);
    let value = |name: &str| fields.iter().find(|(own, _)| own == name);
    if let Some((_, error)) = value("error") {
        let why = value("error_description").map_or("", |(_, why)| why.as_str());
        told.find(Finding::wrong(
            format!("the application gets `{error}` instead of a code: {why}"),
            "OIDC Core \u{a7}3.1.2.6",
            "correct what the application asks for, or what it is registered for",
        ));
    }
    value("code").map(|(_, code)| code.clone())
}

fn token_answer(answer: &Answer, tokens: &Value) -> Message {
    let mut message = Message::new(
        "provider \u{2192} application",
        format!("{} with JSON", answer.status.as_u16()),
        "OIDC Core \u{a7}3.1.3.3",
    );
    let fields = tokens.as_object().into_iter().flatten();
    for (name, value) in fields {
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        let (value, from) = match name.as_str() {
            "access_token" | "id_token" | "refresh_token" => {
                (NEW.to_owned(), format!("{} characters", text.len()))
            }
            "expires_in" => (text, "seconds".to_owned()),
            _ => (text, String::new()),
        };
        message = message.part(name, value, from);
    }
    message
}

/// Header and claims of a JWT of our own making.
fn decoded(token: &str) -> Option<(Value, Value)> {
    let mut parts = token.split('.').map(|part| {
        let bytes = BASE64URL_NOPAD.decode(part.as_bytes()).ok()?;
        serde_json::from_slice::<Value>(&bytes).ok()
    });
    Some((parts.next()??, parts.next()??))
}

/// What is said of an application to which no browser is sent.
fn without_browser(client: &Client) -> Finding {
    match client.may(GrantName::DeviceCode) {
        true => Finding::note(
            "people let it in from another device: there is no redirect to walk",
            "RFC 8628 \u{a7}3",
            "",
        ),
        false => Finding::wrong(
            "nobody can sign in to it: its `grants` do not list `authorization_code`",
            "OIDC Core \u{a7}3.1",
            "add `authorization_code` to its `grants`, and a redirect address",
        ),
    }
}
