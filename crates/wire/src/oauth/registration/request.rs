//! What an application says of itself, and what of that is registered.
//!
//! Bounded are the body, its depth and every text. What this provider does not do is left out where leaving it
//! out cannot surprise anybody, and refused where it would.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use super::{Bounds, Refused, Registered, Said};
use crate::jose::SigningAlg;
use crate::json::Json;
use crate::oauth::client::{
    AccessTokenForm, Auth, Client, ClientFlaw, GrantName, Kind, Name, Subjects,
};
use crate::oauth::scope::{Scope, ScopeName};

/// What an application says, read as JSON and no further.
pub struct Wish(Json);

/// What the provider gives an application beside what it asks for.
pub struct Own<'a> {
    /// What ID tokens can be signed with.
    pub algs: &'a [SigningAlg],
    /// What was registered before; none for one that comes.
    pub former: Option<&'a Client>,
    /// The client id.
    pub id: &'a str,
    /// Whether certificates of applications are asked for anywhere.
    pub mtls: bool,
    /// When, in seconds since 1970.
    pub now: i64,
    /// The SHA-256, in hexadecimal, of a secret that nobody knows yet.
    pub secret_sha256: &'a str,
}

/// Longest body, in bytes.
const BODY_BYTES_MAX: usize = 16 * 1024;
/// Objects and lists in each other: keys in a set of keys, and nothing deeper.
const DEPTH_MAX: usize = 5;
/// Most addresses of a kind.
const REDIRECTS_MAX: usize = 10;
/// Longest name, in letters; the host comes behind it.
const NAME_CHARS_MAX: usize = 60;
/// Most and longest contacts.
const CONTACTS_MAX: (usize, usize) = (5, 120);
/// A day, in seconds.
const DAY_S: i64 = 86_400;

/// What would be fetched here: refused, because leaving it out would surprise.
const NOT_FETCHED: [(&str, &str); 2] = [
    (
        "jwks_uri",
        "nothing is fetched here: give the keys themselves as jwks",
    ),
    (
        "sector_identifier_uri",
        "nothing is fetched here: give all redirect_uris the same host",
    ),
];
/// What only the provider says: an application that says it takes an answer for a request.
// [RFC 7592 §2.2] "The updated client metadata fields request MUST NOT include the "registration_access_token", "registration_client_uri", "client_secret_expires_at", or "client_id_issued_at" fields described in Section 3."
const OURS: [&str; 4] = [
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
];

const METHODS: &str = "token_endpoint_auth_method must be client_secret_basic, client_secret_post, private_key_jwt or none";
const METHODS_AND_CERTIFICATE: &str = "token_endpoint_auth_method must be client_secret_basic, client_secret_post, private_key_jwt, self_signed_tls_client_auth (with x5c in jwks) or none";

impl Wish {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// [`Refused::NotAnObject`]; [`Refused::Statement`], before anything else is looked at.
    pub fn read(content_type: Option<&str>, body: &[u8]) -> Result<Self, Refused> {
        let media = content_type.and_then(|text| text.split(';').next());
        let is_json =
            media.is_some_and(|media| media.trim().eq_ignore_ascii_case("application/json"));
        if !is_json || body.len() > BODY_BYTES_MAX {
            return Err(Refused::NotAnObject);
        }
        let text = std::str::from_utf8(body).map_err(|_| Refused::NotAnObject)?;
        let json = Json::read(text, DEPTH_MAX).filter(|json| matches!(json, Json::Object(_)));
        let wish = Self(json.ok_or(Refused::NotAnObject)?);
        match wish.get("software_statement") {
            None => Ok(wish),
            Some(_) => Err(Refused::Statement),
        }
    }

    /// Whether a change is one of this application, and says nothing that only the provider says; and the
    /// secret is its own, if it says one.
    ///
    /// # Errors
    /// [`Refused::Metadata`].
    // [RFC 7592 §2.2] "The client MUST include its "client_id" field in the request, and it MUST be the same as its currently issued client identifier."
    pub fn is_a_change_of(&self, client: &Client) -> Result<(), Refused> {
        if self.text("client_id")? != Some(client.id.as_str()) {
            return Err(wrong(
                "client_id must be that of the application that changes",
            ));
        }
        if let Some(name) = OURS.into_iter().find(|name| self.get(name).is_some()) {
            return Err(Refused::Metadata(format!(
                "{name} must be left out of a change"
            )));
        }
        // [RFC 7592 §2.2] "If the client includes the "client_secret" field in the request, the value of this field MUST match the currently issued client secret for that client."
        match self.text("client_secret")? {
            Some(secret) if !client.has_secret(secret.as_bytes()) => {
                Err(wrong("client_secret is not that of the application"))
            }
            _ => Ok(()),
        }
    }

