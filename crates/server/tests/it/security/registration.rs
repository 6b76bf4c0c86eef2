//! C17: applications that register themselves, as far as an invitation lets them.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};
use store::{NewInvitation, ResourceKind};
use testkit::memory::Canton;
use testkit::{Answer, Attempt, Browser, Place, Role, Town};
use wire::jose::{SigningAlg, SigningKey};
use wire::oauth::{
    client::Assurance,
    registration::{Bounds, Bundle},
};
use wire::pseudonym::Salt;

use super::{between, canton, gets, posts, somebody};
use crate::application::{REDIRECT, VERIFIER, asks, at, at_school, enters, parameter, sends};
use crate::registered::changes;

/// What is handed on.
const TOKEN: &str = "dGhlIHRva2VuIG9mIGFuIGludml0YXRpb24gb2YgdGVzdHM";
const DAY_S: i64 = 86_400;

/// A canton where applications may register themselves.
fn open_canton() -> Canton {
    let canton = canton();
    changes(&canton, ResourceKind::Applications, |text| {
        format!("registration = true\n{text}")
    });
    canton
}

fn invites(canton: &Canton, uses: u32, bounds: &Bounds) {
    let hash = digest(&SHA256, TOKEN.as_bytes());
    let new = NewInvitation {
        bounds: bounds.document(),
        id: "spring".to_owned(),
        token: hash.as_ref().try_into().unwrap(),
        until: canton.by().at.plus(7 * DAY_S),
        uses,
    };
    let by = canton.by();
    assert!(canton.waits_for(canton.store().invite(&new, &by)).unwrap());
}

fn bounds(bundle: Bundle) -> Bounds {
    Bounds {
        minimum: Assurance::Password,
        salt: Salt::new("0123456789abcdef0123456789abcdef".to_owned()),
        scopes: bundle.scopes(),
        secret_days: None,
    }
}

fn request(method: &str, url: &str, token: &str, body: &Value) -> Attempt {
    let mut attempt = Attempt::get(url).header("authorization", &format!("Bearer {token}"));
    attempt.method = method.to_owned();
    if *body == Value::Null {
        return attempt;
    }
    attempt.body = body.to_string();
    attempt.header("content-type", "application/json")
}

fn registers_with(canton: &mut Canton, token: &str, said: &Value) -> Answer {
    sends(canton, request("POST", &at("/register"), token, said))
}

/// An application of others, with the address of which the tests make requests.
fn choir() -> Value {
    json!({
        "client_name": "Choir", "redirect_uris": [REDIRECT], "scope": "openid profile email",
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "client_secret_post",
    })
}

fn registered(canton: &mut Canton) -> Value {
    let answer = registers_with(canton, TOKEN, &choir());
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()
}

fn text<'a>(json: &'a Value, name: &str) -> &'a str {
    json[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name} in {json}"))
}

fn keeps(canton: &mut Canton, method: &str, of: &Value, body: &Value) -> Answer {
    let (url, token) = (
        text(of, "registration_client_uri"),
        text(of, "registration_access_token"),
    );
    sends(canton, request(method, url, token, body))
}

/// [C17] Off is what nobody switched on: with an invitation, too, there is nothing.
#[test]
fn nobody_registers_where_it_is_not_switched_on() {
    let mut canton = canton();
    invites(&canton, 1, &bounds(Bundle::Pseudonym));
    let discovery = at("/.well-known/openid-configuration");
    let document = sends(&mut canton, Attempt::get(&discovery)).json();
    assert_eq!(document["registration_endpoint"], Value::Null);
    assert_eq!(registers_with(&mut canton, TOKEN, &choir()).status, 404);
    for method in ["GET", "PUT", "DELETE"] {
        let url = at("/register/guest-0123");
        let answer = sends(&mut canton, request(method, &url, TOKEN, &choir()));
        assert_eq!(answer.status, 404, "{method}");
    }
    changes(&canton, ResourceKind::Applications, |text| {
        format!("registration = true\n{text}")
    });
    let document = sends(&mut canton, Attempt::get(&discovery)).json();
    assert_eq!(document["registration_endpoint"], at("/register"));
    assert_eq!(registers_with(&mut canton, TOKEN, &choir()).status, 201);
}

