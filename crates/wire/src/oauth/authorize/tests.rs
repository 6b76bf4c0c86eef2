//! Every step of `/authorize`, wrong in every way we know.

use super::*;
use crate::oauth::scope::ScopeName;
use crate::testing::{NOW, Odd, ent, issuer, native};

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn good() -> Vec<(&'static str, &'static str)> {
    vec![
        ("client_id", "ent"),
        ("redirect_uri", "https://edu.example/callback"),
        ("response_type", "code"),
        ("scope", "openid profile"),
        ("state", "s t/ä+&="),
        ("nonce", "n-0S6_WzA2Mj"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("prompt", "login consent"),
        ("max_age", "300"),
        (
            "acr_values",
            "https://refeds.org/profile/mfa https://refeds.org/profile/sfa",
        ),
        ("login_hint", "anna"),
        ("ui_locales", "fr-CH de"),
    ]
}

fn encoded(pairs: &[(&str, &str)]) -> String {
    pairs
        .iter()
        .map(|(name, value)| {
            let value: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
            format!("{name}={value}")
        })
        .collect::<Vec<_>>()
        .join("&")
}

/// A request that a browser brings.
fn read_by<'c>(
    raw: &[u8],
    find: impl FnOnce(&str) -> Option<&'c Client>,
) -> Result<Authorize, Refused> {
    let issuer = issuer();
    let received = Received {
        issuer: &issuer,
        now: NOW,
        by: Door::Browser,
        numbers: &[],
    };
    parse(raw, &received, find)
}

fn ask_of(client: &Client, pairs: &[(&str, &str)]) -> Result<Authorize, Refused> {
    read_by(encoded(pairs).as_bytes(), |id| {
        (id == client.id).then_some(client)
    })
}

fn ask(pairs: &[(&str, &str)]) -> Result<Authorize, Refused> {
    ask_of(&ent(), pairs)
}

fn with(name: &'static str, value: &'static str) -> Vec<(&'static str, &'static str)> {
    let mut pairs = without(name);
    pairs.push((name, value));
    pairs
}

fn without(name: &str) -> Vec<(&'static str, &'static str)> {
    good().into_iter().filter(|(n, _)| *n != name).collect()
}

fn told(pairs: &[(&str, &str)]) -> Fault {
    match ask(pairs) {
        Err(Refused::Redirect {
            fault,
            redirect_uri,
            ..
        }) => {
            assert_eq!(redirect_uri, "https://edu.example/callback");
            assert!(fault.goes_to_the_application());
            fault
        }
        other => panic!("the application should have been told: {other:?}"),
    }
}

fn shown(pairs: &[(&str, &str)]) -> Fault {
    match ask(pairs) {
        Err(refused @ Refused::Page(fault)) => {
            assert_eq!(refused.reply(&issuer()), None);
            assert!(!fault.goes_to_the_application());
            fault
        }
        other => panic!("a page should have been shown: {other:?}"),
    }
}

/// [RFC 6749 §4.1.2] "The exact value received from the client."
#[test]
fn a_good_request_is_complete_and_travels_in_a_ticket() {
    let request = ask(&good()).unwrap();
    assert_eq!(request.client_id, "ent");
    assert_eq!(request.scope.to_string(), "openid profile");
    assert_eq!(request.state.as_deref(), Some("s t/ä+&="));
    assert!(request.prompt.login && request.prompt.consent && !request.prompt.none);
    assert_eq!(request.max_age, Some(300));
    assert_eq!(request.acr_values.len(), 2);
    assert_eq!(request.ui_locales, ["fr-CH", "de"]);
    let ticket = serde_json::to_vec(&request).unwrap();
    assert_eq!(
        serde_json::from_slice::<Authorize>(&ticket).unwrap(),
        request
    );
}

fn to(location: &str) -> Reply {
    Reply::Redirect(location.to_owned())
}

