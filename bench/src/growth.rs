//! How it grows: what a sign-in writes, and what it costs where there are many people and many sessions,
//! or where many come at once.

use std::{
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use data_encoding::BASE64URL_NOPAD;
use driver::{Asked, Browser, Connection, Entered, Site};
use journey::{
    JourneyId, NameKey, PersonId, Place, Secret, effect::Effect, login::Login, zone::Inside,
};
use serde_json::json;
use store::{Committed, Journey, JourneyState, Store};
use tokio::{
    task::{JoinHandle, JoinSet},
    time::{Instant, sleep, sleep_until},
};

use crate::{
    Trouble,
    canton::{Canton, Engine, PASSWORD, SCHOOL, by, draw, run},
    each_ms,
    load::{A_MOMENT, Act, Closed, Turn, certainly, closed, pause},
    measure::{AT_ONCE, ROUNDS, ms, percentile},
    process::{Provider, everybodys_cpu},
    registered::APPLICATION,
    report::{Figure, Goal, rounded},
};

/// People of a large installation, and as many sessions.
const LARGE: u32 = 100_000;
/// People of a small one.
const SMALL: u32 = 1_000;
/// People of more than a canton.
const MILLION: u32 = 1_000_000;
/// People who sign in at once while bytes are counted.
const WRITERS: usize = 64;
/// Of what the machine can do, so much is usual while people are imported.
const USUAL: f64 = 0.25;
/// Connections over which sessions are used.
const CONNECTIONS: usize = 8;

/// Installations of several sizes.
pub(crate) struct Growth<'a> {
    pub(crate) furka: &'a Path,
    pub(crate) window: Duration,
}

/// 8: what reaches the disk, if many sign in at once and if one does.
pub(crate) async fn bytes(
    provider: &Provider,
    turn: &Turn,
    window: Duration,
) -> Result<[Figure; 2], Trouble> {
    eprintln!("bytes written …");
    let many = closed(provider, turn, (Act::SignIn, WRITERS), window * 2).await?;
    let one = closed(provider, turn, (Act::SignIn, 1), window * 2).await?;
    let kib =
        |bytes: u64, all: &Closed| crate::as_float(bytes) / 1024.0 / crate::as_float(all.flows);
    let figure = |name, all: Closed| Figure {
        name,
        value: kib(all.written.disk, &all),
        unit: "KiB",
        goal: Goal::AtMost(8.0),
        evidence: json!({
            "how": "write_bytes of /proc/PID/io: pages of 4 KiB that were sent to the disk, checkpoints \
                    included; wchar is what the process gave to write, sockets in part included",
            "kib_wchar": rounded(kib(all.written.calls, &all)),
            "sign_ins": all.flows,
        }),
    };
    Ok([
        figure("written per sign-in with its audit, 64 at once", many),
        figure("written per sign-in with its audit, one at a time", one),
    ])
}