/// Somebody signs in at school and agrees, unless they did before; the code, and the page that asked.
fn agrees(canton: &mut Canton, id: &str) -> (Box<dyn Browser>, String, String) {
    let person = somebody(canton, Role::Sms);
    let mut browser = (canton as &mut dyn Town).browser(Place::School);
    let request = asks(&[("client_id", Some(id)), ("scope", Some("openid"))]);
    let answer = enters(&mut *browser, &request, &person);
    let way = answer.location().to_owned();
    let path = way.strip_prefix(&at("")).unwrap_or(&way).to_owned();
    assert!(path.starts_with("/consent?"), "{answer:?}");
    let page = gets(&mut *browser, &path);
    if let Some(code) = parameter(page.location(), "code") {
        return (browser, code, page.body);
    }
    let ticket = between(&page.body, "name=\"ticket\" value=\"", "\"");
    let fields = [("action", "allow"), ("ticket", ticket.as_str())];
    let back = posts(&mut *browser, "/consent", &fields);
    let code = parameter(back.location(), "code").unwrap_or_else(|| panic!("{back:?}"));
    (browser, code, page.body)
}

fn token(canton: &mut Canton, of: &Value, grant: &[(&str, &str)]) -> Answer {
    let mut form = vec![
        ("client_id", text(of, "client_id")),
        ("client_secret", text(of, "client_secret")),
    ];
    form.extend(grant);
    sends(canton, Attempt::post(&at("/token"), &form))
}

fn redeems(canton: &mut Canton, of: &Value, code: &str) -> Answer {
    let grant = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    token(canton, of, &grant)
}

fn userinfo(canton: &mut Canton, tokens: &Value) -> Answer {
    let bearer = format!("Bearer {}", text(tokens, "access_token"));
    let attempt = Attempt::get(&at("/userinfo")).header("authorization", &bearer);
    sends(canton, attempt)
}

/// [C17] [C12] It registers, people are asked in words that say where their data goes, it gets its tokens and
/// is told no more than the invitation allows; it goes, and nothing of it opens anything.
/// [RFC 7592 §2.3] "If a client has been successfully deprovisioned, the authorization server MUST respond with an HTTP 204 No Content message."
#[test]
fn an_application_comes_signs_people_in_and_goes() {
    let mut canton = open_canton();
    invites(&canton, 1, &bounds(Bundle::Pseudonym));
    let own = registered(&mut canton);
    let id = text(&own, "client_id").to_owned();
    let (mut browser, code, page) = agrees(&mut canton, &id);
    assert!(page.contains("Choir (localhost)"), "{page}");
    let tokens = redeems(&mut canton, &own, &code);
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let tokens = tokens.json();
    let told = userinfo(&mut canton, &tokens).json();
    let names: Vec<&String> = told.as_object().unwrap().keys().collect();
    assert_eq!(names, ["sub"], "{told}");
    let renewal = [
        ("grant_type", "refresh_token"),
        ("refresh_token", text(&tokens, "refresh_token")),
    ];
    let renewed = token(&mut canton, &own, &renewal);
    assert_eq!(renewed.status, 200, "{}", renewed.body);
    let renewed = renewed.json();
    let pushed = [
        ("client_id", id.as_str()),
        ("client_secret", text(&own, "client_secret")),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        ("scope", "openid"),
        (
            "code_challenge",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        ),
        ("code_challenge_method", "S256"),
    ];
    let pushed = sends(&mut canton, Attempt::post(&at("/par"), &pushed)).json();
    let gone = keeps(&mut canton, "DELETE", &own, &Value::Null);
    assert_eq!((gone.status, gone.body.as_str()), (204, ""));
    let renewal = [
        ("grant_type", "refresh_token"),
        ("refresh_token", text(&renewed, "refresh_token")),
    ];
    assert_eq!(
        token(&mut canton, &own, &renewal).json()["error"],
        "invalid_client"
    );
    assert_eq!(userinfo(&mut canton, &renewed).status, 401);
    let page = browser.sends(Attempt::get(&asks(&[("client_id", Some(&id))])));
    assert!(page.status >= 400 && page.location().is_empty(), "{page:?}");
    let reference = format!(
        "/authorize?client_id={id}&request_uri={}",
        text(&pushed, "request_uri")
    );
    let opened = browser.sends(Attempt::get(&at(&reference)));
    assert!(!opened.signs_somebody_in());
    for method in ["GET", "PUT", "DELETE"] {
        let again = keeps(&mut canton, method, &own, &choir());
        assert_eq!(again.status, 401, "{method}");
        assert!(
            again
                .header("www-authenticate")
                .unwrap()
                .starts_with("Bearer")
        );
    }
    let audit = canton.audit();
    for word in [
        "applications-invited",
        "application-registered",
        "application-removed",
    ] {
        let told = audit.iter().filter(|entry| entry.happened.contains(word));
        assert_eq!(told.count(), 1, "{word}");
    }
}

