//! `furka dev populate`: a canton of people who do not exist, through the doors that real ones take.

use std::{
    fs::OpenOptions,
    io::{BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use clap::Args;
use data_encoding::BASE32_NOPAD;
use journey::{
    ActivationId, Happened, JourneyId, NameKey, Otp, Place, Role, Secret, Timestamp,
    activation::{Activation, Opened},
    effect::Effect,
};
use server::password::{Costs, Password, Pepper, Pool, PoolLimits, Salt, monotonic};
use store::{By, Committed, Journey, JourneyState, NewPerson, ResourceKind};

use super::somebody::{People, Somebody, Standing};
use crate::{
    commands::person::Progress,
    failure::{Doing, Exit, Failure, Outcome},
    installation::{Installation, draw},
    print,
};

/// The password of everybody who has one.
const PASSWORD: &str = "Simplon-1805-Galerie";
/// Everybody has one of so many hashes of it: comparing costs the same, and making each would take days.
const HASHES: usize = 16;
/// How the audit calls this; what it finds under another name was not made up.
const COMMAND: &str = "dev populate";
/// So many people come together.
const TOGETHER: usize = 100_000;
/// So many factors are bound together.
const BOUND_TOGETHER: usize = 500;
/// A day, and a step of an app, in seconds.
const DAY_S: i64 = 86_400;
const STEP_S: i64 = 30;
/// So many entries of the audit are read at once.
const ENTRIES: u32 = 1000;

/// What `furka dev populate` is told.
#[derive(Args)]
#[command(after_help = "\
The people have names, schools and roles as in the Valais: 55,000 pupils to 5,200
teachers. Most are activated, all with one password, which is printed; of those
some have an app, some a number, some a token, and some nothing bound yet.
The same seed makes the same people; more people with the same seed are the same
ones and further ones.

Only for a database that is empty, or has nobody but such people, and no gateway:
their numbers may be somebody's.

Examples:
  furka init /tmp/canton
  furka --config /tmp/canton/furka.toml dev populate --people 60000
  furka dev populate --people 100000 --csv people.csv      for `person import`")]
pub(crate) struct Populate {
    /// How many people there are in the end.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    people: u32,
    /// Which people.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Also writes user names, passwords and the keys of apps and tokens here, for who signs them in.
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
    /// Writes them as a register's file instead, all not activated, and touches no database.
    #[arg(long, value_name = "FILE", conflicts_with = "list")]
    csv: Option<PathBuf>,
}

impl Populate {
    pub(crate) async fn run(
        self,
        open: impl AsyncFnOnce() -> Result<Installation, Failure>,
    ) -> Outcome {
        let people = People::of(self.seed).take(self.people as usize);
        if let Some(path) = &self.csv {
            let written = Lines::create(path).and_then(|mut lines| lines.register(people));
            written.doing(|| format!("writing `{}`", path.display()))?;
            return Ok(Exit::Done);
        }
        let here = open().await?;
        refuse_gateways(&here).await?;
        let known = self.known(&here).await?;
        if let Some(path) = &self.list {
            let written = Lines::create(path).and_then(|mut lines| lines.sign_ins(people));
            written.doing(|| format!("writing `{}`", path.display()))?;
        }
        if known >= self.people as usize {
            print::line(format_args!("nobody new: {known} of them are there"));
            return Ok(Exit::Done);
        }
        let clock = monotonic();
        let began = clock();
        let made = self.move_in(&here, known).await?;
        let seconds = clock().saturating_sub(began).as_secs_f64();
        print::line(format_args!("populated: {made} in {seconds:.1} s"));
        print::line(format_args!(
            "whoever is activated has the password {PASSWORD}"
        ));
        Ok(Exit::Done)
    }

    /// How many of these people are there already; fails if anybody else is.
    async fn known(&self, here: &Installation) -> Result<usize, Failure> {
        let known = here.store.counts(here.now()).await?.people;
        let known = usize::try_from(known).unwrap_or(usize::MAX);
        if known == 0 {
            return Ok(0);
        }
        if !only_made_up(here).await? {
            return Err(Failure::new(
                "the database has people who were not made up by `dev populate`",
            )
            .cure(
                "make an installation for this with `furka init DIR`, and name it with `--config`",
            ));
        }
        let first = People::of(self.seed).next();
        let key = first.and_then(|first| NameKey::of(&first.person.username));
        let same_seed = match key {
            Some(key) => here.store.person_by_name(&key).await?.is_some(),
            None => false,
        };
        match same_seed {
            true => Ok(known),
            false => Err(Failure::new("the database was populated with another seed")
                .cure("give that `--seed`, or make a new installation")),
        }
    }

    async fn move_in(&self, here: &Installation, known: usize) -> Result<Made, Failure> {
        let hashes = hashes(here).await?;
        let by = here.by(COMMAND);
        let all = self.people as usize;
        let progress = Progress::of(all.saturating_sub(known) as u64, "people");
        let mut made = Made::none();
        let mut people = People::of(self.seed).take(all).skip(known);
        loop {
            let some: Vec<Somebody> = people.by_ref().take(TOGETHER).collect();
            if some.is_empty() {
                break;
            }
            let tokens: Vec<_> = some.iter().filter_map(Somebody::token).collect();
            here.store
                .import_tokens(&tokens, &by)
                .await
                .map_err(refused)?;
            let with_hash = some.iter().zip(hashes.iter().cycle());
            let new: Vec<_> = with_hash.map(|(one, hash)| one.with(hash)).collect();
            here.store.import_people(&new, &by).await.map_err(refused)?;
            bind(here, &some, &by).await?;
            some.iter().for_each(|one| made.count(one));
            progress.more(some.len() as u64);
        }
        progress.end();
        Ok(made)
    }
}

impl Somebody {
    /// Whoever is activated has this password.
    fn with(&self, hash: &Secret) -> NewPerson {
        let has_one = self.standing != Standing::NotActivated;
        NewPerson {
            password: has_one.then(|| hash.clone()),
            ..self.person.clone()
        }
    }
}

/// A contradiction among made-up people is a mistake of ours.
fn refused(error: store::ImportError) -> Failure {
    match error {
        store::ImportError::Store(error) => error.into(),
        store::ImportError::Conflicts(conflicts) => {
            let first = conflicts.first().map(|(_, conflict)| conflict.to_string());
            Failure::new(first.unwrap_or_default())
        }
    }
}

async fn refuse_gateways(here: &Installation) -> Result<(), Failure> {
    let text = here.resource(ResourceKind::Gateways).await?.text;
    let gateways = peers::Gateways::parse(&text)
        .doing(|| "reading the gateways in the database".to_owned())?;
    if gateways.sms.is_empty() && gateways.mail.is_none() {
        return Ok(());
    }
    let sentence = "there is a gateway: messages to people who do not exist would reach others";
    Err(Failure::new(sentence).cure(
        "make an installation without one with `furka init DIR`, and name it with `--config`",
    ))
}

/// Whether everybody came in through this command.
async fn only_made_up(here: &Installation) -> Result<bool, Failure> {
    let ours = here.by(COMMAND).through;
    let mut found = false;
    for strand in here.store.audit_strands().await? {
        let mut next = 1;
        loop {
            let entries = here.store.audit_from(strand, next, ENTRIES).await?;
            let Some(last) = entries.last() else { break };
            next = last.sequence.saturating_add(1);
            for entry in &entries {
                let happened = serde_json::from_str(&entry.happened);
                if matches!(happened, Ok(Happened::Imported { .. })) {
                    found = true;
                    if entry.through != ours {
                        return Ok(false);
                    }
                }
            }
        }
    }
    Ok(found)
}

async fn hashes(here: &Installation) -> Result<Vec<Secret>, Failure> {
    let doing = || "hashing the password".to_owned();
    let cores = std::thread::available_parallelism().doing(doing)?;
    let limits = PoolLimits::for_cores(cores);
    let pool = Pool::new(
        limits,
        Costs::default(),
        Pepper::of(here.keys.clone()),
        monotonic(),
    );
    let pool = pool.doing(doing)?;
    let mut hashes = Vec::with_capacity(HASHES);
    for _ in 0..HASHES {
        let password = Password::parse(PASSWORD.to_owned()).doing(doing)?;
        let hash = pool.hash(password, Salt(draw(&here.world))).await;
        let hash = hash.map_err(|_| Failure::new("the machine is too busy to hash a password"))?;
        hashes.push(Secret::new(hash.as_str().as_bytes().to_vec()));
    }
    Ok(hashes)
}

/// Binds apps, and confirms numbers, as the steps of a journey do.
async fn bind(here: &Installation, some: &[Somebody], by: &By) -> Result<(), Failure> {
    let mut some: Vec<&Somebody> = some.iter().collect();
    some.sort_by_key(|one| one.person.id);
    let effects = some.into_iter().filter_map(|one| binding(one, by.at));
    let effects: Vec<Effect> = effects.collect();
    for effects in effects.chunks(BOUND_TOGETHER) {
        let bound = here.store.open_journey(&journey(here), effects, by).await?;
        if !matches!(bound, Committed::Yes(_)) {
            return Err(
                Failure::new("a factor of somebody made up is bound already")
                    .cure("another `dev populate` seems to run; let it end"),
            );
        }
    }
    Ok(())
}

fn binding(one: &Somebody, now: Timestamp) -> Option<Effect> {
    let (person, place) = (one.person.id, Place::Public);
    match (one.standing, &one.otp) {
        (Standing::Sms, _) => Some(Effect::EnrolSms { person, place }),
        (Standing::App, Some(otp)) => {
            // The code with which it was bound a day ago.
            let step = now.plus(-DAY_S).0 / STEP_S;
            let last_counter = u64::try_from(step).ok();
            Some(Effect::EnrolApp {
                otp: Box::new(Otp {
                    last_counter,
                    ..otp.clone()
                }),
                person,
                place,
            })
        }
        _ => None,
    }
}

/// A journey that nobody goes on with: upkeep takes it away.
fn journey(here: &Installation) -> Journey {
    let now = here.now();
    let opened = Opened {
        activation: ActivationId(draw(&here.world)),
        code: Secret::new(Vec::new()),
        person: journey::PersonId(draw(&here.world)),
        until: now,
    };
    Journey {
        browser: draw(&here.world),
        id: JourneyId(draw(&here.world)),
        purpose: String::new(),
        state: JourneyState::Activation(Activation::CheckData(opened)),
        support: String::new(),
        until: now,
        version: 0,
    }
}

/// How many of what were made.
struct Made {
    roles: [(&'static str, u64); 4],
    standings: [(&'static str, u64); 5],
}

impl Made {
    fn none() -> Self {
        Self {
            roles: ["pupils", "teachers", "staff", "admins"].map(|role| (role, 0)),
            standings: [
                "with an app",
                "with SMS",
                "with a token",
                "with nothing bound yet",
                "not activated",
            ]
            .map(|standing| (standing, 0)),
        }
    }

    fn count(&mut self, one: &Somebody) {
        let role = match one.person.role {
            Role::Pupil => 0,
            Role::Teacher => 1,
            Role::Staff => 2,
            Role::Admin => 3,
        };
        let standing = match one.standing {
            Standing::App => 0,
            Standing::Sms => 1,
            Standing::Token => 2,
            Standing::Unbound => 3,
            Standing::NotActivated => 4,
        };
        let counts = [self.roles.get_mut(role), self.standings.get_mut(standing)];
        for (_, count) in counts.into_iter().flatten() {
            *count = count.saturating_add(1);
        }
    }
}

impl std::fmt::Display for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = |counts: &[(&str, u64)]| {
            let counts = counts.iter().map(|(what, count)| format!("{count} {what}"));
            counts.collect::<Vec<_>>().join(", ")
        };
        let all = self.roles.iter().map(|(_, count)| count).sum::<u64>();
        let people = print::count(all, "person", "people");
        write!(
            f,
            "{people} ({}; {})",
            list(&self.roles),
            list(&self.standings)
        )
    }
}

/// As `person import` reads it.
fn word(role: Role) -> &'static str {
    match role {
        Role::Admin => "admin",
        Role::Pupil => "pupil",
        Role::Staff => "staff",
        Role::Teacher => "teacher",
    }
}

/// A file of lines, readable by its owner only: it may hold keys.
struct Lines(BufWriter<std::fs::File>);

impl Lines {
    fn create(path: &Path) -> std::io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        Ok(Self(BufWriter::new(options.open(path)?)))
    }

    /// What `person import` reads.
    fn register(&mut self, people: impl Iterator<Item = Somebody>) -> std::io::Result<()> {
        writeln!(
            self.0,
            "username;first_name;last_name;mail;role;language;school;aliases"
        )?;
        for Somebody { person, .. } in people {
            let fields = [
                person.username.as_str(),
                &person.first_name,
                &person.last_name,
                &person.mail,
                word(person.role),
                person.language.code(),
                person.school.as_deref().unwrap_or_default(),
                &person.aliases.join("|"),
            ];
            writeln!(self.0, "{}", fields.join(";"))?;
        }
        self.0.flush()
    }

    /// What a driver needs to sign them in.
    fn sign_ins(&mut self, people: impl Iterator<Item = Somebody>) -> std::io::Result<()> {
        writeln!(self.0, "user,password,role,factor,key")?;
        for Somebody {
            otp,
            person,
            standing,
        } in people
        {
            let factor = match standing {
                Standing::NotActivated => continue,
                Standing::Unbound => "",
                Standing::Sms => "sms",
                Standing::App => "app",
                Standing::Token => "token",
            };
            let key = otp.map(|otp| BASE32_NOPAD.encode(otp.secret.expose()));
            let key = key.unwrap_or_default();
            let (name, role) = (&person.username, word(person.role));
            writeln!(self.0, "{name},{PASSWORD},{role},{factor},{key}")?;
        }
        self.0.flush()
    }
}
