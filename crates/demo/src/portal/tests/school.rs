//! The ISM against a provider that can lie, and answers that belong to nobody.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::header::CONTENT_TYPE;
use wire::jose::{SigningAlg, SigningKey};
use wire::oidc::Issuer;
use wire::saml::application::Known;
use wire::saml::logout::Making;
use wire::saml::metadata::{Described, Names, describe};
use wire::saml::request::{Expected, Registered};
use wire::saml::response::{self, Attribute, Statement};
use wire::saml::{
    AuthnRequest, Credential, Fault, Idp, LogoutRequest, LogoutResponse, NameId, NameIdFormat,
    Received, ServiceProvider as Application, Status, certificate,
};

use super::*;
use crate::portal::service_provider::METADATA_S;

static KEY: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::generate(SigningAlg::Rs256).unwrap());
static CERTIFICATE: LazyLock<String> = LazyLock::new(|| certificate(&KEY).unwrap());

/// Two identifiers must not be the same.
static CHANCE: LazyLock<[u8; 96]> = LazyLock::new(|| std::array::from_fn(|at| at as u8));

fn idp() -> Idp {
    Idp::of(&Issuer::parse(ISSUER).unwrap())
}

fn credential() -> Credential<'static> {
    Credential::new(&KEY, &CERTIFICATE)
}

/// A provider that has nothing but its metadata, and may be away.
#[derive(Default)]
struct Provider {
    away: AtomicBool,
}

#[async_trait]
impl Reach for Provider {
    async fn call(&self, request: Request<Body>) -> Response<Body> {
        assert_eq!(request.uri().path(), "/saml/metadata");
        if self.away.load(Ordering::SeqCst) {
            return StatusCode::BAD_GATEWAY.into_response();
        }
        assert_eq!(request.headers()["x-forwarded-for"], "198.51.100.20");
        let names = Names {
            fr: "Canton".to_owned(),
            de: "Kanton".to_owned(),
        };
        let what = Described {
            id: "_m",
            scopes: &["localhost".to_owned()],
            names: &names,
            valid_until: NOW + 86_400,
        };
        let text = describe(&idp(), &what, &[credential()]).unwrap();
        ([(CONTENT_TYPE, "application/samlmetadata+xml")], text).into_response()
    }
}

/// What the provider states, and where it departs from the truth.
fn statement() -> Statement {
    let told = |name, friendly, values: &[&str]| Attribute {
        name,
        friendly,
        values: values.iter().map(|&value| value.to_owned()).collect(),
    };
    Statement {
        name_id: NameId {
            format: NameIdFormat::Persistent,
            value: "opaque".to_owned(),
        },
        auth_instant: NOW - 120,
        session_index: "s-1".to_owned(),
        session_until: NOW + 3600,
        class: ACR_STRONG,
        attributes: vec![
            told("urn:oid:2.5.4.42", "givenName", &["Anna"]),
            told(
                "urn:oasis:names:tc:SAML:attribute:subject-id",
                "subject-id",
                &["7c1@localhost"],
            ),
            told(
                "http://schemas.microsoft.com/claims/authnmethodsreferences",
                "amr",
                &["pwd", "sms", "mfa"],
            ),
        ],
    }
}

/// The same in another session.
fn in_session(index: &str) -> Statement {
    Statement {
        session_index: index.to_owned(),
        ..statement()
    }
}

/// What the provider sends, by itself, when a session ends.
fn news(chance: u8, session: &str) -> String {
    let application = School::application();
    let name_id = statement().name_id;
    let made = |making: &Making<'_>| making.news(application.party(), &name_id, session);
    speaks(chance, made).form()
}

/// The ISM, and a browser in front of it.
struct School {
    portal: Router,
    provider: Arc<Provider>,
    clock: Arc<Clockwork>,
    browser: Browser,
}

impl School {
    fn new() -> Self {
        let clock = Arc::new(Clockwork::at(NOW));
        let provider = Arc::new(Provider::default());
        Self {
            portal: ism(&settings(), (provider.clone(), clock.clone())),
            provider,
            clock,
            browser: Browser::default(),
        }
    }