/// [C07] A form says the same as a redirect would, whether there is a code or a fault.
#[test]
fn an_answer_may_be_posted() {
    let request = ask(&with("response_mode", "form_post")).unwrap();
    let form = |pairs: &[(&str, &str)]| Reply::Form {
        to: "https://edu.example/callback".to_owned(),
        fields: pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    };
    let (state, iss) = (("state", "s t/ä+&="), ("iss", "https://id.example"));
    assert_eq!(
        request.granted("c/1", None, &issuer()),
        form(&[("code", "c/1"), state, iss])
    );
    let mut wrong = with("response_mode", "form_post");
    wrong.retain(|(name, _)| *name != "code_challenge");
    let description = Fault::ChallengeMissing.row().description;
    let expected = form(&[
        ("error", "invalid_request"),
        ("error_description", description),
        state,
        iss,
    ]);
    assert_eq!(ask(&wrong).unwrap_err().reply(&issuer()), Some(expected));
    let ticket = serde_json::to_vec(&request).unwrap();
    assert_eq!(
        serde_json::from_slice::<Authorize>(&ticket).unwrap(),
        request
    );
}

/// [Session Management §2] "it MUST also return the Session State as an additional session_state parameter in the Authentication Response"
#[test]
fn the_state_of_the_session_comes_with_the_code() {
    let request = ask(&good()).unwrap();
    let Reply::Redirect(location) = request.granted("c", Some("5e55.07"), &issuer()) else {
        panic!("a redirect was asked for")
    };
    assert!(location.contains("&session_state=5e55.07&"), "{location}");
}

/// [C07] [RFC 9207 §2] "an authorization server supporting this specification MUST indicate its identity by including the iss parameter in the response."
#[test]
fn the_answer_names_the_issuer_whether_granted_or_refused() {
    let request = ask(&good()).unwrap();
    assert_eq!(
        request.granted("c/1", None, &issuer()),
        to(
            "https://edu.example/callback?code=c%2F1&state=s+t%2F%C3%A4%2B%26%3D&iss=https%3A%2F%2Fid.example"
        )
    );
    assert_eq!(
        request.refused(Fault::AccessDenied, &issuer()),
        to(
            "https://edu.example/callback?error=access_denied&error_description=access+was+denied\
         &state=s+t%2F%C3%A4%2B%26%3D&iss=https%3A%2F%2Fid.example"
        )
    );
    let refused = ask(&without("code_challenge")).unwrap_err();
    let Some(Reply::Redirect(location)) = refused.reply(&issuer()) else {
        panic!("no redirect");
    };
    assert!(location.starts_with("https://edu.example/callback?error=invalid_request&"));
    assert!(location.ends_with("&iss=https%3A%2F%2Fid.example"));
}

/// [RFC 6749 §4.1.2.1] "MUST NOT automatically redirect the user-agent to the invalid redirection URI."
#[test]
fn without_a_known_application_and_its_own_address_nobody_is_redirected() {
    assert_eq!(shown(&without("client_id")), Fault::ClientMissing);
    assert_eq!(shown(&with("client_id", "nobody")), Fault::ClientUnknown);
    assert_eq!(shown(&without("redirect_uri")), Fault::RedirectMissing);
    assert_eq!(
        shown(&with("redirect_uri", "https://evil.example/")),
        Fault::RedirectMismatch
    );
    let disabled = Client {
        enabled: false,
        ..ent()
    };
    assert_eq!(
        ask_of(&disabled, &good()),
        Err(Refused::Page(Fault::ClientUnknown))
    );
}

/// [C01] [S09] Thousands of mutations of a registered address: accepted if and only if identical.
///
/// [RFC 6749 §3.1.2.3] "the authorization server MUST compare the two URIs using simple string comparison as defined in [RFC3986] Section 6.2.1."
/// [OIDC Core §3.1.2.1] "This URI MUST exactly match one of the Redirection URI values for the Client pre-registered at the OpenID Provider"
#[test]
fn a_redirect_uri_is_accepted_if_and_only_if_identical() {
    let registered = "https://edu.example/callback?tenant=1";
    let client = Client {
        redirect_uris: vec![registered.to_owned()],
        ..ent()
    };
    let mut odd = Odd(2026);
    let mut refused = 0;
    for _ in 0..20_000 {
        let uri = odd.mutated(registered);
        let mut pairs = without("redirect_uri");
        pairs.retain(|(name, _)| *name != "client_id");
        let raw = format!(
            "{}&{}",
            encoded(&pairs),
            encoded(&[("client_id", "ent"), ("redirect_uri", &uri)])
        );
        match read_by(raw.as_bytes(), |_| Some(&client)) {
            Ok(request) => assert!(uri == registered && request.redirect_uri == registered),
            Err(Refused::Page(_)) => {
                assert_ne!(uri, registered);
                refused += 1;
            }
            Err(redirected) => panic!("`{uri}` was redirected: {redirected:?}"),
        }
    }
    assert!(refused > 15_000);
}

