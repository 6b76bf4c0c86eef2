//! C: refresh tokens, tokens of applications themselves, and what becomes of tokens later.

use serde_json::{Value, json};
use store::{EndSessions, KeyRecord};
use testkit::memory::Canton;
use testkit::{Answer, Attempt, Browser, Person, Place, Role, Town};
use wire::jose::{SigningAlg, SigningKey};

use super::registered::{SECRET, asks_as, registers};
use super::{by, canton, gets, is_signed_in, posts, somebody};
use crate::application::{REDIRECT, VERIFIER, at, claims, code, enters, parameter, redeems, sends};

/// What an interface of somebody else is called.
const API: &str = "https://api.example.ch/";

/// A form of an application that authenticates with its secret.
fn form(path: &str, client: &str, fields: &[(&str, &str)]) -> Attempt {
    let mut all = vec![("client_id", client), ("client_secret", SECRET)];
    all.extend(fields);
    Attempt::post(&at(path), &all)
}

fn token(client: &str, fields: &[(&str, &str)]) -> Attempt {
    form("/token", client, fields)
}

pub(super) fn refreshes(client: &str, refresh_token: &str) -> Attempt {
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token),
    ];
    token(client, &fields)
}

/// The redemption of a code by one of these applications.
pub(super) fn redeems_at(client: &str, code: &str) -> Attempt {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    token(client, &fields)
}

fn introspects(canton: &mut Canton, client: &str, text: &str) -> Value {
    let answer = sends(canton, form("/introspect", client, &[("token", text)]));
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

fn userinfo(canton: &mut Canton, access_token: &str) -> u16 {
    let bearer = format!("Bearer {access_token}");
    sends(
        canton,
        Attempt::get(&at("/userinfo")).header("authorization", &bearer),
    )
    .status
}

fn text<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer[name].as_str().unwrap_or_default()
}

fn error(answer: &Answer) -> String {
    text(&answer.json(), "error").to_owned()
}

/// An application that renews its tokens.
fn renewing(id: &str) -> Value {
    json!({ "id": id, "grants": ["authorization_code", "refresh_token"], "scopes": ["openid", "profile"] })
}

/// One that renews them after the session in the browser, too.
pub(super) fn offline(id: &str) -> Value {
    json!({
        "id": id,
        "grants": ["authorization_code", "refresh_token"],
        "scopes": ["openid", "profile", "offline_access"],
    })
}

/// Somebody in a browser at school, and what an application got for them.
struct Using {
    anna: Person,
    browser: Box<dyn Browser>,
    tokens: Value,
}

fn uses(canton: &mut Canton, client: &str, scope: &str) -> Using {
    let anna = somebody(canton, Role::Sms);
    let mut browser = canton.browser(Place::School);
    let request = asks_as(client, &[("scope", Some(scope))]);
    let answer = enters(&mut *browser, &request, &anna);
    let code = parameter(answer.location(), "code").unwrap();
    let answer = sends(canton, redeems_at(client, &code));
    assert_eq!(answer.status, 200, "{}", answer.body);
    Using {
        anna,
        browser,
        tokens: answer.json(),
    }
}

/// [C06] A refresh token is renewed for as long as it is asked; the ID token says the same about the
/// sign-in, without its nonce.
#[test]
fn tokens_are_renewed_and_say_the_same_about_the_sign_in() {
    let mut canton = canton();
    registers(&mut canton, &[renewing("moodle")]);
    let Using { tokens, .. } = uses(&mut canton, "moodle", "openid profile");
    let first = claims(text(&tokens, "id_token"));
    let mut due = text(&tokens, "refresh_token").to_owned();
    for _ in 0..3 {
        canton.passes(200);
        let answer = sends(&mut canton, refreshes("moodle", &due));
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let tokens = answer.json();
        assert_eq!(userinfo(&mut canton, text(&tokens, "access_token")), 200);
        let renewed = claims(text(&tokens, "id_token"));
        for same in ["sub", "aud", "iss", "auth_time", "acr", "amr", "sid"] {
            assert_eq!(first[same], renewed[same], "{same}");
        }
        assert!(renewed["nonce"].is_null() && renewed["iat"] != first["iat"]);
        assert_ne!(text(&tokens, "refresh_token"), due);
        due = text(&tokens, "refresh_token").to_owned();
    }
}

