//! What applications ask for when nobody looks: tokens, who somebody is, what a token is worth, keys; and a SAML
//! response. Each is measured for each core-second of the provider, and against its floor: the least that the same
//! server answers and the signatures in it, which take turns with it. Where npm's `oidc-provider` does the
//! same, it takes turns, too.

use std::{path::Path, sync::Arc, time::Duration};

use driver::{Application, Browser, Site};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::{
    Trouble,
    asking::{Asker, answered, asked, get, post, signs_in, text},
    canton::{Canton, SCHOOL},
    each_ms,
    load::{Closed, Turn},
    measure::{ROUNDS, ms, percentile},
    peer::Peer,
    process::Provider,
    raw::{self, Raw, Signature},
    registered::{RENEWING, SCOPE, SERVICE, SERVICE_RS256},
    report::{Figure, Goal, rounded},
    together::sync_again_and_again,
};

/// Connections over which is asked.
const AT_ONCE: usize = 16;
/// The same, where each answer waits for the disk.
const DURABLY_AT_ONCE: usize = 64;
/// Tokens that are issued while memory is watched, for each second of a window: a million in a whole run.
const TOKENS: u64 = 100_000;

/// What is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum What {
    Discovery,
    Introspection,
    Keys,
    Refresh,
    Saml,
    /// A token of an application itself, with this signature.
    Service(Signature),
    Userinfo,
}

/// One thing that is asked for, and what was promised of it.
struct Thing {
    /// How many answers it takes.
    answers: u32,
    goal: f64,
    name: &'static str,
    of_floor: &'static str,
    than_peer: Option<&'static str>,
    signed: Option<(u32, Signature)>,
    what: What,
}

const TOKENS_ES256: Thing = Thing {
    answers: 1,
    goal: 10_000.0,
    name: "client credentials, JWT by ES256, per core-second",
    of_floor: "client credentials, JWT by ES256 / floor",
    than_peer: Some("client credentials, JWT by ES256 / npm oidc-provider"),
    signed: Some((1, Signature::Es256)),
    what: What::Service(Signature::Es256),
};

const TOKENS_RS256: Thing = Thing {
    answers: 1,
    goal: 2_500.0,
    name: "client credentials, JWT by RS256, per core-second",
    of_floor: "client credentials, JWT by RS256 / floor",
    than_peer: None,
    signed: Some((1, Signature::Rs256)),
    what: What::Service(Signature::Rs256),
};

const REFRESH: Thing = Thing {
    answers: 1,
    goal: 5_000.0,
    name: "refreshes, rotated and durable, per core-second",
    of_floor: "refreshes, rotated and durable / floor",
    than_peer: None,
    signed: Some((1, Signature::Es256)),
    what: What::Refresh,
};

const USERINFO: Thing = Thing {
    answers: 1,
    goal: 20_000.0,
    name: "userinfo per core-second",
    of_floor: "userinfo / floor",
    than_peer: Some("userinfo / npm oidc-provider"),
    signed: None,
    what: What::Userinfo,
};

const INTROSPECTION: Thing = Thing {
    answers: 1,
    goal: 20_000.0,
    name: "introspection per core-second",
    of_floor: "introspection / floor",
    than_peer: Some("introspection / npm oidc-provider"),
    signed: None,
    what: What::Introspection,
};

const SAML: Thing = Thing {
    answers: 2,
    goal: 1_000.0,
    name: "SAML responses with two RSA-2048 signatures per core-second",
    of_floor: "SAML responses / floor",
    than_peer: None,
    signed: Some((2, Signature::Rs256)),
    what: What::Saml,
};

const DISCOVERY: Thing = Thing {
    answers: 1,
    goal: 30_000.0,
    name: "discovery per core-second",
    of_floor: "discovery / floor",
    than_peer: Some("discovery / npm oidc-provider"),
    signed: None,
    what: What::Discovery,
};

const KEYS: Thing = Thing {
    answers: 1,
    goal: 30_000.0,
    name: "JWK sets per core-second",
    of_floor: "JWK sets / floor",
    than_peer: Some("JWK sets / npm oidc-provider"),
    signed: None,
    what: What::Keys,
};

