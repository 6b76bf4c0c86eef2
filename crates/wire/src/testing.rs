//! What the tests of this crate share: keys, an application, a repeatable source of odd bytes.

use crate::jose::{DecryptingKeys, KeyRing, SigningAlg, SigningKey, Standing};
use crate::oauth::client::{
    AccessTokenForm, Auth, Client, GrantName, Kind, Name, SharedSecret, Subjects,
};
use crate::oauth::scope::ScopeName;
use crate::oidc::Issuer;

/// The moment at which tests play.
pub(crate) const NOW: i64 = 1_800_000_000;

/// The issuer of all tests.
pub(crate) fn issuer() -> Issuer {
    Issuer::parse("https://id.example").unwrap()
}

/// A ring with a current ES256 and a current RS256 key.
pub(crate) fn ring() -> KeyRing {
    KeyRing::new(vec![
        (
            SigningKey::generate(SigningAlg::Es256).unwrap(),
            Standing::Current,
        ),
        (
            SigningKey::generate(SigningAlg::Rs256).unwrap(),
            Standing::Current,
        ),
    ])
    .unwrap()
}

/// The keys of an application to which something is encrypted.
pub(crate) fn hers() -> DecryptingKeys {
    DecryptingKeys::of(&[crate::Secret::new(vec![3; 32])])
}

/// The secret of [`ent`].
pub(crate) const ENT_SECRET: &str = "qY8nQpWv2mD4xRkZ7LtC1sBfH6jG9eUa3oNiXw5zVcE";

/// A confidential first-party application.
pub(crate) fn ent() -> Client {
    Client {
        id: "ent".to_owned(),
        name: Name {
            fr: "ENT".to_owned(),
            de: "ENT".to_owned(),
            en: "ENT".to_owned(),
        },
        kind: Kind::Confidential,
        redirect_uris: vec!["https://edu.example/callback".to_owned()],
        post_logout_redirect_uris: vec!["https://edu.example/bye".to_owned()],
        backchannel_logout_uri: None,
        frontchannel_logout_uri: None,
        frontchannel_logout_session_required: false,
        session_management: false,
        initiate_login_uri: None,
        home: Some("https://edu.example/".to_owned()),
        auth: Auth::Basic,
        secret_sha256: Some(crate::oauth::client::secret_digest(ENT_SECRET.as_bytes())),
        secret: None,
        secret_until: None,
        jwks: None,
        grants: vec![GrantName::AuthorizationCode],
        scopes: vec![ScopeName::Openid, ScopeName::Profile, ScopeName::Email],
        id_token_alg: SigningAlg::Es256,
        id_token_encrypted_response_alg: None,
        id_token_encrypted_response_enc: None,
        userinfo_signed_response_alg: None,
        userinfo_encrypted_response_alg: None,
        userinfo_encrypted_response_enc: None,
        introspection_signed_response_alg: None,
        introspection_encrypted_response_alg: None,
        introspection_encrypted_response_enc: None,
        authorization_signed_response_alg: None,
        authorization_encrypted_response_alg: None,
        authorization_encrypted_response_enc: None,
        access_token: AccessTokenForm::Opaque,
        access_token_alg: SigningAlg::Es256,
        api_scopes: Vec::new(),
        resources: Vec::new(),
        audience: Vec::new(),
        dpop_bound: false,
        tls_client_auth: None,
        tls_client_certificate_bound_access_tokens: false,
        require_par: false,
        require_signed_request_object: false,
        profile: None,
        subject: Subjects::Public,
        sector: None,
        salt: None,
        minimum: crate::oauth::client::Assurance::Password,
        trusted: true,
        enabled: true,
    }
}

/// The same, which proves itself with a code that its secret makes; that was read.
pub(crate) fn coding() -> Client {
    let mut secret = SharedSecret::in_file("/etc/furka/ent.secret");
    secret.learn(ENT_SECRET.as_bytes()).unwrap();
    Client {
        auth: Auth::SecretJwt,
        secret: Some(secret),
        secret_sha256: None,
        ..ent()
    }
}

/// A native public application on the loopback address.
pub(crate) fn native() -> Client {
    Client {
        id: "native".to_owned(),
        kind: Kind::Native,
        auth: Auth::None,
        secret_sha256: None,
        redirect_uris: vec!["http://127.0.0.1/cb".to_owned()],
        post_logout_redirect_uris: Vec::new(),
        ..ent()
    }
}

