//! An installation to measure: made by `furka init`, with people whose password is known.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    thread::available_parallelism,
};

use cluster::Postgres as Server;
use data_encoding::BASE64;
use journey::{Language, PersonId, Place, Role, Secret};
use server::{
    RealWorld, World,
    password::{Costs, Password, Pepper, Pool, PoolLimits, Salt, monotonic},
};
use store::{
    AnyStore, By, NewPerson, Resource, ResourceKind,
    postgres::{Address, Postgres},
    seal::Keys,
    sqlite::Sqlite,
};
use tempfile::TempDir;

use crate::{Trouble, registered::applications};

/// The password of everybody, that of `furka dev populate`.
pub(crate) const PASSWORD: &str = "Simplon-1805-Galerie";
/// How many people there are.
pub(crate) const PEOPLE: usize = 20_000;
/// An address in the zone in which a password is enough.
pub(crate) const SCHOOL: &str = "198.51.100.7";

/// What an installation keeps its memory in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Engine {
    /// A PostgreSQL server of its own, whose commits wait for the disk.
    Postgres,
    /// A file in its folder.
    Sqlite,
}

/// A folder with configuration, key and database.
pub(crate) struct Canton {
    home: PathBuf,
    /// The server that holds its database, and the address of that; none if it is a file.
    server: Option<(Server, String)>,
    /// Who can sign in with the password.
    pub(crate) names: Arc<[String]>,
    /// What makes it go away with the value.
    _temporary: Option<TempDir>,
}

impl Canton {
    /// Prepares it beside the binary, so that commits meet the same disk as the checkout.
    pub(crate) async fn for_one_run(furka: &Path, engine: Engine) -> Result<Self, Trouble> {
        let (temporary, home) = beside(furka)?;
        let mut canton = Self::prepare(furka, home, engine).await?;
        canton._temporary = Some(temporary);
        Ok(canton)
    }

    /// As many people as this, who are as different as those of a real canton.
    pub(crate) async fn populated(
        furka: &Path,
        people: u32,
        engine: Engine,
    ) -> Result<Self, Trouble> {
        let (temporary, home) = beside(furka)?;
        let mut canton = Self::found(furka, home, engine).await?;
        canton._temporary = Some(temporary);
        let list = canton.home.join("people.csv");
        let mut populate = Command::new(furka);
        populate.arg("--config").arg(canton.config());
        populate.args(["dev", "populate", "--people", &people.to_string(), "--list"]);
        run(populate.arg(&list))?;
        let list = fs::read_to_string(list)?;
        let mut names = Vec::new();
        for line in list.lines().skip(1) {
            let mut fields = line.split(',');
            match (fields.next(), fields.next(), fields.next()) {
                (_, _, Some("admin")) => {}
                (Some(name), Some(PASSWORD), _) => names.push(name.to_owned()),
                _ => return Err("somebody who was made up has another password".into()),
            }
        }
        canton.names = names.into();
        if let Some((server, url)) = &canton.server {
            // What the server would else do by and by, while somebody looks at its CPU time.
            let database = url.rsplit('/').next().unwrap_or_default();
            server.sql(database, "vacuum analyze")?;
            server.sql(database, "checkpoint")?;
        }
        Ok(canton)
    }

    /// Prepares it in a new folder that stays, with a list of its people.
    pub(crate) async fn to_keep(furka: &Path, home: &Path) -> Result<(), Trouble> {
        let canton = Self::prepare(furka, home.to_owned(), Engine::Sqlite).await?;
        let people = canton
            .names
            .iter()
            .map(|name| format!("{name},{PASSWORD}\n"));
        let list = std::iter::once("user,password\n".to_owned()).chain(people);
        Ok(fs::write(
            home.join("people.csv"),
            list.collect::<String>(),
        )?)
    }

    /// With people who are all alike.
    async fn prepare(furka: &Path, home: PathBuf, engine: Engine) -> Result<Self, Trouble> {
        let mut canton = Self::found(furka, home, engine).await?;
        let (store, keys) = canton.store().await?;
        let hash = hash(keys).await?;
        let people: Vec<_> = (0..PEOPLE).map(|number| person(number, &hash)).collect();
        store.import_people(&people, &by()).await?;
        canton.names = people.into_iter().map(|one| one.username).collect();
        Ok(canton)
    }