/// The things of a measurement, by its number.
const THINGS: [(u8, &[Thing]); 5] = [
    (15, &[TOKENS_ES256, TOKENS_RS256]),
    (16, &[REFRESH]),
    (17, &[USERINFO, INTROSPECTION]),
    (18, &[SAML]),
    (19, &[DISCOVERY, KEYS]),
];
/// The number of the measurement that watches memory.
const MEMORY: u8 = 20;

/// A provider that applications ask.
pub(crate) struct Applications<'a> {
    pub(crate) canton: &'a Canton,
    pub(crate) furka: &'a Path,
    pub(crate) provider: &'a Provider,
    pub(crate) turn: &'a Turn,
    pub(crate) window: Duration,
}

/// What took turns.
#[derive(Default)]
struct Rounds {
    life: Closed,
    ours: Closed,
    signing: Raw,
    synced: Vec<Duration>,
    theirs: Closed,
}

impl Applications<'_> {
    /// 15 to 20, those that are wanted.
    pub(crate) async fn measure(&self, wants: impl Fn(u8) -> bool) -> Result<Vec<Figure>, Trouble> {
        let wanted = || THINGS.iter().filter(|(number, _)| wants(*number));
        let things = || wanted().flat_map(|(_, things)| things.iter());
        let peer = match things().any(|thing| thing.than_peer.is_some()) {
            true => Some(Peer::start(self.furka)?),
            false => None,
        };
        let mut figures = Vec::new();
        for thing in things() {
            figures.extend(self.figures(thing, peer.as_ref()).await?);
        }
        if wants(MEMORY) {
            figures.push(self.memory().await?);
        }
        Ok(figures)
    }

    /// The floor, the provider and the other one take turns, so that a slow spell of the machine meets all.
    async fn figures(&self, thing: &Thing, peer: Option<&Peer>) -> Result<Vec<Figure>, Trouble> {
        eprintln!("{} …", thing.name);
        let peer = peer.filter(|_| thing.than_peer.is_some());
        let (mut rounds, window) = (Rounds::default(), self.window / 2);
        let process = self.provider.process();
        for _ in 0..ROUNDS {
            let life = life(self.provider, at_once(thing.what), window / 2);
            rounds.life.add(life.await?);
            if let Some((_, with)) = thing.signed {
                let signed = spawn_blocking(move || raw::sign(with, window / 5)).await??;
                rounds.signing.add(signed);
            }
            if is_durable(thing.what) {
                let file = self.canton.file("synced");
                let synced = spawn_blocking(move || sync_again_and_again(&file, window / 5));
                rounds.synced.extend(synced.await??);
            }
            let ours = self.askers(thing.what).await?;
            rounds.ours.add(asked(process, ours, window).await?);
            if let Some(peer) = peer {
                let theirs = askers_of(peer, thing.what).await?;
                let measured = asked(peer.process(), theirs, window).await?;
                rounds.theirs.add(measured);
            }
        }
        rounds.synced.sort();
        Ok(rounds.figures(thing, peer))
    }

    /// Those who ask the provider.
    async fn askers(&self, what: What) -> Result<Vec<Asker>, Trouble> {
        let mut askers = Vec::new();
        for _ in 0..at_once(what) {
            askers.push(self.asker(what).await?);
        }
        Ok(askers)
    }

    async fn asker(&self, what: What) -> Result<Asker, Trouble> {
        let site = &self.provider.site;
        let (request, wants) = match what {
            What::Discovery => {
                let path = "/.well-known/openid-configuration";
                (get(site, path, ""), "\"issuer\"")
            }
            What::Keys => (get(site, "/jwks", ""), "\"keys\""),
            What::Refresh => {
                return Asker::renews(self.site(RENEWING), &self.turn.next()).await;
            }
            What::Saml => return Asker::enters(site, &self.turn.next()).await,
            What::Service(with) => {
                let application = match with {
                    Signature::Es256 => SERVICE,
                    Signature::Rs256 => SERVICE_RS256,
                };
                (token_request(&self.site(application), &[]), TOKEN)
            }
            What::Introspection => {
                let token = self.token().await?;
                let fields = [("token", token.as_str())];
                let request = post(&self.site(RENEWING), "/introspect", &fields);
                (request, "\"active\":true")
            }
            What::Userinfo => {
                let bearer = format!("Authorization: Bearer {}\r\n", self.token().await?);
                (get(site, "/userinfo", &bearer), "\"sub\"")
            }
        };
        Asker::same(site.address, request, wants).await
    }

    /// The provider, as this application sees it.
    fn site(&self, application: Application) -> Arc<Site> {
        Arc::new(Site {
            application,
            ..Site::clone(&self.provider.site)
        })
    }

    /// The access token of somebody who signs in.
    async fn token(&self) -> Result<String, Trouble> {
        let mut browser = Browser::new(&self.site(RENEWING), SCHOOL);
        let tokens = signs_in(&mut browser, &self.turn.next()).await?;
        text(&tokens, "access_token")
    }

    /// 20: what memory does while tokens are issued, signed ones and renewed ones.
    async fn memory(&self) -> Result<Figure, Trouble> {
        let tokens = self.window.as_secs().saturating_mul(TOKENS);
        eprintln!("memory over {tokens} tokens …");
        let askers = async || -> Result<Vec<Asker>, Trouble> {
            let mut askers = self.askers(What::Service(Signature::Es256)).await?;
            askers.extend(self.askers(What::Refresh).await?);
            Ok(askers)
        };
        // What grows with the first ones is the memory of connections and caches.
        answered(askers().await?, tokens / 10).await?;
        let before = self.provider.memory_kib()?;
        let took = answered(askers().await?, tokens).await?;
        let after = self.provider.memory_kib()?;
        Ok(Figure {
            name: "growth of memory over 1,000,000 tokens (fewer in a short run)",
            value: crate::as_float(after.saturating_sub(before)) / 1024.0,
            unit: "MiB",
            goal: Goal::AtMost(8.0),
            evidence: json!({
                "how": "RSS after a tenth as many tokens, and after all; client credentials over 16 \
                        connections and refreshes over 64, at once",
                "mib_after": rounded(crate::as_float(after) / 1024.0),
                "mib_before": rounded(crate::as_float(before) / 1024.0),
                "seconds": rounded(took.as_secs_f64()),
                "tokens": tokens,
            }),
        })
    }
}

