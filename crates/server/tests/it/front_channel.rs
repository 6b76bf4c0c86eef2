//! Front-Channel Logout and Session Management: what a browser tells applications, and what it lets them ask.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use store::ResourceKind;
use testkit::memory::Canton;
use testkit::{Answer, Attempt, Browser, Language, Person, Place, Role, Town, Words};

use crate::{
    application::{
        VERIFIER, asks, at, at_school, basic, claims, enters, parameter, redeems, sends,
    },
    registered::{changes, registers, signs_out},
};

const SECRET: &str = "c29tZWJvZHkgZWxzZSdzIHZlcnkgbG9uZyBzZWNyZXQu";

/// An application at a port of this machine.
fn registered(id: &str, port: u16, more: &str) -> String {
    let secret = HEXLOWER.encode(digest(&SHA256, SECRET.as_bytes()).as_ref());
    format!(
        "[[application]]\nid = \"{id}\"\nname = {{ fr = \"{id}\", de = \"{id}\", en = \"{id}\" }}\n\
         kind = \"confidential\"\nauth = \"basic\"\nsecret_sha256 = \"{secret}\"\ntrusted = true\n\
         redirect_uris = [\"http://localhost:{port}/callback\"]\n\
         post_logout_redirect_uris = [\"http://localhost:{port}/bye\"]\n{more}\n"
    )
}

pub(crate) fn canton() -> Canton {
    let canton = Canton::new(Language::French);
    let told = |port: u16, required: bool| {
        format!(
            "frontchannel_logout_uri = \"http://localhost:{port}/out?a=1\"\n\
             frontchannel_logout_session_required = {required}"
        )
    };
    registers(&canton, &registered("alpha", 8405, &told(8405, true)));
    registers(&canton, &registered("beta", 8406, &told(8406, false)));
    canton
}

pub(crate) fn request(id: &str, port: u16) -> String {
    let redirect = format!("http://localhost:{port}/callback");
    asks(&[("client_id", Some(id)), ("redirect_uri", Some(&redirect))])
}

/// Redeems the code in an answer: the ID token.
pub(crate) fn lets_in(canton: &mut Canton, (id, port): (&str, u16), answer: &Answer) -> String {
    let code = parameter(answer.location(), "code").unwrap();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", &format!("http://localhost:{port}/callback")),
        ("code_verifier", VERIFIER),
    ];
    let redeems = Attempt::post(&at("/token"), &fields).header("authorization", &basic(id, SECRET));
    let tokens = sends(canton, redeems).json();
    tokens["id_token"].as_str().unwrap().to_owned()
}

/// Somebody in alpha.
pub(crate) fn in_alpha(canton: &mut Canton) -> (Person, Box<dyn Browser>, String) {
    let (person, mut browser) = at_school(canton);
    let answer = enters(&mut *browser, &request("alpha", 8405), &person);
    let token = lets_in(canton, ("alpha", 8405), &answer);
    (person, browser, token)
}

/// Signs out with a hint, as alpha does it.
fn hinted(token: &str) -> String {
    let bye = "post_logout_redirect_uri=http%3A%2F%2Flocalhost%3A8405%2Fbye&state=a%3Bb";
    at(&format!("/logout?id_token_hint={token}&{bye}"))
}

pub(crate) fn frames(answer: &Answer) -> Vec<&str> {
    let all = answer.body.split("<iframe src=\"").skip(1);
    all.map(|rest| rest.split('"').next().unwrap()).collect()
}