/// [C06] A refresh token that was used up comes again: the whole family is over, and what it gave. A lost
/// answer is no theft.
#[test]
fn a_stolen_refresh_token_ends_the_family() {
    let mut canton = canton();
    registers(&mut canton, &[renewing("moodle")]);
    let Using { tokens, .. } = uses(&mut canton, "moodle", "openid");
    let stolen = text(&tokens, "refresh_token").to_owned();
    let lost = sends(&mut canton, refreshes("moodle", &stolen));
    assert_eq!(lost.status, 200);
    canton.passes(10);
    let again = sends(&mut canton, refreshes("moodle", &stolen)).json();
    let next = sends(
        &mut canton,
        refreshes("moodle", text(&again, "refresh_token")),
    )
    .json();
    assert_eq!(userinfo(&mut canton, text(&next, "access_token")), 200);
    canton.passes(60);
    assert_eq!(
        error(&sends(&mut canton, refreshes("moodle", &stolen))),
        "invalid_grant"
    );
    let last = refreshes("moodle", text(&next, "refresh_token"));
    assert_eq!(error(&sends(&mut canton, last)), "invalid_grant");
    assert_eq!(userinfo(&mut canton, text(&next, "access_token")), 401);
    let told = canton.audit();
    assert!(
        told.iter()
            .any(|entry| entry.happened.contains("refresh-reused"))
    );
}

/// [C06] Of a hundred renewals with one token at once, two get the same successor, and the family
/// ends.
#[test]
fn of_many_renewals_at_once_none_makes_a_second_line() {
    let mut canton = canton();
    registers(&mut canton, &[renewing("moodle")]);
    let Using { tokens, .. } = uses(&mut canton, "moodle", "openid");
    let one = refreshes("moodle", text(&tokens, "refresh_token"));
    let answers = canton.sends(vec![one; 100]);
    let good: Vec<_> = answers.iter().filter(|one| one.status == 200).collect();
    assert_eq!(good.len(), 2);
    for one in good {
        let next = refreshes("moodle", text(&one.json(), "refresh_token"));
        assert_eq!(error(&sends(&mut canton, next)), "invalid_grant");
    }
}

/// [C06] [C05] A refresh token is worth nothing to another application, in another place, or for more;
/// and who is not registered for it gets none.
#[test]
fn a_refresh_token_belongs_to_its_application() {
    let mut canton = canton();
    registers(&mut canton, &[renewing("moodle"), renewing("library")]);
    let Using { tokens, .. } = uses(&mut canton, "moodle", "openid");
    let due = text(&tokens, "refresh_token").to_owned();
    assert_eq!(
        error(&sends(&mut canton, refreshes("library", &due))),
        "invalid_grant"
    );
    assert_eq!(userinfo(&mut canton, &due), 401);
    let as_refresh = refreshes("moodle", text(&tokens, "access_token"));
    assert_eq!(error(&sends(&mut canton, as_refresh)), "invalid_grant");
    let more = [
        ("grant_type", "refresh_token"),
        ("refresh_token", due.as_str()),
        ("scope", "openid profile"),
    ];
    assert_eq!(
        error(&sends(&mut canton, token("moodle", &more))),
        "invalid_scope"
    );
    assert_eq!(sends(&mut canton, refreshes("moodle", &due)).status, 200);

    let code = code(&mut canton);
    let tokens = sends(&mut canton, redeems(&code)).json();
    assert!(tokens["refresh_token"].is_null());
}