/// [C17] Without a token, with a wrong one, one use too many, too late, or after its end: nothing is
/// registered, and the answer is the same.
#[test]
fn an_invitation_lets_in_whom_it_names_and_nobody_else() {
    let mut canton = open_canton();
    invites(&canton, 2, &bounds(Bundle::Profile));
    let mut bodies = Vec::new();
    for wrong in ["", "x", &TOKEN[1..], "spring"] {
        bodies.push(registers_with(&mut canton, wrong, &choir()));
    }
    // What is wrong spends nothing.
    for _ in 0..3 {
        let refused = registers_with(&mut canton, TOKEN, &json!({ "redirect_uris": [] }));
        assert_eq!(refused.json()["error"], "invalid_redirect_uri");
    }
    registered(&mut canton);
    registered(&mut canton);
    bodies.push(registers_with(&mut canton, TOKEN, &choir()));
    for answer in &bodies {
        assert_eq!(answer.status, 401, "{}", answer.body);
        assert_eq!(answer.body, bodies[0].body);
    }
    let all = canton.waits_for(canton.store().registrations()).unwrap();
    assert_eq!(all.len(), 2);
    let mut late = open_canton();
    invites(&late, 1, &bounds(Bundle::Profile));
    late.toy().passes(7 * DAY_S);
    assert_eq!(registers_with(&mut late, TOKEN, &choir()).status, 401);
}

/// [C17] A change takes the place of all that was registered, within the same bounds, with another token from
/// then on; what is not its own application's it cannot touch.
/// [RFC 7592 §2.2] "Omitted fields MUST be treated as null or empty values by the server, indicating the client's request to delete them from the client's registration."
#[test]
fn an_application_changes_itself_and_its_token_with_that() {
    let mut canton = open_canton();
    invites(&canton, 2, &bounds(Bundle::Profile));
    let (own, other) = (registered(&mut canton), registered(&mut canton));
    let looked = keeps(&mut canton, "GET", &own, &Value::Null);
    assert_eq!(looked.status, 200);
    let looked = looked.json();
    assert_eq!(looked["client_secret"], Value::Null, "it is kept nowhere");
    assert_eq!(
        looked["registration_access_token"],
        own["registration_access_token"]
    );
    let change = json!({
        "client_id": own["client_id"], "redirect_uris": [REDIRECT], "client_name": "Orchestra",
        "scope": "openid profile email groups", "trusted": true,
        "token_endpoint_auth_method": "client_secret_post",
    });
    let mut foreign = other.clone();
    foreign["registration_client_uri"] = own["registration_client_uri"].clone();
    assert_eq!(keeps(&mut canton, "PUT", &foreign, &change).status, 401);
    let wrong = json!({ "client_id": own["client_id"], "redirect_uris": ["http://evil.example/"] });
    assert_eq!(
        keeps(&mut canton, "PUT", &own, &wrong).json()["error"],
        "invalid_redirect_uri"
    );
    let mut moved = change.clone();
    moved["redirect_uris"] = json!(["https://evil.example/callback"]);
    let refused = keeps(&mut canton, "PUT", &own, &moved).json();
    assert_eq!(
        refused["error"], "invalid_redirect_uri",
        "people agreed to a host"
    );
    let changed = keeps(&mut canton, "PUT", &own, &change);
    assert_eq!(changed.status, 200, "{}", changed.body);
    let changed = changed.json();
    assert_eq!(
        (text(&changed, "scope"), text(&changed, "client_name")),
        ("openid profile", "Orchestra")
    );
    assert_eq!(changed["client_secret"], Value::Null, "the secret stays");
    assert_eq!(
        changed["grant_types"],
        json!(["authorization_code"]),
        "what is left out is gone"
    );
    assert_ne!(
        changed["registration_access_token"],
        own["registration_access_token"]
    );
    assert_eq!(
        keeps(&mut canton, "PUT", &own, &change).status,
        401,
        "the old token"
    );
    assert_eq!(keeps(&mut canton, "GET", &own, &Value::Null).status, 401);
    assert_eq!(keeps(&mut canton, "DELETE", &own, &Value::Null).status, 401);
    assert_eq!(
        keeps(&mut canton, "GET", &changed, &Value::Null).status,
        200
    );
    let id = text(&own, "client_id").to_owned();
    let (_, code, page) = agrees(&mut canton, &id);
    assert!(page.contains("Orchestra (localhost)"), "{page}");
    assert_eq!(redeems(&mut canton, &own, &code).status, 200);
}