/// [C01] [S09] A hundred thousand accidents of seven registered addresses of five kinds, one to four at a
/// time: none but an address that is registered is ever taken, and nobody is sent to another one. The
/// target `redirect` of `cargo xtask fuzz` makes millions.
#[test]
fn no_accident_of_a_registered_address_is_taken_for_one() {
    let registered = [
        "https://edu.example/",
        "https://edu.example/callback",
        "https://edu.example/callback?tenant=1&x=%C3%A9",
        "https://edu.example:8443/a/b;c=d/",
        "https://xn--cole-9oa.example/cb",
        "https://[2001:db8::7]/cb",
        "http://localhost:8401/cb",
    ];
    let client = Client {
        redirect_uris: registered.map(str::to_owned).to_vec(),
        ..ent()
    };
    let rest = encoded(&without("redirect_uri"));
    let (mut odd, mut refused) = (Odd(62), 0_u32);
    for number in 0..100_000 {
        let uri = odd.readdressed(registered[number % registered.len()]);
        let raw = format!("{rest}&{}", encoded(&[("redirect_uri", &uri)]));
        match read_by(raw.as_bytes(), |_| Some(&client)) {
            Ok(request) => {
                assert_eq!(request.redirect_uri, uri);
                assert!(registered.contains(&uri.as_str()), "taken: {uri:?}");
            }
            Err(Refused::Page(_)) => {
                assert!(!registered.contains(&uri.as_str()), "refused: {uri:?}");
                refused += 1;
            }
            Err(redirected) => panic!("`{uri}` was redirected: {redirected:?}"),
        }
    }
    assert!(refused > 80_000, "{refused}");
}

/// [C01] Only a native application's loopback IP literal may vary, and only its port [RFC 8252 §7.3].
#[test]
fn a_native_application_may_choose_its_loopback_port_and_nothing_else() {
    let client = Client {
        redirect_uris: vec![
            "http://127.0.0.1/cb".to_owned(),
            "http://[::1]:9/cb".to_owned(),
        ],
        ..native()
    };
    let accepted = |client: &Client, uri: &str| {
        let pairs: Vec<_> = good()
            .into_iter()
            .filter(|(n, _)| !matches!(*n, "client_id" | "redirect_uri"))
            .collect();
        let raw = format!(
            "{}&{}",
            encoded(&pairs),
            encoded(&[("client_id", &client.id), ("redirect_uri", uri)])
        );
        read_by(raw.as_bytes(), |_| Some(client)).is_ok()
    };
    for good in [
        "http://127.0.0.1/cb",
        "http://127.0.0.1:51004/cb",
        "http://[::1]:1/cb",
        "http://[::1]/cb",
    ] {
        assert!(accepted(&client, good), "{good}");
    }
    for bad in [
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:080/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:1@evil.example/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://127.0.0.2:1/cb",
        "http://127.0.0.1:1/cb/",
        "http://127.0.0.1:1/cb?x",
        "http://localhost:1/cb",
        "https://127.0.0.1:1/cb",
        "http://127.0.0.1:+1/cb",
        "http://127.0.0.1:1#/cb",
        "http://[::1]:1:2/cb",
        "http://[::ffff:7f00:1]/cb",
    ] {
        assert!(!accepted(&client, bad), "{bad}");
    }
    let confidential = Client {
        redirect_uris: client.redirect_uris.clone(),
        ..ent()
    };
    assert!(!accepted(&confidential, "http://127.0.0.1:51004/cb"));
}

/// [C13] Every parameter, given twice, is refused, even when unknown or equal.
#[test]
fn every_parameter_given_twice_is_refused() {
    for (name, value) in good().into_iter().chain([("unheard_of", "1")]) {
        let mut pairs = good();
        pairs.retain(|(n, _)| *n != name);
        pairs.extend([(name, value), (name, value)]);
        match name {
            "client_id" | "redirect_uri" => assert_eq!(shown(&pairs), Fault::AddressRepeated),
            _ => assert_eq!(told(&pairs), Fault::Repeated, "{name}"),
        }
    }
    let twice = [
        good(),
        vec![("response_mode", "query"), ("response_mode", "query")],
    ]
    .concat();
    assert_eq!(shown(&twice), Fault::ResponseModeUnsupported);
    let refused = ask(&[good(), vec![("state", "other")]].concat()).unwrap_err();
    assert!(matches!(refused, Refused::Redirect { state: None, .. }));
}

