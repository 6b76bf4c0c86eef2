//! Says what is wrong with an application's registration, in words for the technician who wrote it.

use std::collections::BTreeSet;

use data_encoding::HEXLOWER_PERMISSIVE;

use super::{
    Auth, Client, GrantName, Kind, UriFlaw, flaw_of_registered, secret_digest, web_origin,
};
use crate::jose::{JwkFlaw, VerifyingKeys};
use crate::oauth::scope::ScopeName;

/// One thing that is wrong with a registration.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ClientFlaw {
    /// The id is empty, too long or has odd characters.
    #[error("the id must be 1 to 64 of `a`-`z`, `0`-`9`, `-`, `_` and `.`")]
    Id,
    /// A name is empty or longer than 100 characters.
    #[error("the name must be given in fr, de and en, each at most 100 characters")]
    Name,
    /// There is nowhere to send codes, or more than 50 places.
    #[error("`redirect_uris` must list 1 to 50 addresses")]
    NoRedirect,
    /// A URI cannot be registered.
    #[error("`{field}` `{uri}`: {flaw}")]
    Uri {
        /// The key in the file.
        field: &'static str,
        /// The URI as written.
        uri: String,
        /// What is wrong with it.
        flaw: UriFlaw,
    },
    /// A URI is listed twice.
    #[error("`{0}` is listed twice")]
    Twice(String),
    /// The kind and the authentication do not fit.
    #[error(
        "a confidential application needs `auth` \"basic\", \"post\", \"secret_jwt\", \"private_key_jwt\", \"tls_client_auth\" or \
         \"self_signed_tls_client_auth\"; \
         a public or native one needs \"none\" or \"private_key_jwt\""
    )]
    AuthDoesNotFit,
    /// `basic` or `post` without a digest.
    #[error("`secret_sha256` is missing; generate a secret and write its SHA-256 here")]
    SecretMissing,
    /// Not 64 hexadecimal digits.
    #[error(
        "`secret_sha256` must be 64 hexadecimal digits: the SHA-256 of the secret, not the secret"
    )]
    SecretNotADigest,
    /// The digest of nothing or of a word everybody tries.
    #[error("the secret is empty or a well-known word; generate one of 43 random characters")]
    SecretWeak,
    /// A secret where none is used.
    #[error("`secret_sha256` is given but `auth` does not use it; remove one of the two")]
    SecretUnused,
    /// Where the secret is kept is not said, or not said so that it can be found.
    #[error("`secret`: {0}")]
    SharedSecret(&'static str),
    /// `private_key_jwt` without keys.
    #[error("`jwks` must list 1 to 10 public keys")]
    KeysMissing,
    /// Keys where none are used.
    #[error(
        "`jwks` has a key for signatures, but neither is `auth` \"private_key_jwt\" nor \
         `require_signed_request_object` true; remove the key, or say `use: enc` if it is for encryption"
    )]
    KeysUnused,
    /// A key is not usable.
    #[error("`jwks`: {0}")]
    Key(JwkFlaw),
    /// Two keys with the same name, or several of which one has none.
    #[error("`jwks`: of several keys each needs a `kid` of its own")]
    KeyNames,
    /// `openid` is not among the scopes.
    #[error("`scopes` must contain \"openid\"")]
    NoOpenid,
    /// The grants do not fit each other or the application.
    #[error("`grants`: {0}")]
    Grants(&'static str),
    /// The names by which it knows people cannot be made.
    #[error("`subject`: {0}")]
    Subject(String),
    /// The certificate is not known, or not needed.
    #[error("`tls_client_auth`: {0}")]
    Certificate(&'static str),
    /// Something contradicts the profile.
    #[error("`profile = \"fapi2\"`: {0}")]
    Profile(&'static str),
    /// What is to be encrypted to it cannot be.
    #[error("{0}")]
    Encryption(String),
    /// What the browser is to tell it cannot be told there.
    #[error("`frontchannel_logout_uri`: {0}")]
    FrontChannel(&'static str),
    /// It has no page in a browser that could ask.
    #[error(
        "`session_management` is for applications with an `https` address in `redirect_uris`, and a native one has \
         no page in a browser; remove it"
    )]
    SessionManagement,
    /// A scope that could not be written.
    #[error(
        "`api_scopes`: each must be 1 to 100 printable characters without space, `\"` and `\\`"
    )]
    ApiScopes,
    /// The application is an interface itself, but cannot prove that it is.
    #[error(
        "`audience` is given, but an application with `auth` \"none\" cannot have tokens explained"
    )]
    AudienceOfNobody,
}