    /// What is registered of this.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn registered(&self, within: &Bounds, own: &Own<'_>) -> Result<Registered, Refused> {
        self.refuse_what_is_not_offered()?;
        let (kind, auth) = self.kind(own.mtls)?;
        let redirect_uris = self.redirect_uris()?;
        let grants = self.grants()?;
        let said = self.said()?;
        let place = place(&redirect_uris)?;
        // Whoever said yes has read where their data goes.
        let moves = |former: &Client| {
            let mut hosts = former.redirect_uris.iter().filter_map(|uri| host(uri));
            !hosts.any(|host| host == place)
        };
        if own.former.is_some_and(moves) {
            return Err(Refused::RedirectUri(
                "a change keeps the host of redirect_uris: register anew for another one"
                    .to_owned(),
            ));
        }
        let name = |language: &str| display(&said.names, language, (own.id, &place));
        let (secret_sha256, secret_until) =
            secret(within, own, matches!(auth, Auth::Basic | Auth::Post));
        let client = Client {
            id: own.id.to_owned(),
            name: Name {
                fr: name("fr"),
                de: name("de"),
                en: name("en"),
            },
            kind,
            grants,
            post_logout_redirect_uris: self.ways_back(&redirect_uris)?,
            initiate_login_uri: self.own_page("initiate_login_uri", &redirect_uris)?,
            home: self.own_page("client_uri", &redirect_uris)?,
            auth,
            secret_sha256,
            secret_until,
            scopes: self.scopes(within)?,
            // Programs on devices share the host of the device, which says nothing about whose they are.
            sector: (kind == Kind::Native).then(|| format!("https://{}.invalid/", own.id)),
            redirect_uris,
            ..self.with_its_keys(auth, self.protected(own, least(within)?)?)?
        };
        match client.check().into_iter().next() {
            None => Ok(Registered { client, said }),
            Some(flaw) => Err(refusal(&flaw)),
        }
    }

    // [RFC 7591 §2] "The authorization server MUST ignore any client metadata sent by the client that it does not understand (for instance, by silently removing unknown metadata from the client's registration record during processing)."
    pub(super) fn get(&self, name: &str) -> Option<&Json> {
        // [RFC 7592 §2.2] "Omitted fields MUST be treated as null or empty values by the server, indicating the client's request to delete them from the client's registration."
        self.0.get(name).filter(|value| **value != Json::Null)
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Refused> {
        match self.get(name) {
            None => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text)),
            Some(_) => Err(Refused::Metadata(format!("{name} must be text"))),
        }
    }

    fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Refused> {
        let not_a_list = || Refused::Metadata(format!("{name} must be a list of texts"));
        match self.get(name) {
            None => Ok(None),
            Some(Json::List(items)) => {
                let texts = items.iter().map(|item| item.text().map(str::to_owned));
                texts
                    .collect::<Option<_>>()
                    .map(Some)
                    .ok_or_else(not_a_list)
            }
            Some(_) => Err(not_a_list()),
        }
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, Refused> {
        match self.get(name) {
            None => Ok(false),
            Some(Json::Bool(flag)) => Ok(*flag),
            Some(_) => Err(Refused::Metadata(format!("{name} must be true or false"))),
        }
    }

    fn refuse_what_is_not_offered(&self) -> Result<(), Refused> {
        // [RFC 7591 §2] "The "jwks_uri" and "jwks" parameters MUST NOT both be present in the same request or response."
        let mut fetched = NOT_FETCHED.into_iter();
        if let Some((name, cure)) = fetched.find(|(name, _)| self.get(name).is_some()) {
            return Err(Refused::Metadata(format!("{name}: {cure}")));
        }
        // [RFC 7591 §2.1] the response types that fit the grants; there is no implicit flow.
        let types = self.texts("response_types")?;
        match types.is_none_or(|types| types == ["code"]) {
            true => Ok(()),
            false => Err(wrong(
                "response_types must be [code]: there is no other flow",
            )),
        }
    }

    /// Where its codes go. A program's own scheme is none of these: it would stand in the policy of every page,
    /// for everybody.
    fn redirect_uris(&self) -> Result<Vec<String>, Refused> {
        let uris = self.texts("redirect_uris")?.unwrap_or_default();
        let of_web = |uri: &String| uri.starts_with("https://") || uri.starts_with("http://");
        match uris.len() <= REDIRECTS_MAX && uris.iter().all(of_web) {
            true => Ok(uris),
            false => Err(Refused::RedirectUri(format!(
                "redirect_uris must be at most {REDIRECTS_MAX}, each https, or http on the loopback address"
            ))),
        }
    }

    /// Where people are sent after signing out.
    fn ways_back(&self, redirect_uris: &[String]) -> Result<Vec<String>, Refused> {
        let uris = self.texts("post_logout_redirect_uris")?.unwrap_or_default();
        match uris.len() <= REDIRECTS_MAX && uris.iter().all(|uri| is_on(uri, redirect_uris)) {
            true => Ok(uris),
            false => Err(wrong(
                "post_logout_redirect_uris must be few, and on the host of redirect_uris",
            )),
        }
    }

    /// What kind of program it is, and how it authenticates.
    fn kind(&self, mtls: bool) -> Result<(Kind, Auth), Refused> {
        let native = match self.text("application_type")? {
            None | Some("web") => false,
            Some("native") => true,
            Some(_) => return Err(wrong("application_type must be web or native")),
        };
        let auth = match self.text("token_endpoint_auth_method")? {
            Some("client_secret_post") => Auth::Post,
            Some("private_key_jwt") => Auth::PrivateKeyJwt,
            Some("none") => Auth::None,
            // [RFC 7591 §2] "If unspecified or omitted, the default is "client_secret_basic""
            None if !native => Auth::Basic,
            // It could not keep a secret: this is replaced, and the answer says so.
            None => Auth::None,
            Some("client_secret_basic") => Auth::Basic,
            // Nobody's authority is believed because a stranger names it: the certificate itself is registered.
            Some("self_signed_tls_client_auth") if mtls => Auth::SelfSignedTlsClientAuth,
            // Its secret would have to be kept, and not only a digest.
            Some(_) if mtls => return Err(wrong(METHODS_AND_CERTIFICATE)),
            Some(_) => return Err(wrong(METHODS)),
        };
        let kind = match (native, auth) {
            (true, _) => Kind::Native,
            (false, Auth::None) => Kind::Public,
            (false, _) => Kind::Confidential,
        };
        Ok((kind, auth))
    }

    fn grants(&self) -> Result<Vec<GrantName>, Refused> {
        let names = self.texts("grant_types")?;
        let Some(names) = names.filter(|names| !names.is_empty()) else {
            return Ok(vec![GrantName::AuthorizationCode]);
        };
        let mut grants = Vec::new();
        for name in &names {
            let grant = match name.as_str() {
                "authorization_code" => GrantName::AuthorizationCode,
                "refresh_token" => GrantName::RefreshToken,
                _ => {
                    return Err(wrong(
                        "grant_types may be authorization_code and refresh_token only",
                    ));
                }
            };
            if !grants.contains(&grant) {
                grants.push(grant);
            }
        }
        grants.sort_unstable();
        match grants.contains(&GrantName::AuthorizationCode) {
            true => Ok(grants),
            false => Err(wrong("grant_types must contain authorization_code")),
        }
    }

    /// What it asks for, and no more than it may have; all that if it does not say.
    fn scopes(&self, within: &Bounds) -> Result<Vec<ScopeName>, Refused> {
        let asked = self.text("scope")?.map(Scope::understood);
        let may = |scope: &ScopeName| {
            let always = *scope == ScopeName::Openid;
            let asked = asked.as_ref().is_none_or(|asked| asked.has(*scope));
            always || within.scopes.contains(scope) && asked
        };
        Ok(ScopeName::ALL.into_iter().filter(may).collect())
    }

    /// A page that is shown to people as the application's, if it is on one of its own hosts.
    fn own_page(&self, name: &str, redirect_uris: &[String]) -> Result<Option<String>, Refused> {
        let page = self.text(name)?;
        let own = page.filter(|page| is_on(page, redirect_uris));
        Ok(own.map(str::to_owned))
    }

    fn said(&self) -> Result<Said, Refused> {
        let mut names = BTreeMap::new();
        for field in [
            "client_name",
            "client_name#fr",
            "client_name#de",
            "client_name#en",
        ] {
            if let Some(name) = self.text(field)? {
                if !is_presentable(name) {
                    return Err(Refused::Metadata(format!(
                        "{field} must be 1 to {NAME_CHARS_MAX} letters, digits and plain punctuation"
                    )));
                }
                names.insert(field.to_owned(), name.to_owned());
            }
        }
        let contacts = self.texts("contacts")?.unwrap_or_default();
        let (many, long) = CONTACTS_MAX;
        let plain = |contact: &String| {
            (1..=long).contains(&contact.len())
                && contact.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        };
        match contacts.len() <= many && contacts.iter().all(plain) {
            true => Ok(Said { contacts, names }),
            false => Err(wrong("contacts must be at most 5 short plain texts")),
        }
    }
}

