//! Browsers without a page: cookies, and the journeys that are open in their tabs.

use url::form_urlencoded;

use super::nodes::ORIGIN;
use crate::memory::Jar;
use crate::{Answer, Attempt};

/// 43 characters of the alphabet that [RFC 7636 §4.1] allows, and their challenge [RFC 7636 §Appendix B].
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// Where the portal has its codes sent.
const REDIRECT: &str = "http://localhost:8401/callback";
/// The name of the session's cookie.
pub(super) const SESSION: &str = "furka-session";
/// So many journeys are open in the tabs of a browser.
const TABS: usize = 3;

/// Whose browser it is, and where it stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Whose {
    /// The person's, at home.
    Home,
    /// The person's second one, at home.
    Phone,
    /// The person's, at school.
    School,
    /// Of somebody at home who knows the person's password.
    Thief,
}

impl Whose {
    /// The browsers around each person.
    pub(super) const ALL: [Self; 4] = [Self::Home, Self::School, Self::Phone, Self::Thief];

    pub(super) fn is_inside(self) -> bool {
        self == Self::School
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Home => "at home",
            Self::Phone => "on the phone",
            Self::School => "at school",
            Self::Thief => "the thief",
        }
    }
}

/// A journey in a tab.
#[derive(Clone, Debug)]
pub(super) struct Tab {
    /// See `Somebody::epoch`.
    pub(super) epoch: u32,
    pub(super) path: String,
    /// Whether two factors were asked for.
    pub(super) strong: bool,
}

/// One browser.
pub(super) struct Browser {
    pub(super) jar: Jar,
    pub(super) owner: usize,
    /// Its session in the ledger, if it was told of one.
    pub(super) session: Option<usize>,
    /// What is open, the newest last.
    pub(super) tabs: Vec<Tab>,
    pub(super) whose: Whose,
}

impl Browser {
    pub(super) fn new(owner: usize, whose: Whose) -> Self {
        Self {
            jar: Jar::default(),
            owner,
            session: None,
            tabs: Vec::new(),
            whose,
        }
    }

    /// The address from which it comes.
    pub(super) fn address(&self) -> [u8; 4] {
        let owner = self.owner as u8;
        match self.whose {
            Whose::Home | Whose::Phone => [81, 1, owner, 7],
            Whose::School => [192, 0, 2, owner],
            Whose::Thief => [81, 2, owner, 66],
        }
    }

    /// Opens a journey in a tab, or comes back to it.
    pub(super) fn opens(&mut self, tab: Tab) {
        self.tabs.retain(|open| open.path != tab.path);
        self.tabs.push(tab);
        if self.tabs.len() > TABS {
            self.tabs.remove(0);
        }
    }
}

/// An authorization request of the portal.
pub(super) fn asks(strong: bool) -> Attempt {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("response_type", "code")
        .append_pair("client_id", "ent")
        .append_pair("redirect_uri", REDIRECT)
        .append_pair("scope", "openid")
        .append_pair("state", "a-state")
        .append_pair("nonce", "a-nonce")
        .append_pair("code_challenge", CHALLENGE)
        .append_pair("code_challenge_method", "S256");
    if strong {
        query.append_pair("acr_values", "https://refeds.org/profile/mfa");
    }
    get(&format!("/authorize?{}", query.finish()))
}

/// The portal redeems a code.
pub(super) fn redeems(code: &str) -> Attempt {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let secret = format!("ent:{}", crate::memory::ENT_SECRET);
    let secret = data_encoding::BASE64.encode(secret.as_bytes());
    post("/token", &fields).header("authorization", &format!("Basic {secret}"))
}

pub(super) fn get(path: &str) -> Attempt {
    Attempt::get(&format!("{ORIGIN}{path}"))
}

pub(super) fn post(path: &str, fields: &[(&str, &str)]) -> Attempt {
    Attempt::post(&format!("{ORIGIN}{path}"), fields)
}

/// The session that an answer begins.
pub(super) fn session_in(answer: &Answer) -> Option<String> {
    let lines = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie");
    let mut values = lines.filter_map(|(_, line)| {
        let (name, rest) = line.split_once('=')?;
        let value = rest.split(';').next()?;
        (name == SESSION && !value.is_empty()).then(|| value.to_owned())
    });
    values.next()
}

/// The authorization code that an answer gives.
pub(super) fn code_in(answer: &Answer) -> Option<String> {
    let url = url::Url::parse(answer.location()).ok()?;
    let mut pairs = url.query_pairs();
    pairs
        .find(|(name, _)| name == "code")
        .map(|(_, code)| code.into_owned())
}

/// What stands between two texts of a page.
pub(super) fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?
        .1
        .split_once(after)
        .map(|(found, _)| found)
}

/// What a token says of itself: its `acr`.
pub(super) fn acr_of(tokens: &serde_json::Value) -> Option<String> {
    let payload = tokens.get("id_token")?.as_str()?.split('.').nth(1)?;
    let claims = data_encoding::BASE64URL_NOPAD
        .decode(payload.as_bytes())
        .ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
    Some(claims.get("acr")?.as_str()?.to_owned())
}