/// The key of the one address that the provider itself posts to.
const POSTED_TO: &str = "backchannel_logout_uri";
/// The key of the address that is loaded in a frame after a sign-out.
const FRAMED: &str = "frontchannel_logout_uri";
/// The key of the address that stands for several hosts.
const SECTOR: &str = "sector";

impl Client {
    /// Everything that is wrong with this registration; empty when it may be used.
    #[must_use]
    pub fn check(&self) -> Vec<ClientFlaw> {
        let mut flaws = Vec::new();
        let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
        if !(1..=64).contains(&self.id.len()) || !self.id.bytes().all(plain) {
            flaws.push(ClientFlaw::Id);
        }
        let names = [&self.name.fr, &self.name.de, &self.name.en];
        let presentable = |name: &str| {
            !name.trim().is_empty()
                && name.chars().count() <= 100
                && !name.contains(char::is_control)
        };
        if !names.into_iter().all(|name| presentable(name)) {
            flaws.push(ClientFlaw::Name);
        }
        let redirects = if self.may(GrantName::AuthorizationCode) {
            1..=50
        } else {
            0..=50
        };
        if !redirects.contains(&self.redirect_uris.len()) {
            flaws.push(ClientFlaw::NoRedirect);
        }
        if self.signs_people_in() && !self.scopes.contains(&ScopeName::Openid) {
            flaws.push(ClientFlaw::NoOpenid);
        }
        if self.auth == Auth::None && !self.audience.is_empty() {
            flaws.push(ClientFlaw::AudienceOfNobody);
        }
        let token = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        let writable =
            |scope: &String| (1..=100).contains(&scope.len()) && scope.bytes().all(token);
        if !self.api_scopes.iter().all(writable) {
            flaws.push(ClientFlaw::ApiScopes);
        }
        flaws.extend(self.flaw_of_grants().map(ClientFlaw::Grants));
        flaws.extend(self.flaw_of_subject().map(ClientFlaw::Subject));
        flaws.extend(self.flaw_of_shared_secret().map(ClientFlaw::SharedSecret));
        flaws.extend(self.flaw_of_certificate().map(ClientFlaw::Certificate));
        let against = self.flaws_of_profile().into_iter();
        flaws.extend(against.map(ClientFlaw::Profile));
        flaws.extend(self.flaws_of_encryption());
        flaws.extend(self.flaw_of_front_channel().map(ClientFlaw::FrontChannel));
        if self.session_management && !self.has_pages() {
            flaws.push(ClientFlaw::SessionManagement);
        }
        self.check_uris(&mut flaws);
        self.check_secret(&mut flaws);
        self.check_keys(&mut flaws);
        flaws
    }

    /// Whether anybody signs in to it.
    fn signs_people_in(&self) -> bool {
        self.may(GrantName::AuthorizationCode) || self.may(GrantName::DeviceCode)
    }