/// [C15] [Front-Channel Logout §3] "OPs supporting HTTP-based logout need to keep track of the set of logged-in RPs"
#[test]
fn a_browser_that_signs_out_tells_those_that_it_was_let_into() {
    let mut canton = canton();
    let (_, mut browser, token) = in_alpha(&mut canton);
    // A code that nobody redeems lets nobody in.
    browser.sends(Attempt::get(&request("beta", 8406)));
    let out = Attempt::post(&at("/account"), &[("action", "sign-out")]).from_page_of(&at(""));
    let out = browser.sends(out);
    assert!(
        out.location().starts_with("/logout/applications?ticket="),
        "{out:?}"
    );
    let page = browser.sends(Attempt::get(&at(out.location())));
    let sid = claims(&token)["sid"].as_str().unwrap().to_owned();
    let expected = format!(
        "http://localhost:8405/out?a=1&#38;iss=http%3A%2F%2Flocalhost%3A8400&#38;sid={sid}"
    );
    assert_eq!(frames(&page), [expected.as_str()], "{}", page.body);
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.ends_with("; frame-src http://localhost:8405"),
        "{policy}"
    );
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert!(page.body.contains("Nous ne pouvons pas savoir"));
    assert_eq!(page.header("refresh"), None, "there is nowhere to go");
    // In another language it is the same page.
    let other = browser.sends(Attempt::get(&at(&format!("{}&ui=de", out.location()))));
    assert!(other.body.contains("Ob sie es gehört haben"));
    assert_eq!(frames(&other).len(), 1);
    let account = browser.sends(Attempt::get(&at("/login")));
    let policy = account.header("content-security-policy").unwrap();
    assert!(!policy.contains("frame-src"), "no other page has frames");
}

/// [S09] The application that asked gets the person back, without a script, and nobody else does.
#[test]
fn after_the_frames_one_goes_on_to_the_registered_address() {
    let mut canton = canton();
    let (_, mut browser, token) = in_alpha(&mut canton);
    let beta = browser.sends(Attempt::get(&request("beta", 8406)));
    lets_in(&mut canton, ("beta", 8406), &beta);
    let out = browser.sends(Attempt::get(&hinted(&token)));
    let page = browser.sends(Attempt::get(&at(out.location())));
    assert_eq!(frames(&page).len(), 2);
    assert!(
        page.body.contains("\"http://localhost:8406/out?a=1\""),
        "beta wants no more"
    );
    let policy = page.header("content-security-policy").unwrap();
    let framed = "; frame-src http://localhost:8405 http://localhost:8406";
    assert!(policy.ends_with(framed), "{policy}");
    let bye = "http://localhost:8405/bye?state=a%3Bb";
    assert_eq!(
        page.header("refresh"),
        Some(format!("5; url={bye}").as_str())
    );
    assert!(
        page.body.contains(&format!("href=\"{bye}\"")),
        "{}",
        page.body
    );
}

/// [C15] What leads to the page is for this browser, for ten minutes, and for a session that is over.
#[test]
fn nobody_is_signed_out_by_the_address_of_somebody_else() {
    let mut canton = canton();
    let (person, mut browser, token) = in_alpha(&mut canton);
    let out = browser.sends(Attempt::get(&hinted(&token)));
    let way = at(out.location());
    let mut stranger = canton.browser(Place::School);
    let theirs = stranger.sends(Attempt::get(&way));
    assert!(frames(&theirs).is_empty(), "another browser");
    let mut forged = way.clone();
    let last = forged.pop().unwrap();
    forged.push(if last == 'A' { 'B' } else { 'A' });
    for odd in [
        forged.as_str(),
        &at("/logout/applications"),
        &at("/logout/applications?ticket="),
        &at("/logout/applications?ticket=%ff"),
    ] {
        let answer = browser.sends(Attempt::get(odd));
        assert_eq!((answer.status, frames(&answer).len()), (200, 0), "{odd}");
    }
    enters(&mut *browser, &asks(&[]), &person);
    let again = browser.sends(Attempt::get(&way));
    assert_eq!(again.location(), "http://localhost:8405/bye?state=a%3Bb");
    signs_out(&mut *browser, &at("/logout"));
    assert_eq!(frames(&browser.sends(Attempt::get(&way))).len(), 1);
    canton.passes(601);
    assert!(
        frames(&browser.sends(Attempt::get(&way))).is_empty(),
        "too late"
    );
}

/// An application that was taken out or switched off meanwhile is loaded by nobody.
#[test]
fn what_is_not_registered_any_more_is_told_nothing() {
    let mut canton = canton();
    let (_, mut browser, token) = in_alpha(&mut canton);
    let out = browser.sends(Attempt::get(&hinted(&token)));
    changes(&canton, ResourceKind::Applications, |text| {
        text.replace(
            "http://localhost:8405/out?a=1\"\n",
            "http://localhost:8405/out?a=1\"\nenabled = false\n",
        )
    });
    let page = browser.sends(Attempt::get(&at(out.location())));
    assert!(frames(&page).is_empty());
    let policy = page.header("content-security-policy").unwrap();
    assert!(!policy.contains("frame-src"), "{policy}");
}