/// The least that the same server answers, over so many connections: that it lives.
pub(crate) async fn life(
    provider: &Provider,
    at_once: usize,
    window: Duration,
) -> Result<Closed, Trouble> {
    let request = get(&provider.site, "/health/live", "");
    let mut askers = Vec::new();
    for _ in 0..at_once {
        askers.push(Asker::same(provider.site.address, request.clone(), "live").await?);
    }
    asked(provider.process(), askers, window).await
}

/// What stands in an answer with a signed access token.
const TOKEN: &str = "\"access_token\":\"ey";

/// Where npm's `oidc-provider` does the same, those who ask it.
async fn askers_of(peer: &Peer, what: What) -> Result<Vec<Asker>, Trouble> {
    let site = &peer.site;
    let (request, wants) = match what {
        What::Discovery => {
            let path = "/.well-known/openid-configuration";
            (get(site, path, ""), "\"issuer\"")
        }
        What::Keys => (get(site, "/jwks", ""), "\"keys\""),
        What::Userinfo => {
            let bearer = format!("Authorization: Bearer {}\r\n", peer.token);
            (get(site, "/me", &bearer), "\"sub\"")
        }
        What::Introspection => {
            let fields = [("token", peer.token.as_str())];
            (
                post(site, "/token/introspection", &fields),
                "\"active\":true",
            )
        }
        What::Service(Signature::Es256) => {
            let resource = [("resource", "https://api.example/")];
            (token_request(site, &resource), TOKEN)
        }
        _ => return Err("`oidc-provider` is not set up for that".into()),
    };
    let mut askers = Vec::new();
    for _ in 0..at_once(what) {
        askers.push(Asker::same(site.address, request.clone(), wants).await?);
    }
    Ok(askers)
}