    fn application() -> Application {
        let own = settings().ism_own();
        let text = own.metadata(settings().ism_key.credential().certificate());
        Application::read(&text, None, NOW).unwrap()
    }

    /// Clicks « Se connecter »; the request as the provider reads it.
    async fn begins(&mut self, path: &str) -> AuthnRequest {
        let seen = self.browser.opens(&self.portal, path).await;
        assert_eq!(seen.status, StatusCode::SEE_OTHER, "{}", seen.body);
        let url = Url::parse(&seen.location).unwrap();
        assert_eq!(url.path(), "/saml/sso");
        let received = Received::redirect(url.query().unwrap().as_bytes()).unwrap();
        let (here, metadata) = (idp().sso, Self::application());
        let now = self.clock.now_unix();
        let find = |_: &str| {
            Some(Registered {
                metadata: &metadata,
                must_sign: true,
            })
        };
        AuthnRequest::read(&received, Expected { here: &here, now }, find).unwrap()
    }

    /// The form that brings an answer.
    fn answer(&self, request: &AuthnRequest, statement: &Statement) -> String {
        let making = response::Making {
            idp: &idp(),
            credential: &credential(),
            now: self.clock.now_unix(),
            chance: &CHANCE,
        };
        making.response(request, statement, None).unwrap().form()
    }

    /// Brings an answer, as far as the browser is led.
    async fn brings(&mut self, form: &str) -> Seen {
        let seen = self.browser.posts(&self.portal, "/saml/acs", form).await;
        if seen.location.starts_with("/saml/enter?") {
            return self.browser.opens(&self.portal, &seen.location).await;
        }
        seen
    }

    async fn signs_in(&mut self, path: &str) -> Seen {
        let request = self.begins(path).await;
        let form = self.answer(&request, &statement());
        self.brings(&form).await
    }

    async fn whoami(&mut self) -> (StatusCode, Value) {
        let seen = self.browser.opens(&self.portal, "/api/whoami").await;
        let claims = serde_json::from_str(&seen.body);
        (seen.status, claims.unwrap_or(Value::Null))
    }

    async fn is_nobody(&mut self) {
        assert_eq!(self.whoami().await.0, StatusCode::UNAUTHORIZED);
    }

    /// The provider sends the browser with a logout message.
    async fn is_sent(&mut self, message: &wire::saml::Outgoing) -> Seen {
        let location = message.location(&credential()).unwrap();
        let path = location.strip_prefix("http://localhost:8402").unwrap();
        self.browser.opens(&self.portal, path).await
    }
}