pub(super) fn wrong(sentence: &str) -> Refused {
    Refused::Metadata(sentence.to_owned())
}

/// Letters and digits of any alphabet with plain punctuation: nothing that turns the direction of writing, and
/// nothing that cannot be seen.
fn is_presentable(name: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || " '’-–.,:!?&()/+".contains(c);
    let long = name.chars().count();
    name.trim() == name && (1..=NAME_CHARS_MAX).contains(&long) && name.chars().all(plain)
}

fn host(uri: &str) -> Option<String> {
    Url::parse(uri).ok()?.host_str().map(str::to_owned)
}

/// Whether an address of the web is on one of the hosts to which its codes go.
fn is_on(uri: &str, redirect_uris: &[String]) -> bool {
    let of_web = uri.starts_with("https://") || uri.starts_with("http://");
    let own = host(uri).filter(|_| of_web);
    own.is_some() && redirect_uris.iter().any(|uri| host(uri) == own)
}

/// Where its answers go, as people are told it: to one host. The device itself has several names.
fn place(redirect_uris: &[String]) -> Result<String, Refused> {
    let hosts: BTreeSet<_> = redirect_uris.iter().filter_map(|uri| host(uri)).collect();
    // Plain http is for the loopback address, and for nothing else.
    let on_device = redirect_uris.iter().all(|uri| uri.starts_with("http://"));
    match hosts.len() <= 1 || on_device {
        true => Ok(hosts.into_iter().next().unwrap_or_default()),
        false => Err(Refused::RedirectUri(
            "redirect_uris must all be on one host".to_owned(),
        )),
    }
}