/// A session that its limits ended is left by the browser all the same.
#[test]
fn whoever_signs_out_late_tells_them_as_well() {
    let mut canton = canton();
    let (_, mut browser, token) = in_alpha(&mut canton);
    canton.passes(13 * 3600);
    let out = browser.sends(Attempt::get(&hinted(&token)));
    let page = browser.sends(Attempt::get(&at(out.location())));
    assert_eq!(frames(&page).len(), 1, "{out:?}");
    // Twice is once: nobody is left to tell.
    let again = browser.sends(Attempt::get(&hinted(&token)));
    assert_eq!(again.location(), "http://localhost:8405/bye?state=a%3Bb");
}

/// One whose pages ask whether the session has changed.
fn watched() -> Canton {
    let canton = Canton::new(Language::French);
    registers(
        &canton,
        &registered("watch", 8407, "session_management = true"),
    );
    canton
}

/// The value of the cookie that a script may read, as the browser has it.
fn state(browser: &mut dyn Browser) -> Option<String> {
    let cookies = browser.cookies().into_iter();
    let mut found = cookies.filter(|(name, _)| name.ends_with("furka-state"));
    found
        .next()
        .map(|(_, value)| value)
        .filter(|value| !value.is_empty())
}

/// What the script of the frame computes.
fn computed(id: &str, port: u16, cookie: &str, session_state: &str) -> String {
    let salt = session_state.rsplit('.').next().unwrap();
    let text = format!("{id} http://localhost:{port} {cookie} {salt}");
    format!(
        "{}.{salt}",
        HEXLOWER.encode(digest(&SHA256, text.as_bytes()).as_ref())
    )
}

/// [C15] The state of a session comes with the code, is that of the cookie, and changes with every session.
#[test]
fn the_page_of_an_application_notices_that_the_session_has_changed() {
    let mut canton = watched();
    let (person, mut browser) = at_school(&mut canton);
    assert_eq!(state(&mut *browser), None);
    let answer = enters(&mut *browser, &request("watch", 8407), &person);
    let first = parameter(answer.location(), "session_state").unwrap();
    let cookie = state(&mut *browser).unwrap();
    assert_eq!(computed("watch", 8407, &cookie, &first), first, "unchanged");
    let session = browser.cookies().into_iter();
    let session = session.filter(|(name, _)| name.ends_with("session"));
    for (_, secret) in session {
        assert_ne!(secret, cookie, "the cookie for scripts opens nothing");
    }
    let again = browser.sends(Attempt::get(&request("watch", 8407)));
    let second = parameter(again.location(), "session_state").unwrap();
    assert_ne!(first, second, "another salt");
    assert_eq!(computed("watch", 8407, &cookie, &second), second);
    // Another application of the same browser gets none.
    let ent = browser.sends(Attempt::get(&asks(&[])));
    assert_eq!(parameter(ent.location(), "session_state"), None);
    assert_eq!(parameter(ent.location(), "code").map(|_| ()), Some(()));

    signs_out(&mut *browser, &at("/logout"));
    assert_eq!(state(&mut *browser), None, "changed");
    let anew = enters(&mut *browser, &request("watch", 8407), &person);
    let other = state(&mut *browser).unwrap();
    assert_ne!(other, cookie);
    assert_ne!(computed("watch", 8407, &other, &first), first, "changed");
    let third = parameter(anew.location(), "session_state").unwrap();
    assert_eq!(computed("watch", 8407, &other, &third), third);
}