/// [RFC 6749 §3.1] "The authorization server MUST ignore unrecognized request parameters."
#[test]
fn an_unknown_parameter_changes_nothing() {
    let more = [
        good(),
        vec![("display", "popup"), ("claims", "{}"), ("x", "y")],
    ]
    .concat();
    assert_eq!(ask(&more), ask(&good()));
}

/// [C04] [RFC 6749 §3.1.1] "or if the response type is not understood, the authorization server MUST return an error response as described in Section 4.1.2.1."
#[test]
fn only_a_code_is_given() {
    assert_eq!(told(&without("response_type")), Fault::ResponseTypeMissing);
    for other in [
        "token",
        "id_token",
        "code token",
        "code id_token",
        "none",
        "CODE",
        "code code",
    ] {
        assert_eq!(
            told(&with("response_type", other)),
            Fault::ResponseTypeUnsupported,
            "{other}"
        );
    }
}

/// [OIDC Core §3.1.2.6] "If the Response Mode value is not supported, the Authorization Server returns an HTTP response code of 400 (Bad Request) without Error Response parameters"
#[test]
fn another_response_mode_is_answered_here() {
    for other in ["fragment", "fragment.jwt", "JWT"] {
        assert_eq!(
            shown(&with("response_mode", other)),
            Fault::ResponseModeUnsupported
        );
    }
    assert!(ask(&with("response_mode", "query")).is_ok());
}

/// [C03] [RFC 7636 §4.4.1] "the authorization endpoint MUST return the authorization error response with the "error" value set to "invalid_request"."
/// [RFC 7636 §4.2] ""S256" is Mandatory To Implement (MTI) on the server."
#[test]
fn pkce_with_s256_is_for_everybody() {
    assert_eq!(told(&without("code_challenge")), Fault::ChallengeMissing);
    assert_eq!(Fault::ChallengeMissing.row().code, "invalid_request");
    assert_eq!(
        told(&without("code_challenge_method")),
        Fault::ChallengeMethod
    );
    for method in ["plain", "s256", "S512"] {
        assert_eq!(
            told(&with("code_challenge_method", method)),
            Fault::ChallengeMethod
        );
    }
    for challenge in [
        "short",
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM",
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=",
    ] {
        assert_eq!(
            told(&with("code_challenge", challenge)),
            Fault::ChallengeMalformed
        );
    }
    assert_eq!(
        challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
        CHALLENGE
    );
}

/// [OIDC Core §6.1] "the OP MUST return the "request_not_supported" error."
/// [OIDC Core §6.2] "the OP MUST return the "request_uri_not_supported" error."
#[test]
fn request_objects_are_refused_by_their_own_codes() {
    for (name, fault, code) in [
        ("request", Fault::RequestObject, "request_not_supported"),
        (
            "request_uri",
            Fault::RequestUri,
            "request_uri_not_supported",
        ),
        (
            "registration",
            Fault::Registration,
            "registration_not_supported",
        ),
    ] {
        assert_eq!(told(&with(name, "x")), fault);
        assert_eq!(fault.row().code, code);
    }
}

/// [OIDC Core §5.5] Claims are asked for by name, as far as the application is registered for them; what
/// cannot be read is told.
#[test]
fn claims_are_asked_for_by_name() {
    let claims =
        r#"{"userinfo":{"email":null,"phone_number":null},"id_token":{"acr":{"values":["a"]}}}"#;
    let request = ask(&with("claims", claims)).unwrap();
    assert_eq!(request.claims.named.scope().to_string(), "email");
    assert_eq!(request.told().to_string(), "openid profile email");
    assert_eq!(
        request.acr_values.len(),
        2,
        "the parameter of its own goes first"
    );
    let mut without = without("acr_values");
    without.push(("claims", claims));
    assert_eq!(ask(&without).unwrap().acr_values, ["a"]);
    for bad in ["x", "[]", r#"{"userinfo":{"email":null,"email":null}}"#] {
        assert_eq!(told(&with("claims", bad)), Fault::ClaimsMalformed, "{bad}");
    }
    assert_eq!(Fault::ClaimsMalformed.row().code, "invalid_request");
}