/// What people read: its name in their language, and always where their data goes. A stranger chose the name.
fn display(names: &BTreeMap<String, String>, language: &str, (id, place): (&str, &str)) -> String {
    let own = names.get(&format!("client_name#{language}"));
    let name = own.or_else(|| names.get("client_name"));
    let name = name.or_else(|| names.values().next());
    format!("{} ({place})", name.map_or(id, String::as_str))
}

/// The digest of its secret, and when that ends. A change keeps a secret that has no end.
fn secret(within: &Bounds, own: &Own<'_>, uses: bool) -> (Option<String>, Option<i64>) {
    if !uses {
        return (None, None);
    }
    let former = own.former.filter(|former| former.secret_until.is_none());
    if let Some(known) = former.and_then(|former| former.secret_sha256.clone()) {
        return (Some(known), None);
    }
    let days = within.secret_days.map(i64::from);
    let until = days.map(|days| own.now.saturating_add(days.saturating_mul(DAY_S)));
    (Some(own.secret_sha256.to_owned()), until)
}

/// An application with the rights of one of which nothing is written: what is added to registrations later is
/// not given to anybody here by that.
fn least(within: &Bounds) -> Result<Client, Refused> {
    let nothing = r#"{"id":"","name":{"fr":"","de":"","en":""},"kind":"public","auth":"none"}"#;
    let client: Client = serde_json::from_str(nothing).map_err(|_| Refused::NotAnObject)?;
    Ok(Client {
        access_token: AccessTokenForm::Opaque,
        subject: Subjects::Pairwise,
        salt: Some(within.salt.clone()),
        minimum: within.minimum,
        trusted: false,
        ..client
    })
}

/// A flaw of what would be registered, as the standard names it.
fn refusal(flaw: &ClientFlaw) -> Refused {
    let sentence = flaw.to_string().replace('`', "");
    match flaw {
        ClientFlaw::NoRedirect | ClientFlaw::Subject(_) => Refused::RedirectUri(match flaw {
            ClientFlaw::Subject(_) => "all redirect_uris must have the same host".to_owned(),
            _ => sentence,
        }),
        ClientFlaw::Uri { field, .. } if *field == "redirect_uris" => {
            Refused::RedirectUri(sentence)
        }
        ClientFlaw::Twice(_) => Refused::RedirectUri(sentence),
        ClientFlaw::Name => wrong(
            "client_name and the host of redirect_uris must have at most 97 characters together",
        ),
        _ => Refused::Metadata(sentence),
    }
}