/// [S05] [L05] Signed out, switched off, or everything signed out elsewhere: in the same moment nothing
/// is renewed any more, offline or not.
#[test]
fn a_refresh_token_ends_with_what_it_hangs_on() {
    for client in ["moodle", "mail"] {
        for way in ["sign-out", "everywhere", "switched off", "removed"] {
            let mut canton = canton();
            registers(&mut canton, &[renewing("moodle"), offline("mail")]);
            let scope = match client {
                "mail" => "openid offline_access",
                _ => "openid",
            };
            let mut using = uses(&mut canton, client, scope);
            let answer = sends(
                &mut canton,
                refreshes(client, text(&using.tokens, "refresh_token")),
            )
            .json();
            end(&mut canton, &mut using, (way, client));
            let due = refreshes(client, text(&answer, "refresh_token"));
            let refused = sends(&mut canton, due);
            assert!(
                matches!(refused.status, 400 | 401),
                "{client} {way}: {}",
                refused.body
            );
            assert_eq!(
                userinfo(&mut canton, text(&answer, "access_token")),
                401,
                "{client} {way}"
            );
        }
    }
}

fn end(canton: &mut Canton, using: &mut Using, (way, client): (&str, &str)) {
    let sub = claims(text(&using.tokens, "id_token"))["sub"].clone();
    let person = sub.as_str().unwrap().parse().unwrap();
    let by = by(canton);
    match way {
        "sign-out" => {
            let hint = text(&using.tokens, "id_token");
            let url = format!("/logout?client_id={client}&id_token_hint={hint}");
            using.browser.sends(Attempt::get(&at(&url)));
        }
        "everywhere" => {
            let all = EndSessions::All(person);
            canton
                .waits_for(canton.store().end_sessions(&all, &by))
                .unwrap();
        }
        "switched off" => canton
            .waits_for(canton.store().disable(person, true, &by))
            .unwrap(),
        _ => {
            registers(canton, &[]);
            removes(canton, client);
        }
    }
    assert!(!using.anna.username.is_empty());
}

fn removes(canton: &mut Canton, client: &str) {
    let found = canton
        .waits_for(canton.store().resource(store::ResourceKind::Applications))
        .unwrap()
        .unwrap();
    let mut document: Value = toml::from_str(&found.text).unwrap();
    let all = document["application"].as_array_mut().unwrap();
    all.retain(|one| one["id"] != client);
    let new = store::Resource {
        text: toml::to_string(&document).unwrap(),
        ..found
    };
    let by = by(canton);
    assert!(canton.waits_for(canton.store().apply(&[new], &by)).unwrap());
    assert!(canton.waits_for(canton.provider().reload()).unwrap());
}

/// [C06] A session's limits end what hangs on it; what may be used offline goes on for thirty days and
/// not longer, and never below what the application demands by now.
#[test]
fn what_may_be_used_offline_outlives_the_limits_and_nothing_else() {
    const DAY_S: i64 = 86_400;
    let mut canton = canton();
    registers(&mut canton, &[renewing("moodle"), offline("mail")]);
    let plain = uses(&mut canton, "moodle", "openid").tokens;
    let lasting = uses(&mut canton, "mail", "openid offline_access").tokens;
    canton.passes(DAY_S + 60);
    let over = refreshes("moodle", text(&plain, "refresh_token"));
    assert_eq!(error(&sends(&mut canton, over)), "invalid_grant");
    let mut due = text(&lasting, "refresh_token").to_owned();
    for _ in 0..2 {
        let answer = sends(&mut canton, refreshes("mail", &due));
        assert_eq!(answer.status, 200, "{}", answer.body);
        let tokens = answer.json();
        assert_eq!(userinfo(&mut canton, text(&tokens, "access_token")), 200);
        due = text(&tokens, "refresh_token").to_owned();
        canton.passes(14 * DAY_S);
    }
    canton.passes(DAY_S);
    assert_eq!(
        error(&sends(&mut canton, refreshes("mail", &due))),
        "invalid_grant"
    );
}