impl Growth<'_> {
    /// 9: a register comes in while people sign in.
    pub(crate) async fn import(&self) -> Result<[Figure; 2], Trouble> {
        eprintln!("an import of {LARGE} people, and sign-ins meanwhile …");
        let (mut took, mut before, mut meanwhile) = (vec![], vec![], vec![]);
        let mut busy = Duration::ZERO;
        for _ in 0..ROUNDS {
            let round = self.import_once().await?;
            took.push(round.took);
            busy += round.busy;
            before.extend(round.before);
            meanwhile.extend(round.meanwhile);
        }
        let cores_busy = busy.as_secs_f64() / took.iter().sum::<Duration>().as_secs_f64();
        for all in [&mut took, &mut before, &mut meanwhile] {
            all.sort();
        }
        let p99 = |all: &[Duration]| ms(percentile(all, 99));
        Ok([
            Figure {
                name: "import of 100,000 people, checked and audited (median of 3)",
                value: percentile(&took, 50).as_secs_f64(),
                unit: "s",
                goal: Goal::AtMost(5.0),
                evidence: json!({
                    "cores_busy_in_all": rounded(cores_busy),
                    "people_before": crate::canton::PEOPLE,
                    "seconds": took.iter().map(|one| rounded(one.as_secs_f64())).collect::<Vec<_>>(),
                }),
            },
            Figure {
                name: "p99 of sign-ins during the import / before",
                value: p99(&meanwhile) / p99(&before),
                unit: "",
                goal: Goal::AtMost(2.0),
                evidence: json!({
                    "before_ms_p50": rounded(ms(percentile(&before, 50))),
                    "before_ms_p99": rounded(p99(&before)),
                    "before_sign_ins": before.len(),
                    "during_ms_max": rounded(ms(percentile(&meanwhile, 100))),
                    "during_ms_p50": rounded(ms(percentile(&meanwhile, 50))),
                    "during_ms_p99": rounded(p99(&meanwhile)),
                    "during_sign_ins": meanwhile.len(),
                    "how": "people come at random, a quarter of what the machine can do; hash included",
                }),
            },
        ])
    }

    /// Into a fresh installation, so that everybody is new.
    async fn import_once(&self) -> Result<Round, Trouble> {
        let canton = Canton::for_one_run(self.furka, Engine::Sqlite).await?;
        let register = canton.file("register.csv");
        let mut write = Command::new(self.furka);
        write.args(["dev", "populate", "--people", &LARGE.to_string(), "--csv"]);
        run(write.arg(&register))?;
        let provider = Provider::start(self.furka, &canton).await?;
        let turn = Turn::of(&canton);
        let full = closed(&provider, &turn, (Act::SignIn, AT_ONCE), self.window / 2).await?;
        let usual = || Usual::begin(&provider.site, &turn, full.per_second() * USUAL);
        let before = usual();
        sleep(self.window).await;
        let before = before.end().await?;
        let mut import = Command::new(self.furka);
        import.arg("--config").arg(canton.config());
        import.args(["person", "import"]).arg(&register);
        let (meanwhile, began) = (usual(), Instant::now());
        let busy = everybodys_cpu()?;
        let imported = tokio::task::spawn_blocking(move || run(&mut import)).await?;
        let took = began.elapsed();
        let busy = everybodys_cpu()?.saturating_sub(busy);
        let meanwhile = meanwhile.end().await?;
        imported?;
        Ok(Round {
            before,
            busy,
            meanwhile,
            took,
        })
    }

    /// 10: start and memory where there are many people and sessions.
    pub(crate) async fn large(&self) -> Result<[Figure; 2], Trouble> {
        eprintln!("{LARGE} people and as many sessions …");
        let canton = Canton::populated(self.furka, LARGE, Engine::Sqlite).await?;
        let mut starts = Vec::new();
        for _ in 0..5 {
            starts.push(Provider::start(self.furka, &canton).await?.started_in);
        }
        starts.sort();
        let sessions = sessions(&canton).await?;
        let provider = Provider::start(self.furka, &canton).await?;
        let rest = provider.memory_kib()?;
        // Hashing takes its memory with the first hashes, and keeps it.
        let turn = Turn::of(&canton);
        closed(&provider, &turn, (Act::SignIn, AT_ONCE), self.window / 2).await?;
        let hashed = provider.memory_kib()?;
        use_all(&provider.site, &sessions).await?;
        let mib = |kib: u64| crate::as_float(kib) / 1024.0;
        Ok([
            Figure {
                name: "start with 100,000 people (median of 5)",
                value: ms(percentile(&starts, 50)),
                unit: "ms",
                goal: Goal::AtMost(100.0),
                evidence: json!({
                    "ms": starts.iter().map(|took| rounded(ms(*took))).collect::<Vec<_>>(),
                }),
            },
            Figure {
                name: "memory with 100,000 people and 100,000 sessions at work",
                value: mib(provider.memory_kib()?),
                unit: "MiB",
                goal: Goal::AtMost(64.0),
                evidence: json!({
                    "how": "sessions are made through the store's own method and not by 100,000 hashes; \
                            then 40 people at once sign in with passwords, and each of the sessions \
                            opens an application",
                    "mib_at_rest": rounded(mib(rest)),
                    "mib_with_the_memory_of_hashing": rounded(mib(hashed)),
                    "sessions": sessions.len(),
                }),
            },
        ])
    }

    /// 11 and 14: the same sign-in among a thousand people and among a million, in turns.
    pub(crate) async fn million(&self, engine: Engine) -> Result<[Figure; 2], Trouble> {
        eprintln!("{MILLION} people in {engine:?} …");
        let cantons = [
            Canton::populated(self.furka, SMALL, engine).await?,
            Canton::populated(self.furka, MILLION, engine).await?,
        ];
        let [small, large] = &cantons;
        let mut both = [
            Size::begin(self, small).await?,
            Size::begin(self, large).await?,
        ];
        for _ in 0..ROUNDS {
            for size in &mut both {
                size.look(self.window).await?;
            }
        }
        both.iter_mut().for_each(|size| size.alone.sort());
        Ok(grown(engine, &both))
    }
}

/// An installation of one size, and what was seen of it.
struct Size<'a> {
    /// How long sign-ins took one at a time, less their hashes.
    alone: Vec<Duration>,
    canton: &'a Canton,
    /// What the server of its database wrote to its log for them, in bytes.
    logged: u64,
    /// Many at once.
    many: Closed,
    provider: Provider,
    turn: Turn,
}