/// An application asks in its own name.
fn token_request(site: &Site, more: &[(&str, &str)]) -> String {
    let fields = [("grant_type", "client_credentials"), ("scope", SCOPE)];
    post(site, "/token", &[&fields, more].concat())
}

fn is_durable(what: What) -> bool {
    matches!(what, What::Refresh | What::Saml)
}

fn at_once(what: What) -> usize {
    match is_durable(what) {
        true => DURABLY_AT_ONCE,
        false => AT_ONCE,
    }
}

impl Rounds {
    fn figures(&self, thing: &Thing, peer: Option<&Peer>) -> Vec<Figure> {
        let figure = |name, value, unit, goal| Figure {
            name,
            value,
            unit,
            goal,
            evidence: json!({}),
        };
        let (ours, per) = (us(&self.ours), per_core_second(&self.ours));
        let mut figures = vec![
            Figure {
                evidence: self.evidence(thing),
                ..figure(thing.name, per, "/core-s", Goal::AtLeast(thing.goal))
            },
            figure(thing.of_floor, self.floor_us(thing) / ours, "", Goal::None),
        ];
        if let (Some(name), Some(peer)) = (thing.than_peer, peer) {
            figures.push(Figure {
                evidence: json!({
                    "cpu_us": rounded(us(&self.theirs)),
                    "how": format!("{}; in memory, one process", peer.version),
                    "per_core_second": rounded(per_core_second(&self.theirs)),
                    "per_second": rounded(self.theirs.per_second()),
                }),
                ..figure(name, per / per_core_second(&self.theirs), "", Goal::None)
            });
        }
        figures
    }

    /// CPU of what it takes at least, in microseconds.
    fn floor_us(&self, thing: &Thing) -> f64 {
        let signatures = thing.signed.map_or(0, |(signatures, _)| signatures);
        let signing = f64::from(signatures) * self.signing.cpu_ms() * 1000.0;
        f64::from(thing.answers) * us(&self.life) + signing
    }

    fn evidence(&self, thing: &Thing) -> Value {
        let mut evidence = json!({
            "at_once": at_once(thing.what),
            "cores_used_by_others": rounded(self.ours.noise()),
            "cpu_us": rounded(us(&self.ours)),
            "driver_cpu_us": rounded(each_ms(self.ours.driver, self.ours.flows) * 1000.0),
            "flows": self.ours.flows,
            "floor_cpu_us": rounded(self.floor_us(thing)),
            "floor_cpu_us_of_an_answer": rounded(us(&self.life)),
            "floor_per_core_second": rounded(1e6 / self.floor_us(thing)),
            "per_second": rounded(self.ours.per_second()),
        });
        if let (Some((signatures, with)), Some(object)) = (thing.signed, evidence.as_object_mut()) {
            let each = rounded(self.signing.cpu_ms() * 1000.0);
            object.insert("floor_cpu_us_of_a_signature".to_owned(), each.into());
            let signed = format!("{signatures} of {with:?}");
            object.insert("floor_signatures".to_owned(), signed.into());
        }
        if let (false, Some(object)) = (self.synced.is_empty(), evidence.as_object_mut()) {
            let median = rounded(ms(percentile(&self.synced, 50)));
            object.insert("ms_of_4_kib_and_fsync_p50".to_owned(), median.into());
            let written = crate::as_float(self.ours.written.disk) / 1024.0;
            let each = rounded(written / crate::as_float(self.ours.flows));
            object.insert("kib_written".to_owned(), each.into());
        }
        evidence
    }
}

/// CPU of one, in microseconds.
fn us(all: &Closed) -> f64 {
    each_ms(all.cpu.all(), all.flows) * 1000.0
}

fn per_core_second(all: &Closed) -> f64 {
    crate::ratio(all.flows, all.cpu.all())
}