/// [S03] An application that renews by itself does not keep the person signed in.
#[test]
fn an_application_that_renews_keeps_nobody_signed_in() {
    let mut canton = canton();
    registers(&mut canton, &[renewing("moodle")]);
    let Using {
        mut browser,
        tokens,
        ..
    } = uses(&mut canton, "moodle", "openid");
    let mut due = text(&tokens, "refresh_token").to_owned();
    canton.passes(1800);
    let answer = sends(&mut canton, refreshes("moodle", &due));
    assert_eq!(answer.status, 200, "{}", answer.body);
    due = text(&answer.json(), "refresh_token").to_owned();
    canton.settles();
    for _ in 0..3 {
        canton.passes(1800);
        let answer = sends(&mut canton, refreshes("moodle", &due));
        assert_eq!(error(&answer), "invalid_grant");
        canton.settles();
    }
    assert!(!is_signed_in(&mut *browser));
}

/// [S05] Proving more elsewhere in the browser takes nothing from an application that may go on offline;
/// signing out of what was proven then does.
#[test]
fn what_may_be_used_offline_outlives_a_stronger_sign_in() {
    let mut canton = canton();
    registers(&mut canton, &[offline("mail")]);
    let mut using = uses(&mut canton, "mail", "openid offline_access");
    let again = asks_as("mail", &[("prompt", Some("login"))]);
    let answer = enters(&mut *using.browser, &again, &using.anna);
    assert!(parameter(answer.location(), "code").is_some());
    let due = refreshes("mail", text(&using.tokens, "refresh_token"));
    let renewed = sends(&mut canton, due);
    assert_eq!(renewed.status, 200, "{}", renewed.body);
    posts(&mut *using.browser, "/account", &[("action", "sign-out")]);
    let due = text(&renewed.json(), "refresh_token").to_owned();
    let refused = sends(&mut canton, refreshes("mail", &due));
    assert_eq!(error(&refused), "invalid_grant");
}

/// [S05] Signing out ends what may be used offline even after the session has ended by itself: on the
/// account page, and by the application.
#[test]
fn signing_out_late_ends_what_may_be_used_offline() {
    for by_the_application in [false, true] {
        let mut canton = canton();
        registers(&mut canton, &[offline("mail")]);
        let mut using = uses(&mut canton, "mail", "openid offline_access");
        canton.passes(2 * 3600);
        let due = refreshes("mail", text(&using.tokens, "refresh_token"));
        let renewed = sends(&mut canton, due);
        assert_eq!(renewed.status, 200, "{}", renewed.body);
        let tokens = renewed.json();
        match by_the_application {
            true => {
                let hint = text(&tokens, "id_token");
                let url = format!("/logout?client_id=mail&id_token_hint={hint}");
                gets(&mut *using.browser, &url);
            }
            false => {
                let sign_out = [("action", "sign-out")];
                posts(&mut *using.browser, "/account", &sign_out);
            }
        }
        let due = refreshes("mail", text(&tokens, "refresh_token"));
        assert_eq!(error(&sends(&mut canton, due)), "invalid_grant");
    }
}

/// [C06] [C12] What an application may no longer ask for ends what it was granted with that.
#[test]
fn a_scope_that_was_taken_away_is_not_renewed() {
    let mut canton = canton();
    registers(&mut canton, &[renewing("moodle")]);
    let wide = uses(&mut canton, "moodle", "openid profile").tokens;
    let narrow = uses(&mut canton, "moodle", "openid").tokens;
    removes(&mut canton, "moodle");
    let mut less = renewing("moodle");
    less["scopes"] = json!(["openid"]);
    registers(&mut canton, &[less]);
    let due = refreshes("moodle", text(&wide, "refresh_token"));
    assert_eq!(error(&sends(&mut canton, due)), "invalid_grant");
    let due = refreshes("moodle", text(&narrow, "refresh_token"));
    assert_eq!(sends(&mut canton, due).status, 200);
}