impl<'a> Size<'a> {
    async fn begin(growth: &Growth<'_>, canton: &'a Canton) -> Result<Self, Trouble> {
        Ok(Self {
            alone: Vec::new(),
            canton,
            logged: 0,
            many: Closed::default(),
            provider: Provider::start(growth.furka, canton).await?,
            turn: Turn::of(canton),
        })
    }

    async fn look(&mut self, window: Duration) -> Result<(), Trouble> {
        let before = self.canton.logged()?;
        self.alone
            .extend(without_hash(&self.provider, &self.turn, window).await?);
        self.logged += self.canton.logged()?.saturating_sub(before);
        let what = (Act::SignIn, AT_ONCE);
        self.many
            .add(closed(&self.provider, &self.turn, what, window).await?);
        Ok(())
    }

    /// So many in a hundred took no longer, in milliseconds.
    fn ms(&self, percent: usize) -> f64 {
        ms(percentile(&self.alone, percent))
    }

    fn logged_kib(&self) -> f64 {
        let sign_ins = u64::try_from(self.alone.len()).unwrap_or(u64::MAX);
        crate::as_float(self.logged) / 1024.0 / crate::as_float(sign_ins)
    }
}

/// A sign-in among many in proportion to one among few: its CPU time, and how long it takes.
fn grown(engine: Engine, [few, many]: &[Size<'_>; 2]) -> [Figure; 2] {
    let provider = |size: &Size<'_>| each_ms(size.many.cpu.rest, size.many.flows);
    let server = |size: &Size<'_>| each_ms(size.many.server, size.many.flows);
    let all = |size: &Size<'_>| provider(size) + server(size);
    let names = match engine {
        Engine::Sqlite => [
            "CPU of a sign-in without the hash: 1,000,000 / 1,000 people",
            "p99 of a sign-in without the hash: 1,000,000 / 1,000 people",
        ],
        Engine::Postgres => [
            "on PostgreSQL: its CPU, the server's included",
            "on PostgreSQL: its p99",
        ],
    };
    let figure = |name, value, evidence| Figure {
        name,
        value,
        unit: "",
        goal: Goal::AtMost(1.1),
        evidence,
    };
    let cpu = json!({
        "ms_few": rounded(provider(few)),
        "ms_many": rounded(provider(many)),
        "ms_of_the_database_server_few": rounded(server(few)),
        "ms_of_the_database_server_many": rounded(server(many)),
    });
    let took = json!({
        "how": "one person at a time; of each sign-in, the CPU time of the threads that hash is taken off",
        "kib_of_the_database_servers_log_few": rounded(few.logged_kib()),
        "kib_of_the_database_servers_log_many": rounded(many.logged_kib()),
        "ms_few_p50": rounded(few.ms(50)),
        "ms_few_p99": rounded(few.ms(99)),
        "ms_many_p50": rounded(many.ms(50)),
        "ms_many_p99": rounded(many.ms(99)),
    });
    [
        figure(names[0], all(many) / all(few), cpu),
        figure(names[1], many.ms(99) / few.ms(99), took),
    ]
}

/// One import, and how long sign-ins took before and meanwhile.
struct Round {
    before: Vec<Duration>,
    /// CPU time of everybody on this machine during the import.
    busy: Duration,
    meanwhile: Vec<Duration>,
    took: Duration,
}

/// People who come at random, so many a second, until it is ended.
struct Usual {
    over: Arc<AtomicBool>,
    took: JoinHandle<Result<Vec<Duration>, Trouble>>,
}

impl Usual {
    fn begin(site: &Arc<Site>, turn: &Turn, rate: f64) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let all = come(Arc::clone(site), turn.clone(), rate, Arc::clone(&over));
        Self {
            over,
            took: tokio::spawn(all),
        }
    }

    /// How long each sign-in took.
    async fn end(self) -> Result<Vec<Duration>, Trouble> {
        self.over.store(true, Ordering::Relaxed);
        self.took.await?
    }
}

async fn come(
    site: Arc<Site>,
    turn: Turn,
    rate: f64,
    over: Arc<AtomicBool>,
) -> Result<Vec<Duration>, Trouble> {
    let mut all = JoinSet::new();
    let mut next = Instant::now();
    while !over.load(Ordering::Relaxed) {
        let (site, who) = (Arc::clone(&site), turn.next());
        all.spawn(async move {
            let (began, mut browser) = (Instant::now(), Browser::new(&site, SCHOOL));
            loop {
                match browser.sign_in(&who, PASSWORD).await? {
                    // Whoever has to wait, waits; it counts.
                    Entered::Later(_) => sleep(A_MOMENT).await,
                    entered => return certainly(entered).map(|()| began.elapsed()),
                }
            }
        });
        next += pause(rate);
        sleep_until(next).await;
    }
    let mut took = Vec::new();
    while let Some(ended) = all.join_next().await {
        took.push(ended??);
    }
    Ok(took)
}

