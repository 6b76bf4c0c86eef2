//! What can be taken back, and how it shows that a node knows.

use std::{fs, time::Duration};

use driver::{Application, Asked, Browser, otp, ticket_in};
use tokio::task::block_in_place;

use super::{Arena, NODES, Since};
use crate::{
    Trouble,
    canton::{APPLICATIONS, HOME, PASSWORD, PORTAL, Part, SCHOOL, STRICT, applications},
    walk::{enters, journey_in},
};

/// The address to which an application moves.
const ELSEWHERE: &str = "https://portal.example/elsewhere";

/// What is taken back.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    ApplicationChanged,
    ApplicationRemoved,
    Key,
    Person,
    Session,
}

/// All of them.
pub(super) const KINDS: [Kind; 5] = [
    Kind::Session,
    Kind::Person,
    Kind::ApplicationRemoved,
    Kind::ApplicationChanged,
    Kind::Key,
];

/// Somebody who is signed in, and what the application got for it.
struct Inside {
    access_token: String,
    browser: Browser,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::ApplicationChanged => "application changed",
            Self::ApplicationRemoved => "application removed",
            Self::Key => "signing key rotated",
            Self::Person => "person disabled",
            Self::Session => "signed out everywhere",
        }
    }

    /// One round; how long it took until the last node knew.
    pub(super) async fn round(self, arena: &Arena, number: usize) -> Result<Duration, Trouble> {
        match self {
            Self::ApplicationChanged => application_changed(arena).await,
            Self::ApplicationRemoved => application_removed(arena, number).await,
            Self::Key => key(arena, number).await,
            Self::Person => person(arena, number).await,
            Self::Session => session(arena, number).await,
        }
    }
}

/// Somebody signs out everywhere, on the first node and with another browser.
async fn session(arena: &Arena, number: usize) -> Result<Duration, Trouble> {
    let mut inside = Inside::enter(arena, number).await?;
    let mut other = Inside::enter(arena, number).await?.browser;
    let fields = [("action", "sign-out-everywhere")];
    let answer = other.post("/account", &fields).await?;
    if answer.status != 200 && answer.status != 303 {
        return Err(answer.unexpected("a sign-out").into());
    }
    let mut since = Since::now();
    inside.is_out(arena, &mut since).await?;
    Ok(since.slowest)
}

/// Somebody is switched off by a command, signed in here and half signed in there.
async fn person(arena: &Arena, number: usize) -> Result<Duration, Trouble> {
    let mut inside = Inside::enter(arena, number).await?;
    let holder = Part::Counter.name(number);
    let mut half = Browser::new(&arena.site(1, STRICT)?, HOME);
    let (_, answer) = enters(&mut half, &holder).await?;
    let path = journey_in(&answer)?;
    for name in [holder, Part::Pupil.name(number)] {
        command(arena, &["person", "disable", &name])?;
    }
    let mut since = Since::now();
    // The right code, once: it works nowhere any more.
    half.moves_to(&arena.site(2, STRICT)?);
    let code = otp::code(&arena.canton.token(Part::Counter, number), 0);
    let answer = half.post(&path, &[("code", &code)]).await?;
    if half.code_in(&answer).is_ok() {
        return Err("somebody who was switched off ended their sign-in".into());
    }
    inside.is_out(arena, &mut since).await?;
    for node in 0..NODES {
        let mut browser = Browser::new(&arena.site(node, PORTAL)?, SCHOOL);
        let page = browser.get(Asked::draw(&PORTAL)?.path()).await?;
        let ticket = ticket_in(&page)?;
        let name = Part::Pupil.name(number);
        let answer = browser.enter(&ticket, &name, PASSWORD).await?;
        if browser.code_in(&answer).is_ok() {
            return Err("somebody who was switched off signed in".into());
        }
    }
    Ok(since.slowest)
}

/// An application is taken away, with the tokens that it has and a code that it has not redeemed.
async fn application_removed(arena: &Arena, number: usize) -> Result<Duration, Trouble> {
    let mut inside = Inside::enter(arena, number).await?;
    let (asked, code) = inside.browser.sign_in_again().await?;
    let [_, strict] = APPLICATIONS;
    apply(arena, &[strict])?;
    let mut since = Since::now();
    is_refused(arena, &mut since).await?;
    inside.token_is_void(arena, &mut since).await?;
    let answer = inside.browser.redeem(&asked, &code).await?;
    if answer.status == 200 {
        return Err("an application that was removed redeemed a code".into());
    }
    comes_back(arena).await?;
    Ok(since.slowest)
}