/// [C06] An application that demands more by now gets nothing for what was proven then.
#[test]
fn a_demand_that_rose_counts_at_the_next_renewal() {
    let mut canton = canton();
    registers(&mut canton, &[renewing("moodle")]);
    let Using { tokens, .. } = uses(&mut canton, "moodle", "openid");
    removes(&mut canton, "moodle");
    let mut strong = renewing("moodle");
    strong["minimum"] = "strong".into();
    registers(&mut canton, &[strong]);
    let due = refreshes("moodle", text(&tokens, "refresh_token"));
    assert_eq!(error(&sends(&mut canton, due)), "invalid_grant");
}

/// [RFC 7009 §2.1] "verifies whether the token was issued to the client making the revocation request."
/// [RFC 7009 §2.1] "If the particular token is a refresh token and the authorization server supports the revocation of access tokens, then the authorization server SHOULD also invalidate all access tokens based on the same authorization grant"
/// [RFC 7009 §2.2] "The authorization server responds with HTTP status code 200 if the token has been revoked successfully or if the client submitted an invalid token."
/// [RFC 7662 §4] "If the token can be revoked after it was issued, the authorization server MUST determine whether or not such a revocation has taken place."
/// [C08] What a token is worth is told to whom it concerns, and to nobody who cannot prove who they are;
/// after it was given back, it is worth nothing.
#[test]
fn a_token_is_explained_to_whom_it_concerns_until_it_is_given_back() {
    let mut canton = canton();
    let public = json!({ "id": "public", "kind": "public", "auth": "none", "secret_sha256": null });
    registers(
        &mut canton,
        &[renewing("moodle"), renewing("library"), public],
    );
    let Using { tokens, .. } = uses(&mut canton, "moodle", "openid profile");
    let (access, refresh) = (
        text(&tokens, "access_token").to_owned(),
        text(&tokens, "refresh_token").to_owned(),
    );
    let says = introspects(&mut canton, "moodle", &access);
    assert_eq!(says["active"], true);
    assert_eq!(says["client_id"], "moodle");
    assert_eq!(says["scope"], "openid profile");
    assert_eq!(says["sub"], claims(text(&tokens, "id_token"))["sub"]);
    assert_eq!(introspects(&mut canton, "moodle", &refresh)["active"], true);
    let nothing = json!({ "active": false });
    for other in [&access, &refresh, &"x".to_owned()] {
        assert_eq!(introspects(&mut canton, "library", other), nothing);
    }
    for (client, secret) in [("moodle", "wrong"), ("moodle", ""), ("nobody", SECRET)] {
        let fields = [
            ("client_id", client),
            ("client_secret", secret),
            ("token", access.as_str()),
        ];
        for path in ["/introspect", "/revoke"] {
            let answer = sends(&mut canton, Attempt::post(&at(path), &fields));
            assert_eq!(
                (answer.status, error(&answer)),
                (401, "invalid_client".into())
            );
        }
    }
    let fields = [("client_id", "public"), ("token", access.as_str())];
    let answer = sends(&mut canton, Attempt::post(&at("/introspect"), &fields));
    assert_eq!(answer.status, 401);

    let theirs = form("/revoke", "library", &[("token", &refresh)]);
    assert_eq!(error(&sends(&mut canton, theirs)), "invalid_grant");
    assert_eq!(introspects(&mut canton, "moodle", &access)["active"], true);
    for _ in 0..2 {
        let own = form("/revoke", "moodle", &[("token", &refresh)]);
        assert_eq!(sends(&mut canton, own).status, 200);
    }
    for gone in [&access, &refresh] {
        assert_eq!(introspects(&mut canton, "moodle", gone), nothing);
    }
    assert_eq!(userinfo(&mut canton, &access), 401);
    assert_eq!(
        error(&sends(&mut canton, refreshes("moodle", &refresh))),
        "invalid_grant"
    );
    let unknown = form("/revoke", "moodle", &[("token", "x")]);
    assert_eq!(sends(&mut canton, unknown).status, 200);
}