/// [C17] A secret with an end is not good after it; a change gives another one.
#[test]
fn a_secret_ends_when_the_invitation_says() {
    let mut canton = open_canton();
    let ends = Bounds {
        secret_days: Some(30),
        ..bounds(Bundle::Profile)
    };
    invites(&canton, 1, &ends);
    let own = registered(&mut canton);
    let until = canton.by().at.0 + 30 * DAY_S;
    assert_eq!(own["client_secret_expires_at"], until);
    let revoke = |of: &Value| {
        let fields = [
            ("client_id", text(of, "client_id").to_owned()),
            ("client_secret", text(of, "client_secret").to_owned()),
        ];
        let fields = fields
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        let all = [&fields[..], &[("token", "nothing")]].concat();
        Attempt::post(&at("/revoke"), &all)
    };
    assert_eq!(sends(&mut canton, revoke(&own)).status, 200);
    canton.toy().passes(30 * DAY_S);
    assert_eq!(
        sends(&mut canton, revoke(&own)).json()["error"],
        "invalid_client"
    );
    let mut change = choir();
    change["client_id"] = own["client_id"].clone();
    let changed = keeps(&mut canton, "PUT", &own, &change).json();
    assert_eq!(sends(&mut canton, revoke(&changed)).status, 200);
}

/// [C17] What a stranger wrote is no button of ours, and an id that no engine can be asked for is nobody's.
#[test]
fn no_page_offers_what_a_stranger_registered() {
    let mut canton = open_canton();
    invites(&canton, 1, &bounds(Bundle::Profile));
    let mut loud = choir();
    loud["client_name"] = json!("Votre mot de passe expire");
    loud["client_uri"] = json!(REDIRECT);
    let answer = registers_with(&mut canton, TOKEN, &loud);
    assert_eq!(answer.status, 201);
    assert_eq!(answer.json()["client_uri"], REDIRECT);
    let (anna, mut browser) = at_school(&mut canton);
    enters(&mut *browser, &asks(&[]), &anna);
    let page = browser.sends(Attempt::get(&at("/account")));
    assert_eq!(page.status, 200, "{}", page.location());
    assert!(page.body.contains("ENT"), "{}", page.body);
    assert!(!page.body.contains("mot de passe expire"));
    let odd = request("GET", &at("/register/%00"), TOKEN, &Value::Null);
    assert_eq!(sends(&mut canton, odd).status, 401);
}