    fn flaw_of_grants(&self) -> Option<&'static str> {
        if self.grants.is_empty() {
            return Some("list at least one, such as \"authorization_code\"");
        }
        if self.may(GrantName::RefreshToken) && !self.signs_people_in() {
            return Some(
                "\"refresh_token\" needs \"authorization_code\" or \"device_code\" beside it",
            );
        }
        let offline = self.scopes.contains(&ScopeName::OfflineAccess);
        if offline && !self.may(GrantName::RefreshToken) {
            return Some("the scope \"offline_access\" needs \"refresh_token\"");
        }
        // [RFC 6749 §4.4] "The client credentials grant type MUST only be used by confidential clients."
        if self.may(GrantName::ClientCredentials) && self.kind != Kind::Confidential {
            return Some("\"client_credentials\" is for confidential applications only");
        }
        None
    }

    /// Whether pages of its own are shown in browsers.
    fn has_pages(&self) -> bool {
        let mut addresses = self.redirect_uris.iter();
        self.kind != Kind::Native && addresses.any(|uri| web_origin(uri).is_some())
    }

    fn flaw_of_front_channel(&self) -> Option<&'static str> {
        let Some(uri) = &self.frontchannel_logout_uri else {
            let unused = self.frontchannel_logout_session_required;
            return unused.then_some(
                "it is missing, and `frontchannel_logout_session_required` speaks of it; remove that, or add it",
            );
        };
        // [Front-Channel Logout §2] "The domain, port, and scheme of this URL MUST be the same as that of a registered Redirection URI value."
        // [Front-Channel Logout §2] "The logout URI MUST NOT include a fragment component." `check_uris` sees to it.
        let origin = web_origin(uri);
        let mut own = self.redirect_uris.iter().map(|uri| web_origin(uri));
        let fits = origin.is_some() && own.any(|own| own == origin);
        (!fits).then_some(
            "its scheme, host and port must be those of one of the `redirect_uris`: browsers load it in a frame",
        )
    }

    fn check_uris(&self, flaws: &mut Vec<ClientFlaw>) {
        let one = |field: &'static str, uri: &Option<String>| {
            uri.iter()
                .map(|uri| (field, uri.clone()))
                .collect::<Vec<_>>()
        };
        let many = |field: &'static str, uris: &[String]| {
            uris.iter()
                .map(|uri| (field, uri.clone()))
                .collect::<Vec<_>>()
        };
        let mut all = many("redirect_uris", &self.redirect_uris);
        all.extend(many(
            "post_logout_redirect_uris",
            &self.post_logout_redirect_uris,
        ));
        all.extend(one("initiate_login_uri", &self.initiate_login_uri));
        all.extend(one("home", &self.home));
        all.extend(one(SECTOR, &self.sector));
        all.extend(many("resources", &self.resources));
        all.extend(many("audience", &self.audience));
        all.extend(one(POSTED_TO, &self.backchannel_logout_uri));
        all.extend(one(FRAMED, &self.frontchannel_logout_uri));
        let mut seen = BTreeSet::new();
        for (field, uri) in all {
            // A program's own scheme leads to a device, and nothing can be posted there.
            let kind = match field {
                POSTED_TO | FRAMED | SECTOR => Kind::Confidential,
                _ => self.kind,
            };
            if let Some(flaw) = flaw_of_registered(&uri, kind) {
                flaws.push(ClientFlaw::Uri {
                    field,
                    uri: uri.clone(),
                    flaw,
                });
            }
            if !seen.insert((field, uri.clone())) {
                flaws.push(ClientFlaw::Twice(uri));
            }
        }
    }

    fn check_secret(&self, flaws: &mut Vec<ClientFlaw>) {
        let fits = match self.kind {
            Kind::Confidential => self.auth != Auth::None,
            Kind::Public | Kind::Native => matches!(self.auth, Auth::None | Auth::PrivateKeyJwt),
        };
        if !fits {
            flaws.push(ClientFlaw::AuthDoesNotFit);
        }
        let uses_secret = matches!(self.auth, Auth::Basic | Auth::Post);
        match (uses_secret, self.secret_sha256.as_deref()) {
            (true, None) => flaws.push(ClientFlaw::SecretMissing),
            (false, Some(_)) => flaws.push(ClientFlaw::SecretUnused),
            (false, None) => {}
            (true, Some(hex)) => {
                let bytes = HEXLOWER_PERMISSIVE
                    .decode(hex.as_bytes())
                    .unwrap_or_default();
                if bytes.len() != 32 {
                    flaws.push(ClientFlaw::SecretNotADigest);
                } else if self.has_known_secret() {
                    flaws.push(ClientFlaw::SecretWeak);
                }
            }
        }
    }

    fn has_known_secret(&self) -> bool {
        let words = [
            "",
            "secret",
            "password",
            "changeme",
            "change-me",
            "test",
            "client_secret",
        ];
        let registered = self.secret_sha256.as_deref().unwrap_or_default();
        words
            .into_iter()
            .chain([self.id.as_str()])
            .any(|word| secret_digest(word.as_bytes()).eq_ignore_ascii_case(registered))
    }

    fn check_keys(&self, flaws: &mut Vec<ClientFlaw>) {
        let signs = self.auth == Auth::PrivateKeyJwt || self.require_signed_request_object;
        let shows = self.auth == Auth::SelfSignedTlsClientAuth;
        let signing = || self.jwks.iter().flat_map(|set| set.for_signatures());
        let many = signing().count();
        let signs = signs || (shows && many > 0);
        match (signs, many) {
            (false, 0) => {}
            (false, _) => flaws.push(ClientFlaw::KeysUnused),
            (true, _) => {
                if !(1..=10).contains(&many) {
                    flaws.push(ClientFlaw::KeysMissing);
                }
                if let Err(flaw) = VerifyingKeys::of(signing()) {
                    flaws.push(ClientFlaw::Key(flaw));
                }
            }
        }
        let all = || self.jwks.iter().flat_map(|set| &set.keys);
        let names: BTreeSet<_> = all().map(|key| key.kid.as_deref()).collect();
        let nameless = all().count() > 1 && names.contains(&None);
        if names.len() != all().count() || nameless {
            flaws.push(ClientFlaw::KeyNames);
        }
        if self.jwks.as_ref().is_some_and(|set| set.keys.is_empty()) && !signs {
            flaws.push(ClientFlaw::KeysUnused);
        }
    }
}