/// An application moves: nobody is sent to where it was.
async fn application_changed(arena: &Arena) -> Result<Duration, Trouble> {
    let [(portal, minimum), strict] = APPLICATIONS;
    let moved = Application {
        redirect: ELSEWHERE,
        ..portal
    };
    apply(arena, &[(moved, minimum), strict])?;
    let mut since = Since::now();
    is_refused(arena, &mut since).await?;
    comes_back(arena).await?;
    Ok(since.slowest)
}

/// Another key signs: every node publishes it, and signs with it.
async fn key(arena: &Arena, number: usize) -> Result<Duration, Trouble> {
    let said = command(arena, &["keys", "rotate", "--alg", "es256"])?;
    let mut since = Since::now();
    let name = said.split_whitespace().nth(1).unwrap_or_default();
    for node in 0..NODES {
        let mut anybody = Browser::new(&arena.site(node, PORTAL)?, SCHOOL);
        let publishes = async || Ok(anybody.get("/jwks").await?.body.contains(name));
        since.until(publishes).await?;
    }
    let mut browser = Browser::new(&arena.site(2, PORTAL)?, SCHOOL);
    let (asked, answer) = enters(&mut browser, &Part::Pupil.name(number)).await?;
    let code = browser.code_in(&answer)?;
    let answer = browser.redeem(&asked, &code).await?;
    match driver::signed_by(&answer)? == name {
        true => Ok(since.slowest),
        false => Err("a token is signed with a key that was retired".into()),
    }
}

impl Inside {
    /// Somebody signs in on the first node.
    async fn enter(arena: &Arena, number: usize) -> Result<Self, Trouble> {
        let who = Part::Pupil.name(number);
        let mut browser = Browser::new(&arena.site(0, PORTAL)?, SCHOOL);
        let (asked, answer) = enters(&mut browser, &who).await?;
        let code = browser.code_in(&answer)?;
        let answer = browser.redeem(&asked, &code).await?;
        asked.is_answered(&answer, &who)?;
        let access_token = answer.between("\"access_token\":\"", "\"");
        let access_token = access_token.ok_or("there is no access token")?.to_owned();
        Ok(Self {
            access_token,
            browser,
        })
    }

    /// Every node shows them the sign-in page, and tells nobody who they are.
    async fn is_out(&mut self, arena: &Arena, since: &mut Since) -> Result<(), Trouble> {
        for node in 0..NODES {
            self.browser.moves_to(&arena.site(node, PORTAL)?);
            let browser = &mut self.browser;
            let signs_in = async || {
                let page = browser.get(Asked::draw(&PORTAL)?.path()).await?;
                Ok(ticket_in(&page).is_ok())
            };
            since.until(signs_in).await?;
        }
        self.token_is_void(arena, since).await
    }

    async fn token_is_void(&self, arena: &Arena, since: &mut Since) -> Result<(), Trouble> {
        for node in 0..NODES {
            let mut server = Browser::new(&arena.site(node, PORTAL)?, SCHOOL);
            let is_void = async || Ok(server.userinfo(&self.access_token).await?.status == 401);
            since.until(is_void).await?;
        }
        Ok(())
    }
}

/// No node takes a request of the portal as it was.
async fn is_refused(arena: &Arena, since: &mut Since) -> Result<(), Trouble> {
    for node in 0..NODES {
        let mut anybody = Browser::new(&arena.site(node, PORTAL)?, SCHOOL);
        let is_refused = async || {
            let page = anybody.get(Asked::draw(&PORTAL)?.path()).await?;
            Ok((400..500).contains(&page.status))
        };
        since.until(is_refused).await?;
    }
    Ok(())
}

/// Everything is as it was, on every node.
async fn comes_back(arena: &Arena) -> Result<(), Trouble> {
    apply(arena, &APPLICATIONS)?;
    let mut since = Since::now();
    for node in 0..NODES {
        let mut anybody = Browser::new(&arena.site(node, PORTAL)?, SCHOOL);
        let is_back = async || {
            let page = anybody.get(Asked::draw(&PORTAL)?.path()).await?;
            Ok(ticket_in(&page).is_ok())
        };
        since.until(is_back).await?;
    }
    Ok(())
}

fn apply(arena: &Arena, all: &[(Application, &str)]) -> Result<(), Trouble> {
    let resources = arena.nodes.installation().home().join("resources");
    fs::write(resources.join("applications.toml"), applications(all))?;
    command(arena, &["apply", "--yes", &resources.display().to_string()])?;
    Ok(())
}

fn command(arena: &Arena, arguments: &[&str]) -> Result<String, Trouble> {
    Ok(block_in_place(|| {
        arena.nodes.installation().furka(arguments)
    })?)
}
