//! What an OpenID Connect application is told: the ID token and the answer of `/userinfo`.

use journey::{Assurance, Method, amr};
use serde_json::{Map, Value};
use server::release;
use wire::{
    oauth::{
        client::{Client, Encrypted, GrantName, Subjects},
        scope::{Scope, ScopeName},
        token::Grant,
    },
    oidc::{
        claims::{Named, Profile},
        id_token::IdToken,
        userinfo::{self, Told},
    },
};

use super::{Answer, Case, Message};

/// Stands for what is new at every sign-in.
const NEW: &str = "\u{2026}";

pub(super) fn answer(client: &Client, case: &Case<'_>) -> Answer {
    let registered = client.scope();
    let asked = case.asked.scope.as_deref();
    let asked = asked.map_or_else(|| registered.clone(), Scope::understood);
    let scope = asked.iter().filter(|name| registered.has(*name)).collect();
    let grant = grant(client, &case.person.id.to_string(), &scope);
    let id_token = IdToken::for_grant(&grant, &case.profile, case.issuer, 0).with_access_token("");
    let id_token = serde_json::to_value(id_token).unwrap_or_default();
    let named = &grant.claims.userinfo;
    let told = Told {
        subject: grant.sub(),
        profile: &case.profile,
        scope: &scope,
        named,
    };
    let userinfo = userinfo::claims(&told, client, case.issuer);
    Answer {
        missing: missing(&case.profile, &scope, &registered),
        messages: vec![
            Message {
                title: "ID token",
                parts: parts(id_token, client),
            },
            Message {
                title: "/userinfo",
                parts: parts(userinfo, client),
            },
        ],
        notes: notes(client),
        obstacles: obstacles(client, &asked),
    }
}

/// A code of this application, after the password and a code of the app.
fn grant(client: &Client, subject: &str, scope: &Scope) -> Grant {
    let factor = Some(Method::App);
    let new = || NEW.to_owned();
    Grant {
        id: new(),
        client_id: client.id.clone(),
        redirect_uri: new(),
        code_challenge: new(),
        nonce: Some(new()),
        scope: scope.clone(),
        pseudonym: client.pseudonym(subject),
        subject: subject.to_owned(),
        claims: Named::default(),
        key: None,
        sid: Some(new()),
        auth_time: 0,
        acr: release::acr(Assurance::of(factor)).to_owned(),
        amr: amr(factor).into_iter().map(str::to_owned).collect(),
        expires_at: 0,
    }
}

fn parts(claims: Value, client: &Client) -> Vec<[String; 3]> {
    let claims = match claims {
        Value::Object(claims) => claims,
        _ => Map::new(),
    };
    let part = |(name, value): (String, Value)| {
        let (source, is_new) = source(&name);
        let value = match is_new {
            true => NEW.to_owned(),
            false => value.to_string(),
        };
        let source = match (name.as_str(), client.subject, client.sector()) {
            ("sub", Subjects::Pairwise, Some(sector)) => {
                format!("their id, the sector `{sector}` and the application's `salt`")
            }
            _ => source.to_owned(),
        };
        [name, value, source]
    };
    claims.into_iter().map(part).collect()
}

/// Where a claim comes from, and whether it is another one at every sign-in.
fn source(claim: &str) -> (&'static str, bool) {
    let (source, is_new) = match claim {
        "acr" | "amr" => ("what was proven: see above", true),
        "at_hash" => ("a digest of the access token", true),
        "aud" => ("the application's id", false),
        "auth_time" => ("when they proved it", true),
        "email" => ("the register: mail", false),
        "email_verified" => ("nobody has proven that they read it", false),
        "exp" => ("five minutes after `iat`", true),
        "family_name" => ("the register: last name", false),
        "given_name" => ("the register: first name", false),
        "groups" => ("the register: role", false),
        "iat" => ("when the token is made", true),
        "iss" => ("`public_url` of the configuration", false),
        "locale" => ("the register: language", false),
        "name" => ("the register: first and last name", false),
        "nonce" => ("what the application sent, unchanged", true),
        "phone_number" => ("the number fixed at activation", false),
        "phone_number_verified" => ("whether a code sent there came back", false),
        "preferred_username" => ("the register: user name", false),
        "sid" => ("the session", true),
        "sub" => ("their id, which never changes", false),
        "updated_at" => ("nothing: it is not kept", false),
        _ => ("", false),
    };
    (source, is_new)
}

/// The claims of the scopes that are not told, and why.
fn missing(known: &Profile, scope: &Scope, registered: &Scope) -> Vec<[String; 2]> {
    let told = claims(&known.within(scope));
    let known = claims(known);
    let mut missing = Vec::new();
    for name in ScopeName::ALL {
        let only: Scope = [name].into_iter().collect();
        for (claim, _) in claims(&specimen().within(&only)) {
            if told.contains_key(&claim) {
                continue;
            }
            let why = match (registered.has(name), scope.has(name)) {
                (false, _) => format!("the scope `{}` is not registered for it", name.name()),
                (true, false) => format!("it does not ask for the scope `{}`", name.name()),
                (true, true) if known.contains_key(&claim) => continue,
                (true, true) => "nothing is known".to_owned(),
            };
            missing.push([claim, why]);
        }
    }
    missing
}

fn claims(profile: &Profile) -> Map<String, Value> {
    match serde_json::to_value(profile) {
        Ok(Value::Object(claims)) => claims,
        _ => Map::new(),
    }
}