/// [RFC 9449 §10] A code may be bound to the thumbprint of a key, and to nothing else.
#[test]
fn a_code_is_bound_to_a_thumbprint() {
    let request = ask(&with("dpop_jkt", CHALLENGE)).unwrap();
    assert_eq!(request.key.as_deref(), Some(CHALLENGE));
    for bad in [
        "x",
        &CHALLENGE[1..],
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM",
    ] {
        let bad: &'static str = bad;
        assert_eq!(told(&with("dpop_jkt", bad)), Fault::KeyMalformed, "{bad}");
    }
}

/// [C05] [OIDC Core §3.1.2.1] "OpenID Connect requests MUST contain the "openid" scope value."
/// [RFC 6749 §3.3] "If the client omits the scope parameter when requesting authorization, the authorization server MUST either process the request using a pre-defined default value or fail the request indicating an invalid scope."
/// [OIDC Core §11] "The Authorization Server MUST ignore the offline_access request unless the Client is using a response_type value that would result in an Authorization Code being returned."
#[test]
fn scopes_are_those_registered() {
    assert_eq!(told(&without("scope")), Fault::ScopeWithoutOpenid);
    assert_eq!(Fault::ScopeWithoutOpenid.row().code, "invalid_scope");
    assert_eq!(
        told(&with("scope", "profile email")),
        Fault::ScopeWithoutOpenid
    );
    assert_eq!(
        told(&with("scope", "openid groups")),
        Fault::ScopeNotAllowed
    );
    let request = ask(&with("scope", "openid offline_access email")).unwrap();
    assert!(request.scope.has(ScopeName::Email) && !request.scope.has(ScopeName::Profile));
    assert!(!request.scope.has(ScopeName::OfflineAccess));
}

/// [C11] [OIDC Core §3.1.2.1] "If this parameter contains "none" with any other value, an error is returned."
#[test]
fn prompt_none_stands_alone() {
    assert!(ask(&with("prompt", "none")).unwrap().prompt.none);
    for other in ["none login", "login none", "none unheard_of"] {
        assert_eq!(told(&with("prompt", other)), Fault::PromptContradiction);
    }
    assert_eq!(
        ask(&with("prompt", "unheard_of")).unwrap().prompt,
        Prompt::default()
    );
}

/// [C11] `max_age` is a number of seconds and is honoured to the second.
#[test]
fn max_age_counts_seconds() {
    for bad in ["-1", "+1", "1.5", "4294967296", "x", "１"] {
        assert_eq!(told(&with("max_age", bad)), Fault::MaxAgeMalformed, "{bad}");
    }
    let request = ask(&with("max_age", "300")).unwrap();
    assert!(request.is_recent_enough(1_000, 1_300) && !request.is_recent_enough(1_000, 1_301));
    let zero = Authorize {
        prompt: Prompt::default(),
        ..ask(&with("max_age", "0")).unwrap()
    };
    assert!(zero.demands_fresh_login());
    let any = Authorize {
        max_age: None,
        prompt: Prompt::default(),
        ..zero
    };
    assert!(!any.demands_fresh_login() && any.is_recent_enough(0, i64::MAX));
}

#[test]
fn values_that_are_too_long_are_refused() {
    let long: &'static str = Box::leak("x".repeat(2049).into_boxed_str());
    for name in ["state", "nonce", "login_hint", "acr_values", "ui_locales"] {
        assert_eq!(told(&with(name, long)), Fault::ValueTooLong, "{name}");
    }
    let longer: &'static str = Box::leak("x".repeat(4097).into_boxed_str());
    assert_eq!(shown(&with("state", longer)), Fault::TooLong);
    assert_eq!(
        read_by(&[b'a'; 8 * 1024 + 1], |_| None),
        Err(Refused::Page(Fault::TooLong))
    );
    assert_eq!(
        read_by(b"client_id=%ff", |_| None),
        Err(Refused::Page(Fault::Malformed))
    );
}

/// [P07] No bytes make the parser panic, and none of them pass.
#[test]
fn odd_bytes_do_no_harm() {
    let (client, good) = (ent(), encoded(&good()));
    let mut odd = Odd(7);
    for _ in 0..20_000 {
        let bytes = odd.bytes(120, b"client_id=ent&redirect_uri=https%3A%2F%2F&?#+scope");
        assert!(read_by(&bytes, |_| Some(&client)).is_err());
        if let Ok(request) = read_by(odd.mutated(&good).as_bytes(), |_| Some(&client)) {
            assert_eq!(request.redirect_uri, "https://edu.example/callback");
            assert_eq!(request.code_challenge.len(), 43);
        }
    }
}