/// One sign-in after the other: how long each took, less what hashing took of it.
async fn without_hash(
    provider: &Provider,
    turn: &Turn,
    window: Duration,
) -> Result<Vec<Duration>, Trouble> {
    let mut browser = Browser::new(&provider.site, SCHOOL);
    let mut rest = Vec::new();
    let until = Instant::now() + window;
    while Instant::now() < until {
        browser.forget();
        let who = turn.next();
        let (hashing, began) = (provider.cpu()?.hashing, Instant::now());
        certainly(browser.sign_in(&who, PASSWORD).await?)?;
        let took = began.elapsed();
        let hashed = provider.cpu()?.hashing.saturating_sub(hashing);
        rest.push(took.saturating_sub(hashed));
    }
    Ok(rest)
}

/// A session for each of as many people, made as the last step of a sign-in makes it; their ids.
async fn sessions(canton: &Canton) -> Result<Vec<Secret>, Trouble> {
    let (store, _) = canton.store().await?;
    let mut all = JoinSet::new();
    let mut ids = Vec::new();
    for number in 0..LARGE as usize {
        let Some(name) = canton.names.get(number % canton.names.len().max(1)) else {
            return Err("nobody lives there".into());
        };
        let key = NameKey::of(name).ok_or("somebody has no name")?;
        let store = Arc::clone(&store);
        all.spawn(async move {
            let person = store.person_by_name(&key).await?;
            let person = person.ok_or("somebody is gone")?.person.id;
            begin(&*store, person).await
        });
        if all.len() >= 256
            && let Some(begun) = all.join_next().await
        {
            ids.push(begun??);
        }
    }
    while let Some(begun) = all.join_next().await {
        ids.push(begun??);
    }
    Ok(ids)
}

/// A session, made as the last step of a sign-in makes it; its id.
pub(crate) async fn begin(store: &dyn Store, person: PersonId) -> Result<Secret, Trouble> {
    let by = by();
    // Only a journey makes a proof; one that was stored is read back.
    let proof = json!({ "factor": null, "password": { "at": by.at.0, "_checked": null } });
    let proof: journey::Proof = serde_json::from_value(proof)?;
    let state = Login::SignedIn(journey::login::SignedIn {
        person,
        proof: proof.clone(),
    });
    let journey = Journey {
        browser: draw(),
        id: JourneyId(draw()),
        purpose: String::new(),
        state: JourneyState::Login(state),
        support: String::new(),
        until: by.at,
        version: 0,
    };
    let effect = Effect::SignIn {
        person,
        place: Place::Inside(Inside {
            refuses_enrolment: true,
            waives_second_factor: true,
            zone: "school".to_owned(),
        }),
        proof,
    };
    match store.open_journey(&journey, &[effect], &by).await? {
        Committed::Yes(Some(session)) => Ok(session.id),
        other => Err(format!("no session: {other:?}").into()),
    }
}

/// Each session opens an application.
async fn use_all(site: &Arc<Site>, sessions: &[Secret]) -> Result<(), Trouble> {
    let next = Arc::new(AtomicUsize::new(0));
    let values = sessions
        .iter()
        .map(|id| BASE64URL_NOPAD.encode(id.expose()));
    let values: Arc<[String]> = values.collect();
    let mut all = JoinSet::<Result<(), Trouble>>::new();
    for _ in 0..CONNECTIONS {
        let (site, next, values) = (Arc::clone(site), Arc::clone(&next), Arc::clone(&values));
        all.spawn(async move {
            let mut connection = Connection::open(site.address).await?;
            while let Some(value) = values.get(next.fetch_add(1, Ordering::Relaxed)) {
                let asked = Asked::draw(&APPLICATION)?;
                let (_, host) = site.origin.split_once("://").unwrap_or_default();
                let request = format!(
                    "GET {} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-For: {SCHOOL}\r\n\
                     Cookie: furka-session={value}\r\n\r\n",
                    asked.path()
                );
                let answer = connection.call(&request).await?;
                if answer.status != 303 {
                    return Err(answer.unexpected("a code at once").into());
                }
            }
            Ok(())
        });
    }
    while let Some(ended) = all.join_next().await {
        ended??;
    }
    Ok(())
}
