//! What an OpenID Connect application is told: the ID token and the answer of `/userinfo`.

use journey::{Assurance, Method, amr};
use serde_json::{Map, Value};
use server::release;
use wire::{
    oauth::{
        client::{Client, GrantName},
        scope::{Scope, ScopeName},
        token::Grant,
    },
    oidc::{claims::Profile, id_token::IdToken, userinfo},
};

use super::{Answer, Case, Message};

/// Stands for what is new at every sign-in.
const NEW: &str = "\u{2026}";

pub(super) fn answer(client: &Client, case: &Case<'_>) -> Answer {
    let registered = client.scope();
    let asked = case.asked.scope.as_deref();
    let asked = asked.map_or_else(|| registered.clone(), Scope::understood);
    let scope = asked.iter().filter(|name| registered.has(*name)).collect();
    let subject = case.person.id.to_string();
    let grant = grant(client, &subject, &scope);
    let id_token = IdToken::for_grant(&grant, &case.profile, case.issuer, 0).with_access_token("");
    let id_token = serde_json::to_value(id_token).unwrap_or_default();
    let userinfo = userinfo::answer(&subject, &case.profile, &scope);
    let userinfo = serde_json::from_slice(&userinfo).unwrap_or_default();
    Answer {
        missing: missing(&case.profile, &scope, &registered),
        messages: vec![
            Message {
                title: "ID token",
                parts: parts(id_token),
            },
            Message {
                title: "/userinfo",
                parts: parts(userinfo),
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
        subject: subject.to_owned(),
        sid: Some(new()),
        auth_time: 0,
        acr: release::acr(Assurance::of(factor)).to_owned(),
        amr: amr(factor).into_iter().map(str::to_owned).collect(),
        expires_at: 0,
    }
}

fn parts(claims: Value) -> Vec<[String; 3]> {
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
        [name, value, source.to_owned()]
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
    let note = "they are asked for their consent first: it is not `trusted`";
    (!client.trusted)
        .then(|| note.to_owned())
        .into_iter()
        .collect()
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
        let parts = parts(serde_json::to_value(token).unwrap());
        assert!(parts.len() > everything.len(), "{parts:?}");
        for [name, _, source] in parts {
            assert!(!source.is_empty(), "{name} comes from nowhere");
        }
    }

    fn grant_of_nobody(scope: &Scope) -> Grant {
        let client = "id = \"a\"\nname = { fr = \"a\", de = \"a\", en = \"a\" }\nkind = \"native\"\nauth = \"none\"";
        grant(&toml::from_str(client).unwrap(), "0", scope)
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