/// A session that is older than the registration is watched from the next request on.
#[test]
fn an_older_session_gets_its_state_when_an_application_asks() {
    let mut canton = Canton::new(Language::French);
    let (person, mut browser) = at_school(&mut canton);
    enters(&mut *browser, &asks(&[]), &person);
    assert_eq!(state(&mut *browser), None, "nobody asks");
    registers(
        &canton,
        &registered("watch", 8407, "session_management = true"),
    );
    let answer = browser.sends(Attempt::get(&request("watch", 8407)));
    let said = parameter(answer.location(), "session_state").unwrap();
    let cookie = state(&mut *browser).unwrap();
    assert_eq!(computed("watch", 8407, &cookie, &said), said);
}

/// What node runs: the script as a frame would, and messages from pages of three origins.
const FRAME: &str = r#"
const [script, cookie, state, above] = process.argv.slice(1);
let listener;
globalThis.location = { protocol: "http:", ancestorOrigins: [above] };
globalThis.document = { cookie, referrer: "" };
globalThis.addEventListener = (_, heard) => { listener = heard; };
(0, eval)(`{${script}}`);
const asks = async (data, origin) => {
  let said = "";
  await listener({ data, origin, source: { postMessage: (text, to) => { said = `${text} ${to}`; } } });
  return said;
};
const rp = "http://localhost:8407";
console.log(JSON.stringify([
  await asks(`watch ${state}`, rp),
  await asks(`watch ${state}`, "http://localhost:8408"),
  await asks(`other ${state}`, rp),
  await asks("watch", rp), await asks("", rp), await asks({}, rp), await asks(`watch ${state} `, rp),
]));
"#;

/// What the script of the frame says to these.
fn said(script: &str, cookie: &str, state: &str) -> Vec<String> {
    let above = "http://localhost:8407";
    let ran = std::process::Command::new("/usr/bin/node")
        .args([
            "--input-type=module",
            "-e",
            FRAME,
            "--",
            script,
            cookie,
            state,
            above,
        ])
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success(), "{error}");
    serde_json::from_slice(&ran.stdout).unwrap()
}

/// [Session Management §3.2] "The OP iframe MUST recalculate it from the previously obtained Client ID, the source origin URL (from the postMessage), and the current OP Browser state."
/// [Session Management §3.2] "If the received value and the calculated value do not match, then the OP iframe MUST postMessage the string changed back to the source. If it matched, then it MUST postMessage the string unchanged."
/// [Session Management §3.2] "The OP iframe MUST enforce that the caller has the same origin as its parent frame. It MUST reject postMessage requests from any other source origin."
#[test]
fn the_script_of_the_frame_computes_what_the_provider_said() {
    let mut canton = watched();
    let (person, mut browser) = at_school(&mut canton);
    let answer = enters(&mut *browser, &request("watch", 8407), &person);
    let state = parameter(answer.location(), "session_state").unwrap();
    let cookies = browser.cookies();
    let cookies: Vec<_> = cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let page = sends(&mut canton, Attempt::get(&at("/check-session"))).body;
    let script = page.split("<script>").nth(1).unwrap();
    let script = script.split("</script>").next().unwrap();
    let rp = "http://localhost:8407";
    let (unchanged, changed, error) = (
        format!("unchanged {rp}"),
        format!("changed {rp}"),
        format!("error {rp}"),
    );
    let odd = [&error, &error, &error, &error].map(String::as_str);
    let all = |first: &str| {
        let known = [first, "", changed.as_str()];
        known
            .into_iter()
            .chain(odd)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(said(script, &cookies.join("; "), &state), all(&unchanged));
    // Signed out, or the browser keeps cookies out of frames.
    assert_eq!(said(script, "", &state), all(&changed));
}

/// [C01] Nobody frames the page who is not registered for it.
#[test]
fn the_frame_is_for_registered_pages_and_for_nobody_else() {
    let mut canton = Canton::new(Language::French);
    let frame = |canton: &mut Canton| sends(canton, Attempt::get(&at("/check-session")));
    let nobody = frame(&mut canton);
    assert_eq!(nobody.status, 404);
    assert_eq!(nobody.header("x-frame-options"), Some("DENY"));
    let found = |canton: &mut Canton| {
        let address = at("/.well-known/openid-configuration");
        sends(canton, Attempt::get(&address)).json()["check_session_iframe"].clone()
    };
    assert!(found(&mut canton).is_null());

    registers(
        &canton,
        &registered("watch", 8407, "session_management = true"),
    );
    registers(&canton, &registered("other", 8408, ""));
    assert_eq!(found(&mut canton), at("/check-session"));
    let page = frame(&mut canton);
    assert_eq!(page.status, 200);
    assert_eq!(page.header("x-frame-options"), None);
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.ends_with("; frame-ancestors http://localhost:8407"),
        "{policy}"
    );
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    let script = page.body.split("<script>").nth(1).unwrap();
    let script = script.split("</script>").next().unwrap();
    let hash = data_encoding::BASE64.encode(digest(&SHA256, script.as_bytes()).as_ref());
    assert!(
        policy.contains(&format!("script-src 'sha256-{hash}'")),
        "{policy}"
    );
    assert_eq!(page.cookies_set().count(), 0, "a frame sets nothing");
}