/// A repeatable generator (SplitMix64), so that a failing run fails again.
pub(crate) struct Odd(pub(crate) u64);

impl Odd {
    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % (bound.max(1) as u64)) as usize
    }

    /// Up to `max` bytes, often from an alphabet that parsers care about.
    pub(crate) fn bytes(&mut self, max: usize, alphabet: &[u8]) -> Vec<u8> {
        let length = self.below(max + 1);
        (0..length)
            .map(|_| match self.below(4) {
                0 => self.next() as u8,
                _ => alphabet[self.below(alphabet.len())],
            })
            .collect()
    }

    /// `text` with one to three small accidents.
    pub(crate) fn mutated(&mut self, text: &str) -> String {
        const TRICKS: &[&str] = &[
            "/",
            "//",
            ".",
            "..",
            "/../",
            "%2e%2e",
            "%2f",
            "\\",
            "@",
            ":",
            ":443",
            ":80",
            "#",
            "?",
            "&",
            ";",
            "%00",
            "%0d%0a",
            "\t",
            " ",
            "é",
            "ⅰ",
            "。",
            "%",
            "https://",
            "http://",
            "javascript:",
            "evil.example",
            ".evil.example",
            "@evil.example",
            "[::1]",
            "127.0.0.1",
            "0",
            "1",
            "A",
            "z",
            "*",
            "localhost",
        ];
        let mut chars: Vec<char> = text.chars().collect();
        for _ in 0..=self.below(3) {
            let at = self.below(chars.len() + 1);
            match self.below(5) {
                0 if at < chars.len() => drop(chars.remove(at)),
                1 if at < chars.len() => {
                    let c = chars[at];
                    chars[at] = if c.is_lowercase() {
                        c.to_ascii_uppercase()
                    } else {
                        'x'
                    };
                }
                2 if at < chars.len() => chars.insert(at, chars[at]),
                3 => chars.truncate(at.max(1)),
                _ => {
                    let trick = TRICKS[self.below(TRICKS.len())];
                    chars.splice(at..at, trick.chars());
                }
            }
        }
        chars.into_iter().collect()
    }

    /// An address with one to four accidents of the kinds by which checks of addresses have been fooled.
    pub(crate) fn readdressed(&mut self, uri: &str) -> String {
        /// What one program takes for the other.
        const SWAPPED: &[(&str, &str)] = &[
            ("https", "http"),
            ("https", "HTTPS"),
            ("http:", "http:/"),
            ("://", ":"),
            ("://", ":///"),
            ("/", "%2f"),
            ("/", "\\"),
            ("/", "/./"),
            ("/", "/x/../"),
            (".", "%2e"),
            (".", "\u{3002}"),
            (".", "\u{ff0e}"),
            ("e", "\u{435}"),
            ("l", "%6c"),
            ("a", "A"),
            ("edu", "EDU"),
            ("edu.example", "edu.example."),
            ("edu.example", "edu.example:443"),
            ("edu.example", "edu.example@evil.example"),
            ("edu.example", "evil.example#edu.example"),
            ("edu.example", "edu.example.evil.example"),
            ("//", "//edu.example@"),
            ("//", "//a:b@"),
            (":8443", ":08443"),
            (":8401", ":8402"),
            ("localhost", "127.0.0.1"),
            ("localhost", "localhost.evil.example"),
            ("xn--cole-9oa", "\u{e9}cole"),
            ("[2001:db8::7]", "[2001:db8:0::7]"),
            ("%C3%A9", "%c3%a9"),
            ("%C3%A9", "\u{e9}"),
            ("?", "??"),
            ("&", "&amp;"),
            ("tenant=1", "tenant=2"),
            ("cb", "cb/"),
            ("callback", "callback\r\nX: y"),
            ("callback", "callback%0d%0aX:%20y"),
            ("callback", "callback#x"),
            ("callback", "callback\u{0}"),
            ("callback", "callback\t"),
            ("callback", " callback"),
        ];
        let mut uri = uri.to_owned();
        for _ in 0..=self.below(3) {
            uri = match self.below(3) {
                0 => self.mutated(&uri),
                _ => {
                    let (from, to) = SWAPPED[self.below(SWAPPED.len())];
                    match self.below(2) {
                        0 => uri.replacen(from, to, 1),
                        _ => uri.replace(from, to),
                    }
                }
            };
        }
        uri
    }
}