    /// Without anybody.
    async fn found(furka: &Path, home: PathBuf, engine: Engine) -> Result<Self, Trouble> {
        let mut init = Command::new(furka);
        init.arg("init").arg(&home);
        let server = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => {
                let server = Server::start()?;
                let url = server.database()?;
                init.args(["--database", &url]);
                Some((server, url))
            }
        };
        run(&mut init)?;
        let canton = Self {
            home,
            server,
            names: Arc::default(),
            _temporary: None,
        };
        let (store, _) = canton.store().await?;
        let mut documents = Vec::new();
        for (kind, text) in [
            (ResourceKind::Applications, applications()),
            (ResourceKind::Zones, ZONES.to_owned()),
        ] {
            let version = store.resource(kind).await?.map_or(0, |known| known.version);
            documents.push(Resource {
                kind,
                text,
                version,
            });
        }
        match store.apply(&documents, &by()).await? {
            true => Ok(canton),
            false => Err("the documents changed while they were replaced".into()),
        }
    }

    /// Its database, while nobody serves from it or beside who does.
    pub(crate) async fn store(&self) -> Result<(AnyStore, Arc<Keys>), Trouble> {
        let master = fs::read_to_string(self.home.join("furka.key"))?;
        let master = BASE64.decode(master.trim().as_bytes())?;
        let master: &[u8; 32] = master.as_slice().try_into()?;
        let keys = Arc::new(Keys::from_master(master));
        let (sealed_by, file) = (Arc::clone(&keys), self.home.join("furka.sqlite"));
        let store: AnyStore = match &self.server {
            None => Arc::new(Sqlite::open(file, sealed_by)?),
            Some((_, url)) => Arc::new(Postgres::open(&Address::parse(url)?, sealed_by).await?),
        };
        Ok((store, keys))
    }

    /// The process whose children serve its database; none if it is a file.
    pub(crate) fn server(&self) -> Option<u32> {
        self.server.as_ref().map(|(server, _)| server.process())
    }

    /// What its server has written to its log so far, in bytes; 0 if its database is a file.
    pub(crate) fn logged(&self) -> Result<u64, Trouble> {
        let Some((server, _)) = &self.server else {
            return Ok(0);
        };
        let bytes = server.sql("postgres", "select pg_current_wal_lsn() - '0/0'::pg_lsn")?;
        Ok(bytes.parse()?)
    }

    /// A place for files that go with it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }

    /// Its configuration.
    pub(crate) fn config(&self) -> PathBuf {
        self.home.join("furka.toml")
    }
}

/// A folder that goes with its guard.
fn beside(furka: &Path) -> Result<(TempDir, PathBuf), Trouble> {
    let place = furka.parent().unwrap_or(Path::new("."));
    let temporary = tempfile::Builder::new()
        .prefix("bench-")
        .tempdir_in(place)?;
    let home = temporary.path().join("furka");
    Ok((temporary, home))
}

/// Runs a command of the binary to its end.
pub(crate) fn run(command: &mut Command) -> Result<(), Trouble> {
    let done = command.env_remove("FURKA_BIN").output()?;
    match done.status.success() {
        true => Ok(()),
        false => {
            let said = String::from_utf8_lossy(&done.stderr);
            Err(format!("{command:?}: {said}").into())
        }
    }
}

/// Who is named in the audit.
pub(crate) fn by() -> By {
    By {
        address: None,
        at: RealWorld.now(),
        person: None,
        place: Place::Public,
        support: String::new(),
        through: "bench".to_owned(),
    }
}

const ZONES: &str = r#"
[[zone]]
id = "school"
kind = "school"
name = { fr = "École", de = "Schule", en = "School" }
networks = ["198.51.100.0/24", "2001:db8:1::/48"]
second_factor = "not-asked"
enrolment = "refused"
owner = "bench"
review_by = "2099-08-01"
"#;

/// One hash for everybody: checking it costs the same, making twenty thousand would take minutes.
async fn hash(keys: Arc<Keys>) -> Result<String, Trouble> {
    let limits = PoolLimits::for_cores(available_parallelism()?);
    let pool = Pool::new(limits, Costs::default(), Pepper::of(keys), monotonic())?;
    let hash = pool
        .hash(Password::parse(PASSWORD.to_owned())?, Salt(draw()))
        .await?;
    Ok(hash.as_str().to_owned())
}

fn person(number: usize, hash: &str) -> NewPerson {
    let username = format!("u{number}");
    NewPerson {
        aliases: Vec::new(),
        first_name: "Anna".to_owned(),
        id: PersonId(draw()),
        language: Language::Fr,
        last_name: "Zurbriggen".to_owned(),
        mail: format!("{username}@edu.example"),
        method: None,
        password: Some(Secret::new(hash.as_bytes().to_vec())),
        phone: None,
        role: Role::Pupil,
        school: None,
        token_serial: None,
        username,
    }
}

/// So many random bytes.
pub(crate) fn draw<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    RealWorld.fill(&mut bytes);
    bytes
}