/// Nothing of all this is there where nobody is registered for it.
#[test]
fn without_such_applications_signing_out_is_what_it_was() {
    let mut canton = Canton::new(Language::French);
    let (person, mut browser) = at_school(&mut canton);
    let answer = enters(&mut *browser, &asks(&[]), &person);
    let code = parameter(answer.location(), "code").unwrap();
    assert_eq!(sends(&mut canton, redeems(&code)).status, 200);
    let out = Attempt::post(&at("/account"), &[("action", "sign-out")]).from_page_of(&at(""));
    let out = browser.sends(out);
    assert_eq!((out.status, out.location()), (200, ""));
    assert!(out.cookies_set().all(|name| !name.contains("state")));
}

/// [C15] Whoever signs out in an application that speaks SAML tells those that only the browser can tell, and comes
/// back to it.
#[test]
fn a_sign_out_that_an_application_of_saml_asks_for_has_its_frames_too() {
    let mut canton = canton();
    let w = Words::of(Language::French);
    let chloe = (&mut canton as &mut dyn Town).somebody(Role::EnrolledApp);
    let mut browser = canton.browser(Place::School);
    let answer = enters(&mut *browser, &request("alpha", 8405), &chloe);
    lets_in(&mut canton, ("alpha", 8405), &answer);
    let ism = canton.origins().ism;
    browser.opens(&format!("{ism}/login"));
    browser.clicks(w.next);
    browser.types(
        w.app_code,
        &(&mut canton as &mut dyn Town).shown_by_app(&chloe),
    );
    browser.clicks(w.soumettre);
    browser.lands_at(&format!("{ism}/"));

    browser.clicks(w.sign_out);
    let page = browser.text();
    assert!(page.contains("Nous ne pouvons pas savoir"), "{page}");
    browser.opens(&at("/saml/leave"));
    browser.lands_at(&format!("{ism}/"));
    browser.sees(w.signed_out);
}

/// [C15] Limits were faster than the person, who then signs out in an application of SAML: the frames are loaded, and it
/// has its answer behind them.
#[test]
fn a_late_sign_out_that_an_application_of_saml_asks_for_has_its_frames_too() {
    let mut canton = canton();
    let w = Words::of(Language::French);
    let chloe = (&mut canton as &mut dyn Town).somebody(Role::EnrolledApp);
    let mut browser = canton.browser(Place::School);
    let answer = enters(&mut *browser, &request("alpha", 8405), &chloe);
    lets_in(&mut canton, ("alpha", 8405), &answer);
    let ism = canton.origins().ism;
    browser.opens(&format!("{ism}/login"));
    browser.clicks(w.next);
    let code = (&mut canton as &mut dyn Town).shown_by_app(&chloe);
    browser.types(w.app_code, &code);
    browser.clicks(w.soumettre);
    browser.lands_at(&format!("{ism}/"));

    canton.passes(2 * 3600);
    browser.opens(&format!("{ism}/"));
    browser.clicks(w.sign_out);
    let page = browser.text();
    assert!(page.contains("Nous ne pouvons pas savoir"), "{page}");
    assert!(page.contains("alpha"), "{page}");
    browser.opens(&at("/saml/leave?back=1"));
    browser.lands_at(&format!("{ism}/signed-out"));
    assert!(!browser.url().contains("partly"), "{}", browser.url());
}