/// [C17] [A10] Who asks too often waits; others go on, and who has no token counts for nobody.
#[test]
fn an_application_that_looks_without_end_waits_and_no_stranger_makes_it_wait() {
    let mut canton = open_canton();
    invites(&canton, 2, &bounds(Bundle::Profile));
    let own = registered(&mut canton);
    let looks = |canton: &mut Canton| keeps(canton, "GET", &own, &Value::Null);
    for _ in 0..150 {
        let guess = registers_with(&mut canton, "guess", &choir());
        assert_eq!(guess.status, 401);
    }
    let statuses: Vec<u16> = (0..101).map(|_| looks(&mut canton).status).collect();
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        100
    );
    assert_eq!(statuses[100], 429);
    assert!(looks(&mut canton).header("retry-after").is_some());
    registered(&mut canton);
    canton.toy().passes(10);
    assert_eq!(looks(&mut canton).status, 200);
}

/// [C17] The file of a technician leaves alone who registered itself; one that takes its name counts instead,
/// and nobody is kept from anything by a registration that cannot be read.
#[test]
fn a_file_that_is_applied_leaves_registered_applications_alone() {
    let mut canton = open_canton();
    invites(&canton, 1, &bounds(Bundle::Profile));
    let own = registered(&mut canton);
    let id = text(&own, "client_id").to_owned();
    changes(&canton, ResourceKind::Applications, |text| {
        format!("{text}\n# another day\n")
    });
    let (_, code, _) = agrees(&mut canton, &id);
    assert_eq!(redeems(&mut canton, &own, &code).status, 200);
    changes(&canton, ResourceKind::Applications, |text| {
        text.replacen("registration = true", "registration = false", 1)
    });
    let (_, code, _) = agrees(&mut canton, &id);
    assert_eq!(
        redeems(&mut canton, &own, &code).status,
        200,
        "who is there stays"
    );
    assert_eq!(keeps(&mut canton, "GET", &own, &Value::Null).status, 404);
    let by = canton.by();
    let removed = canton.store().remove_registration(&id, None, &by);
    assert!(canton.waits_for(removed).unwrap());
    assert!(canton.waits_for(canton.provider().reload()).unwrap());
    assert_eq!(
        redeems(&mut canton, &own, "x").json()["error"],
        "invalid_client"
    );
}

/// [C17] Whoever shows no token is asked for one, and told of no error; nothing is said of what is there.
#[test]
fn who_shows_no_token_is_asked_for_one() {
    let mut canton = open_canton();
    invites(&canton, 1, &bounds(Bundle::Pseudonym));
    let known = registered(&mut canton);
    let here = text(&known, "registration_client_uri").to_owned();
    for (method, url) in [
        ("POST", at("/register")),
        ("GET", here.clone()),
        ("PUT", here.clone()),
        ("DELETE", here.clone()),
        ("GET", at("/register/guest-00")),
    ] {
        for other in [None, Some("Basic Zm9vOmJhcg=="), Some("")] {
            let mut attempt = request(method, &url, "", &choir());
            attempt.headers.retain(|(name, _)| name != "authorization");
            if let Some(other) = other {
                attempt = attempt.header("authorization", other);
            }
            let answer = sends(&mut canton, attempt);
            let asked = answer.header("www-authenticate");
            assert_eq!((answer.status, asked), (401, Some("Bearer")), "{method}");
            assert_eq!(answer.body, "");
        }
        let wrong = sends(&mut canton, request(method, &url, "wrong", &choir()));
        assert_eq!(wrong.json()["error"], "invalid_token", "{method}");
    }
    assert_eq!(keeps(&mut canton, "GET", &known, &Value::Null).status, 200);
}