/// [RFC 7009 §2] "Implementations MUST support the revocation of refresh tokens and SHOULD support the revocation of access tokens"
/// [C08] An access token that is given back ends what was given with it.
#[test]
fn an_access_token_that_is_given_back_ends_its_family() {
    let mut canton = canton();
    registers(&mut canton, &[renewing("moodle")]);
    let Using { tokens, .. } = uses(&mut canton, "moodle", "openid");
    let own = form(
        "/revoke",
        "moodle",
        &[("token", text(&tokens, "access_token"))],
    );
    assert_eq!(sends(&mut canton, own).status, 200);
    assert_eq!(userinfo(&mut canton, text(&tokens, "access_token")), 401);
    let due = refreshes("moodle", text(&tokens, "refresh_token"));
    assert_eq!(error(&sends(&mut canton, due)), "invalid_grant");
}

/// [RFC 7662 §4] "If the token can expire, the authorization server MUST determine whether or not the token has expired."
/// [C05] [C10] An application gets tokens in its own name if it is registered for that: signed or
/// sealed, for the interfaces and words it is registered for; they open nothing of a person.
#[test]
fn an_application_asks_in_its_own_name() {
    let mut canton = canton();
    let batch = |id: &str, form: &str| {
        json!({
            "id": id, "grants": ["client_credentials"], "redirect_uris": null, "scopes": [],
            "access_token": form, "resources": [API], "api_scopes": ["timetable.read"],
        })
    };
    let api = json!({ "id": "api", "grants": ["client_credentials"], "redirect_uris": null,
        "scopes": [], "audience": [API] });
    registers(
        &mut canton,
        &[batch("batch", "jwt"), batch("sealed", "opaque"), api],
    );
    for client in ["batch", "sealed"] {
        let asks = |more: &[(&str, &str)]| {
            let mut fields = vec![("grant_type", "client_credentials")];
            fields.extend(more);
            token(client, &fields)
        };
        let answer = sends(&mut canton, asks(&[("resource", API)]));
        assert_eq!(answer.status, 200, "{}", answer.body);
        let answer = answer.json();
        assert!(answer["refresh_token"].is_null() && answer["id_token"].is_null());
        let access = text(&answer, "access_token");
        if client == "batch" {
            let says = claims(access);
            assert_eq!(
                (&says["sub"], &says["aud"]),
                (&json!("batch"), &json!([API]))
            );
            assert_eq!(says["scope"], "timetable.read");
        } else {
            assert!(!access.contains('.'));
        }
        assert_eq!(introspects(&mut canton, "api", access)["client_id"], client);
        assert_eq!(userinfo(&mut canton, access), 401);
        let own = sends(&mut canton, form("/revoke", client, &[("token", access)]));
        assert_eq!(error(&own), "unsupported_token_type");
        for (more, said) in [
            (("scope", "admin"), "invalid_scope"),
            (("resource", "https://other.example/"), "invalid_target"),
        ] {
            assert_eq!(error(&sends(&mut canton, asks(&[more]))), said);
        }
        canton.passes(300);
        assert_eq!(introspects(&mut canton, "api", access)["active"], false);
    }
    registers(&mut canton, &[renewing("moodle")]);
    let grant = token("moodle", &[("grant_type", "client_credentials")]);
    assert_eq!(error(&sends(&mut canton, grant)), "unauthorized_client");
}