/// Somebody of whom everything is known.
fn specimen() -> Profile {
    let known = || Some(NEW.to_owned());
    Profile {
        name: known(),
        given_name: known(),
        family_name: known(),
        preferred_username: known(),
        locale: known(),
        updated_at: Some(0),
        email: known(),
        email_verified: Some(false),
        phone_number: known(),
        phone_number_verified: Some(false),
        groups: vec![NEW.to_owned()],
    }
}

fn notes(client: &Client) -> Vec<String> {
    let telling = [ScopeName::Profile, ScopeName::Email, ScopeName::Phone];
    let pairwise = client.subject == Subjects::Pairwise;
    let tells = telling.iter().any(|scope| client.scope().has(*scope));
    let signed = client.require_signed_request_object;
    let notes = [
        (
            !client.trusted,
            "they are asked for their consent first: it is not `trusted`",
        ),
        (
            pairwise && tells,
            "`sub` is a pseudonym, but names, mail or phone say who they are all the same",
        ),
        (
            client.must_push(),
            "it must hand its requests over at `/par`; the browser only brings a reference",
        ),
        (signed, "it must sign its requests"),
        (
            client.must_bind() && !client.tls_client_certificate_bound_access_tokens,
            "its tokens are bound to its key: each use needs a DPoP proof",
        ),
        (
            client.tls_client_certificate_bound_access_tokens,
            "its tokens are bound to its certificate: each use needs a connection that shows it",
        ),
        (
            client.is_fapi(),
            "it is held to FAPI 2.0; its refresh tokens do not rotate",
        ),
    ];
    let those = notes.into_iter().filter(|(is_so, _)| *is_so);
    let those = those.map(|(_, note)| note.to_owned());
    those.chain(hidden(client)).collect()
}

/// What is encrypted to its key, and how.
fn hidden(client: &Client) -> impl Iterator<Item = String> {
    Encrypted::ALL.into_iter().filter_map(|what| {
        let (alg, enc) = client.encryption(what)?;
        let what = match what {
            Encrypted::IdToken => "its ID token is",
            Encrypted::Userinfo => "the answer of `/userinfo` is",
            Encrypted::Introspection => "what `/introspect` states is",
            Encrypted::Authorization => "the answer to a sign-in is",
        };
        let (alg, enc) = (alg.name(), enc.name());
        Some(format!("{what} encrypted to its key: {alg}, {enc}"))
    })
}

fn obstacles(client: &Client, asked: &Scope) -> Vec<String> {
    let mut obstacles = Vec::new();
    let own = |grant: &GrantName| *grant == GrantName::ClientCredentials;
    if client.grants.iter().all(own) {
        obstacles.push("nobody signs in to it: its `grants` are for itself only".to_owned());
    }
    if !asked.has(ScopeName::Openid) {
        obstacles.push("it must ask for the scope `openid`".to_owned());
    }
    let registered = client.scope();
    for name in asked.iter().filter(|name| !registered.has(*name)) {
        let name = name.name();
        obstacles.push(format!(
            "it may not ask for the scope `{name}`: `invalid_scope`"
        ));
    }
    obstacles
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::pseudonym::Salt;

    /// A claim that comes new must be explained, too.
    #[test]
    fn every_claim_has_a_source_and_a_scope() {
        let all: Scope = ScopeName::ALL.into_iter().collect();
        let everything = claims(&specimen());
        assert_eq!(claims(&specimen().within(&all)), everything);
        let grant = Grant {
            nonce: Some(NEW.to_owned()),
            ..grant_of_nobody(&all)
        };
        let issuer = wire::oidc::Issuer::parse("https://id.example.ch").unwrap();
        let token = IdToken::for_grant(&grant, &specimen(), &issuer, 0).with_access_token("");
        let parts = parts(serde_json::to_value(token).unwrap(), &nobodys());
        assert!(parts.len() > everything.len(), "{parts:?}");
        for [name, _, source] in parts {
            assert!(!source.is_empty(), "{name} comes from nowhere");
        }
    }

    fn grant_of_nobody(scope: &Scope) -> Grant {
        grant(&nobodys(), "0", scope)
    }

    fn nobodys() -> Client {
        let client = "id = \"a\"\nname = { fr = \"a\", de = \"a\", en = \"a\" }\nkind = \"native\"\nauth = \"none\"";
        toml::from_str(client).unwrap()
    }

    #[test]
    fn a_pseudonym_is_explained_as_one() {
        let client = Client {
            subject: Subjects::Pairwise,
            sector: Some("https://app.example.ch/".to_owned()),
            salt: Some(Salt::new("ab".repeat(16))),
            ..nobodys()
        };
        let grant = grant(&client, "0", &Scope::understood("openid"));
        let sub = serde_json::json!({ "sub": grant.sub() });
        let [part] = parts(sub, &client).try_into().unwrap();
        let [_, value, source]: [String; 3] = part;
        assert_ne!(value, "\"0\"");
        assert!(source.contains("the sector `app.example.ch`"), "{source}");
        assert!(notes(&client).iter().any(|note| note.contains("pseudonym")));
    }

    #[test]
    fn what_is_missing_is_missing_for_a_reason() {
        let openid_and_email = Scope::understood("openid email");
        let registered = Scope::understood("openid profile email phone");
        let known = Profile {
            email: None,
            phone_number: None,
            ..specimen()
        };
        let missing = missing(&known, &openid_and_email, &registered);
        let why = |claim: &str| {
            let found = missing.iter().find(|[name, _]| name == claim);
            found.map(|[_, why]| why.as_str())
        };
        assert_eq!(why("name"), Some("it does not ask for the scope `profile`"));
        assert_eq!(why("email"), Some("nothing is known"));
        assert_eq!(
            why("groups"),
            Some("the scope `groups` is not registered for it")
        );
        assert_eq!(why("sub"), None);
    }
}