/// Something that the provider makes for a logout.
fn speaks<T>(chance: u8, make: impl FnOnce(&Making<'_>) -> Option<T>) -> T {
    let made = make(&Making {
        speaker: &idp().entity_id,
        credential: &credential(),
        now: NOW,
        chance: &[chance; 20],
    });
    made.unwrap()
}

/// [Guide 2.2] « Se connecter »: the same page, the same words, in another language of machines.
#[tokio::test]
async fn somebody_signs_in_at_the_ism_and_is_greeted() {
    let mut school = School::new();
    let request = school.begins("/login?target=/%3Fwelcome").await;
    assert_eq!(request.requested.as_ref().unwrap().classes, [ACR_STRONG]);
    let answer = school.answer(&request, &statement());
    let seen = school.brings(&answer).await;
    assert_eq!(
        (seen.status, seen.location.as_str()),
        (StatusCode::SEE_OTHER, "/?welcome")
    );
    let (status, claims) = school.whoami().await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(claims["sub"], "7c1");
    assert_eq!(claims["acr"], ACR_STRONG);
    assert_eq!(claims["amr"], json!(["pwd", "sms", "mfa"]));
    let desk = school.browser.opens(&school.portal, "/").await.body;
    for words in [
        "Bonjour Anna",
        "Authentification forte",
        "mot de passe et code par SMS",
        "il y a 2 min",
    ] {
        assert!(desk.contains(words), "{words} is missing in {desk}");
    }
    // The provider said until when.
    school.clock.passes(3600);
    school.is_nobody().await;
}

#[tokio::test]
async fn the_ism_refuses_a_password_session() {
    let mut school = School::new();
    let request = school.begins("/login").await;
    let weak = Statement {
        class: wire::saml::context::PASSWORD,
        ..statement()
    };
    let form = school.answer(&request, &weak);
    let seen = school.brings(&form).await;
    assert_eq!(seen.status, StatusCode::FORBIDDEN);
    assert!(seen.body.contains("exige une authentification forte"));
    school.is_nobody().await;
}

/// [X08] An answer counts once, in the browser that asked, with the state that was sent along.
#[tokio::test]
async fn an_answer_counts_once_and_for_whoever_asked() {
    let mut school = School::new();
    let request = school.begins("/login").await;
    let answer = school.answer(&request, &statement());
    let stateless = answer.split("&RelayState").next().unwrap().to_owned();

    let mut other = Browser::default();
    let seen = other.posts(&school.portal, "/saml/acs", &answer).await;
    let seen = other.opens(&school.portal, &seen.location).await;
    assert_eq!(seen.status, StatusCode::BAD_REQUEST);
    assert!(seen.body.contains("pas été commencée dans ce navigateur"));
    // Whoever carried it off has spent it: its owner begins again.
    assert_eq!(school.brings(&answer).await.status, StatusCode::BAD_REQUEST);

    let request = school.begins("/login").await;
    let seen = school.brings(&school.answer(&request, &statement())).await;
    assert_eq!(seen.status, StatusCode::SEE_OTHER);
    let again = school.answer(&request, &statement());
    assert_eq!(school.brings(&again).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        school.brings(&stateless).await.status,
        StatusCode::BAD_REQUEST
    );

    let request = school.begins("/login").await;
    let lost = AuthnRequest {
        relay_state: Some("another".to_owned()),
        ..request
    };
    let form = school.answer(&lost, &statement());
    assert_eq!(school.brings(&form).await.status, StatusCode::BAD_REQUEST);
}

/// An answer that nobody asked for might bring the name of somebody else: it only begins a sign-in.
#[tokio::test]
async fn an_answer_that_nobody_asked_for_begins_a_sign_in() {
    let mut school = School::new();
    let application = School::application();
    let consumer = application.default_consumer().unwrap();
    let unsolicited = AuthnRequest::unsolicited(&application, consumer);
    let seen = school
        .brings(&school.answer(&unsolicited, &statement()))
        .await;
    assert_eq!(
        (seen.status, seen.location.as_str()),
        (StatusCode::SEE_OTHER, "/login")
    );
    school.is_nobody().await;
}

/// [X01] [X05] Whatever was changed, cut off or made up on the way leads to no session.
#[tokio::test]
async fn answers_that_do_not_hold_lead_to_no_session() {
    let mut school = School::new();
    let request = school.begins("/login").await;
    let strangers = settings().ism_key;
    let making = response::Making {
        idp: &idp(),
        credential: &strangers.credential(),
        now: NOW,
        chance: &CHANCE,
    };
    let foreign = making
        .response(&request, &statement(), None)
        .unwrap()
        .form();
    let elsewhere = AuthnRequest {
        issuer: "http://localhost:8402/other".to_owned(),
        ..request.clone()
    };
    let elsewhere = school.answer(&elsewhere, &statement());
    school.clock.passes(-400);
    let early = school.answer(&request, &statement());
    school.clock.passes(400);
    for form in [
        &foreign,
        &elsewhere,
        &early,
        "",
        "SAMLResponse=x",
        "SAMLRequest=PGEvPg==",
    ] {
        let seen = school.brings(form).await;
        assert_eq!(seen.status, StatusCode::BAD_REQUEST, "{form}");
        school.is_nobody().await;
    }
}

#[tokio::test]
async fn what_the_provider_declines_is_told_in_words() {
    for (fault, code, words) in [
        (Fault::Passive, "NoPassive", "pas encore connecté"),
        (Fault::Denied, "RequestDenied", "refusée ou interrompue"),
        (
            Fault::Binding,
            "UnsupportedBinding",
            "pas accepté la demande",
        ),
    ] {
        let mut school = School::new();
        let request = school.begins("/login?prompt=none").await;
        assert!(request.is_passive && !request.force_authn);
        let making = response::Making {
            idp: &idp(),
            credential: &credential(),
            now: NOW,
            chance: &CHANCE,
        };
        let refusal = making.refusal(&request, fault).unwrap().form();
        let seen = school.brings(&refusal).await;
        assert_eq!(seen.status, StatusCode::FORBIDDEN);
        assert!(
            seen.body.contains(words) && seen.body.contains(code),
            "{code}"
        );
        school.is_nobody().await;
    }
    assert!(
        School::new()
            .begins("/login?prompt=login")
            .await
            .force_authn
    );
}

/// [Profiles §4.4] The ISM asks the provider to end the session, and believes its answer once.
#[tokio::test]
async fn signing_out_ends_the_session_here_and_at_the_provider() {
    for (status, says) in [
        (Status::SUCCESS, "/signed-out"),
        (Status::PARTIAL_LOGOUT, "/signed-out?partly"),
    ] {
        let mut school = School::new();
        school.signs_in("/login").await;
        let seen = school.browser.posts(&school.portal, "/logout", "").await;
        school.is_nobody().await;
        let url = Url::parse(&seen.location).unwrap();
        assert_eq!(url.path(), "/saml/slo");
        let received = Received::redirect(url.query().unwrap().as_bytes()).unwrap();
        let (here, application) = (idp().slo, School::application());
        let expected = Expected {
            here: &here,
            now: NOW,
        };
        let asked = LogoutRequest::read(&received, expected, |_| Some(application.party()));
        let asked = asked.unwrap();
        assert_eq!(asked.name_id, statement().name_id);
        assert_eq!(asked.session_indexes, ["s-1"]);

        let (_, answer) = speaks(9, |making| {
            asked.answer(making, application.party(), status)
        });
        let seen = school.is_sent(&answer).await;
        assert_eq!(seen.location, says);
        let seen = school.browser.opens(&school.portal, says).await;
        assert!(seen.body.contains("Vous êtes déconnecté"));
        assert_eq!(
            seen.body.contains("restée ouverte"),
            says.ends_with("partly")
        );
        assert_eq!(
            school.is_sent(&answer).await.status,
            StatusCode::BAD_REQUEST
        );
    }
}

/// [X11] The provider ends the sessions that it names, and nobody else ends any.
#[tokio::test]
async fn a_session_ends_when_the_provider_says_so_and_only_then() {
    let mut school = School::new();
    school.signs_in("/login").await;
    let application = School::application();
    let whose = |value: &str, session: &str| Known {
        name_id: NameId {
            format: NameIdFormat::Persistent,
            value: value.to_owned(),
        },
        session_index: session.to_owned(),
    };
    let asks = |chance, known: &Known| {
        let (_, message) = speaks(chance, |making| {
            making.request(application.party(), &known.name_id, &known.session_index)
        });
        message
    };
    for (chance, other) in [(1, whose("another", "s-1")), (2, whose("opaque", "s-2"))] {
        let seen = school.is_sent(&asks(chance, &other)).await;
        assert!(seen.location.starts_with(&idp().slo));
        assert_eq!(school.whoami().await.0, StatusCode::OK);
    }
    let right = asks(3, &whose("opaque", "s-1"));
    let foreign = right.location(&settings().ism_key.credential()).unwrap();
    let foreign = foreign.strip_prefix("http://localhost:8402").unwrap();
    let seen = school.browser.opens(&school.portal, foreign).await;
    assert_eq!(seen.status, StatusCode::BAD_REQUEST);
    assert_eq!(school.whoami().await.0, StatusCode::OK);

    let seen = school.is_sent(&right).await;
    let (_, query) = seen.location.split_once('?').unwrap();
    let received = Received::redirect(query.as_bytes()).unwrap();
    let here = idp().slo;
    let expected = Expected {
        here: &here,
        now: NOW,
    };
    let answer = LogoutResponse::read(&received, expected, |_| Some(application.party()));
    assert!(answer.unwrap().success);
    school.is_nobody().await;
    assert_eq!(school.is_sent(&right).await.status, StatusCode::BAD_REQUEST);

    // And without a browser.
    let request = school.begins("/login").await;
    let form = school.answer(&request, &in_session("s-3"));
    school.brings(&form).await;
    let known = whose("opaque", "s-3");
    let news = |chance, session: &str| {
        speaks(chance, |making| {
            making.news(application.party(), &known.name_id, session)
        })
    };
    let mut provider = Browser::default();
    for (news, left) in [
        (news(4, "s-2"), StatusCode::OK),
        (news(5, "s-3"), StatusCode::UNAUTHORIZED),
    ] {
        let seen = provider
            .posts(&school.portal, "/saml/slo", &news.form())
            .await;
        assert_eq!((seen.status, seen.location.as_str()), (StatusCode::OK, ""));
        assert_eq!(school.whoami().await.0, left);
        let again = provider
            .posts(&school.portal, "/saml/slo", &news.form())
            .await;
        assert_eq!(again.status, StatusCode::BAD_REQUEST);
    }
}

/// What lay open while somebody signed out lets nobody in afterwards, whoever ended the session.
#[tokio::test]
async fn an_answer_to_a_request_of_before_the_sign_out_opens_nothing() {
    for by_the_provider in [false, true] {
        let mut school = School::new();
        let lay_open = school.begins("/login").await;
        school.signs_in("/login").await;
        assert_eq!(school.whoami().await.0, StatusCode::OK);
        match by_the_provider {
            true => {
                let mut provider = Browser::default();
                let form = news(7, "s-1");
                let seen = provider.posts(&school.portal, "/saml/slo", &form).await;
                assert_eq!(seen.status, StatusCode::OK);
            }
            false => {
                school.browser.posts(&school.portal, "/logout", "").await;
            }
        }
        let answer = school.answer(&lay_open, &in_session("s-2"));
        let seen = school.brings(&answer).await;
        assert_eq!(seen.status, StatusCode::BAD_REQUEST, "{by_the_provider}");
        school.is_nobody().await;
        let request = school.begins("/login").await;
        let answer = school.answer(&request, &in_session("s-2"));
        assert_eq!(school.brings(&answer).await.status, StatusCode::SEE_OTHER);
    }
}

/// [Core §3.7.3.2] The end of a session may be heard of before the session.
#[tokio::test]
async fn an_assertion_of_a_session_that_is_over_opens_nothing() {
    let mut school = School::new();
    let request = school.begins("/login").await;
    let answer = school.answer(&request, &in_session("s-9"));
    let mut provider = Browser::default();
    let form = news(8, "s-9");
    provider.posts(&school.portal, "/saml/slo", &form).await;
    assert_eq!(school.brings(&answer).await.status, StatusCode::BAD_REQUEST);
    school.is_nobody().await;
    assert_eq!(
        school.signs_in("/login").await.status,
        StatusCode::SEE_OTHER
    );
}

/// Nobody is told that they are signed out everywhere when nobody could be asked.
#[tokio::test]
async fn a_sign_out_while_the_provider_is_away_says_so() {
    let mut school = School::new();
    school.signs_in("/login").await;
    school.clock.passes(METADATA_S + 1);
    school.provider.away.store(true, Ordering::SeqCst);
    let seen = school.browser.posts(&school.portal, "/logout", "").await;
    assert_eq!(seen.location, "/signed-out?here-only");
    school.is_nobody().await;
    let seen = school.browser.opens(&school.portal, &seen.location).await;
    assert!(
        seen.body.contains("n’a pas pu être atteint"),
        "{}",
        seen.body
    );
    // Nobody was signed in: there is nothing that stayed open.
    let seen = school.browser.posts(&school.portal, "/logout", "").await;
    assert_eq!(seen.location, "/signed-out");
}

/// [Core §3.4.1] Whoever asks for a new proof looks whether there was one, as far as clocks agree.
#[tokio::test]
async fn a_proof_of_before_the_request_is_not_anew() {
    for (before, status) in [
        (120, StatusCode::BAD_REQUEST),
        (61, StatusCode::BAD_REQUEST),
        (60, StatusCode::SEE_OTHER),
        (-5, StatusCode::SEE_OTHER),
    ] {
        let mut school = School::new();
        let request = school.begins("/login?prompt=login").await;
        school.clock.passes(30);
        let stated = Statement {
            auth_instant: NOW - before,
            ..statement()
        };
        let seen = school.brings(&school.answer(&request, &stated)).await;
        assert_eq!(seen.status, status, "{before} s before");
    }
}