/// [C10] Whoever reads access tokens by themselves gets JWTs, which are no ID tokens; here, too, each use
/// asks whether they still count.
#[test]
fn a_signed_access_token_opens_what_a_sealed_one_does() {
    let mut canton = canton();
    let mut client = renewing("moodle");
    client["access_token"] = "jwt".into();
    registers(&mut canton, &[client]);
    let mut using = uses(&mut canton, "moodle", "openid");
    let access = text(&using.tokens, "access_token").to_owned();
    assert_eq!(claims(&access)["aud"], json!([at("")]));
    assert_eq!(userinfo(&mut canton, &access), 200);
    assert_eq!(userinfo(&mut canton, text(&using.tokens, "id_token")), 401);
    let hint = format!("/logout?id_token_hint={access}");
    let asked = using.browser.sends(Attempt::get(&at(&hint)));
    assert!(
        asked.body.contains("name=\"ticket\""),
        "taken for an ID token"
    );
    end(&mut canton, &mut using, ("everywhere", "moodle"));
    assert_eq!(userinfo(&mut canton, &access), 401);
    assert_eq!(introspects(&mut canton, "moodle", &access)["active"], false);
}

/// A signed answer goes to the application that asked, and to no other.
#[test]
fn an_explanation_can_be_had_signed() {
    let mut canton = canton();
    registers(&mut canton, &[renewing("moodle")]);
    let Using { tokens, .. } = uses(&mut canton, "moodle", "openid");
    let ask = form(
        "/introspect",
        "moodle",
        &[("token", text(&tokens, "access_token"))],
    );
    let kind = "application/token-introspection+jwt";
    let answer = sends(&mut canton, ask.header("accept", kind));
    assert_eq!(answer.header("content-type"), Some(kind));
    let says = claims(&answer.body);
    assert_eq!(says["aud"], "moodle");
    assert_eq!(says["token_introspection"]["active"], true);
    // A statement about a token is no token.
    assert_eq!(userinfo(&mut canton, &answer.body), 401);
}

/// [C20] Whoever wants another signature gets it once there is a key for it, and everybody is told that there is.
#[test]
fn tokens_are_signed_as_registered_with_keys_made_on_demand() {
    let mut canton = canton();
    let offered = |canton: &mut Canton| {
        sends(
            canton,
            Attempt::get(&at("/.well-known/openid-configuration")),
        )
        .json()["id_token_signing_alg_values_supported"]
            .clone()
    };
    assert_eq!(offered(&mut canton), json!(["ES256", "RS256"]));
    for alg in [SigningAlg::EdDsa, SigningAlg::Ps256] {
        let key = SigningKey::generate(alg).unwrap();
        let record = KeyRecord {
            algorithm: alg.name().to_owned(),
            kid: key.kid().to_owned(),
            pkcs8: journey::Secret::new(key.to_pkcs8().unwrap().expose().to_vec()),
            until: None,
        };
        let by = by(&mut canton);
        let at = journey::Timestamp((&mut canton as &mut dyn Town).now());
        canton
            .waits_for(canton.store().rotate_key(&record, at, &by))
            .unwrap();
        let mut client = renewing(alg.name().to_ascii_lowercase().as_str());
        client["id_token_alg"] = alg.name().into();
        client["access_token_alg"] = alg.name().into();
        client["access_token"] = "jwt".into();
        registers(&mut canton, &[client.clone()]);
        let id = client["id"].as_str().unwrap();
        let tokens = uses(&mut canton, id, "openid").tokens;
        for name in ["id_token", "access_token"] {
            let header = text(&tokens, name).split('.').next().unwrap();
            let header = data_encoding::BASE64URL_NOPAD
                .decode(header.as_bytes())
                .unwrap();
            let header: Value = serde_json::from_slice(&header).unwrap();
            assert_eq!(
                (&header["alg"], &header["kid"]),
                (&alg.name().into(), &key.kid().into())
            );
        }
        assert_eq!(userinfo(&mut canton, text(&tokens, "access_token")), 200);
    }
    let all = json!(["ES256", "RS256", "EdDSA", "PS256"]);
    assert_eq!(offered(&mut canton), all);
}