/// [C17] [P10] Where it comes from decides nothing: a token does. A page of others has none of these, and no cookie
/// counts here.
#[test]
fn a_page_of_another_site_that_has_the_token_looks_after_the_registration() {
    let mut canton = open_canton();
    invites(&canton, 1, &bounds(Bundle::Pseudonym));
    let known = registered(&mut canton);
    let foreign = |known: &Value, method: &str, token: &str| {
        let mut said = choir();
        said["client_id"] = known["client_id"].clone();
        let url = text(known, "registration_client_uri");
        request(method, url, token, &said)
            .header("origin", "https://choir.example")
            .header("sec-fetch-site", "cross-site")
    };
    let wrong = sends(&mut canton, foreign(&known, "PUT", "wrong"));
    assert_eq!(wrong.status, 401, "{}", wrong.body);
    let token = text(&known, "registration_access_token").to_owned();
    let changed = sends(&mut canton, foreign(&known, "PUT", &token));
    assert_eq!(changed.status, 200, "{}", changed.body);
    let known = changed.json();
    let token = text(&known, "registration_access_token").to_owned();
    let gone = sends(&mut canton, foreign(&known, "DELETE", &token));
    assert_eq!((gone.status, gone.body.as_str()), (204, ""));
}

/// [C17] [JARM §2.2] "The JWT is either signed, or signed and encrypted."
/// What an application that registered itself wants encrypted is never told in the clear: not in answers, not in tokens,
/// and not because it forgot to say so.
#[test]
fn what_is_encrypted_to_a_guest_is_told_it_in_no_other_way() {
    let mut canton = open_canton();
    invites(&canton, 1, &bounds(Bundle::Profile));
    let key = SigningKey::generate(SigningAlg::Es256).unwrap();
    let mut public = serde_json::to_value(key.public()).unwrap();
    public["use"] = json!("enc");
    public.as_object_mut().unwrap().remove("alg");
    let mut said = choir();
    said["jwks"] = json!({ "keys": [public] });
    for what in ["id_token", "userinfo", "introspection", "authorization"] {
        said[format!("{what}_encrypted_response_alg")] = json!("ECDH-ES");
    }
    let mut keyless = said.clone();
    keyless["jwks"] = Value::Null;
    let refused = registers_with(&mut canton, TOKEN, &keyless);
    assert_eq!(refused.json()["error"], "invalid_client_metadata");
    let answer = registers_with(&mut canton, TOKEN, &said);
    assert_eq!(answer.status, 201, "{}", answer.body);
    let known = answer.json();
    assert_eq!(known["userinfo_encrypted_response_enc"], "A128CBC-HS256");

    let person = somebody(&mut canton, Role::Sms);
    let mut browser = (&mut canton as &mut dyn Town).browser(Place::School);
    let id = text(&known, "client_id").to_owned();
    let asked = asks(&[("client_id", Some(&id)), ("scope", Some("openid"))]);
    let answer = enters(&mut *browser, &asked, &person);
    let path = |answer: &Answer| {
        let way = answer.location();
        way.strip_prefix(&at("")).unwrap_or(way).to_owned()
    };
    let page = gets(&mut *browser, &path(&answer));
    let ticket = between(&page.body, "name=\"ticket\" value=\"", "\"");
    let fields = [("action", "allow"), ("ticket", ticket.as_str())];
    let back = posts(&mut *browser, "/consent", &fields);
    let path = path(&back);
    assert!(path.starts_with("/answer?"), "{back:?}");
    let gone = path.clone();
    let way = gets(&mut *browser, &path);
    let response = parameter(way.location(), "response").unwrap();
    assert_eq!(response.split('.').count(), 5, "{response}");
    for plain in ["code", "state"] {
        assert_eq!(parameter(way.location(), plain), None);
    }
    let secret = text(&known, "client_secret").to_owned();
    for accept in ["application/json", "*/*", ""] {
        let fields = [
            ("client_id", id.as_str()),
            ("client_secret", &secret),
            ("token", "x"),
        ];
        let asks = Attempt::post(&at("/introspect"), &fields).header("accept", accept);
        let told = sends(&mut canton, asks);
        let kind = told.header("content-type");
        assert_eq!(
            kind,
            Some("application/token-introspection+jwt"),
            "{accept}"
        );
        assert_eq!(told.body.split('.').count(), 5);
    }
    // Gone meanwhile, it is told nothing at all.
    assert_eq!(
        keeps(&mut canton, "DELETE", &known, &Value::Null).status,
        204
    );
    let late = gets(&mut *browser, &gone);
    assert_eq!((late.status, late.location()), (410, ""));
}
