//! An installation to measure: made by `furka init`, with people whose password is known.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    thread::available_parallelism,
};

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::{BASE64, HEXLOWER};
use journey::{Language, PersonId, Place, Role, Secret};
use server::{
    RealWorld, World,
    password::{Costs, Password, Pepper, Pool, PoolLimits, Salt, monotonic},
};
use store::{By, NewPerson, Resource, ResourceKind, Store, seal::Keys, sqlite::Sqlite};
use tempfile::TempDir;

use crate::Trouble;

/// The application that asks.
pub(crate) const CLIENT: &str = "bench";
/// Where its codes go; nothing listens there.
pub(crate) const REDIRECT: &str = "https://portal.example/callback";
/// Its secret, known to everybody: this installation lives for one run.
pub(crate) const SECRET: &str = "a-secret-of-the-bench-that-protects-nothing-0123";
/// The password of everybody.
pub(crate) const PASSWORD: &str = "Simplon-1805-Galerie";
/// How many people there are.
pub(crate) const PEOPLE: usize = 20_000;
/// An address in the zone in which a password is enough.
pub(crate) const SCHOOL: &str = "198.51.100.7";

/// A folder with configuration, key and database.
pub(crate) struct Canton {
    home: PathBuf,
    /// What makes it go away with the value.
    _temporary: Option<TempDir>,
}

impl Canton {
    /// Prepares it beside the binary, so that commits meet the same disk as the checkout.
    pub(crate) async fn for_one_run(furka: &Path) -> Result<Self, Trouble> {
        let place = furka.parent().unwrap_or(Path::new("."));
        let temporary = tempfile::Builder::new()
            .prefix("bench-")
            .tempdir_in(place)?;
        let home = temporary.path().join("furka");
        let canton = Self::prepare(furka, home).await?;
        Ok(Self {
            _temporary: Some(temporary),
            ..canton
        })
    }

    /// Prepares it in a new folder that stays, with a list of its people.
    pub(crate) async fn to_keep(furka: &Path, home: &Path) -> Result<(), Trouble> {
        Self::prepare(furka, home.to_owned()).await?;
        let people = (0..PEOPLE).map(|number| format!("{},{PASSWORD}\n", name(number)));
        let list = std::iter::once("user,password\n".to_owned()).chain(people);
        Ok(fs::write(
            home.join("people.csv"),
            list.collect::<String>(),
        )?)
    }

    async fn prepare(furka: &Path, home: PathBuf) -> Result<Self, Trouble> {
        let made = Command::new(furka)
            .arg("init")
            .arg(&home)
            .env_remove("FURKA_BIN")
            .output()?;
        if !made.status.success() {
            return Err(format!("`furka init`: {}", String::from_utf8_lossy(&made.stderr)).into());
        }
        let canton = Self {
            home,
            _temporary: None,
        };
        canton.move_in().await?;
        Ok(canton)
    }

    /// Its configuration.
    pub(crate) fn config(&self) -> PathBuf {
        self.home.join("furka.toml")
    }

    async fn move_in(&self) -> Result<(), Trouble> {
        let home = &self.home;
        let master = BASE64.decode(
            fs::read_to_string(home.join("furka.key"))?
                .trim()
                .as_bytes(),
        )?;
        let master: &[u8; 32] = master.as_slice().try_into()?;
        let keys = Arc::new(Keys::from_master(master));
        let store = Sqlite::open(home.join("furka.sqlite"), Arc::clone(&keys))?;
        let by = By {
            address: None,
            at: RealWorld.now(),
            person: None,
            place: Place::Public,
            support: String::new(),
            through: "bench".to_owned(),
        };
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
        if !store.apply(&documents, &by).await? {
            return Err("the documents changed while they were replaced".into());
        }
        let hash = hash(&keys).await?;
        let people: Vec<_> = (0..PEOPLE).map(|number| person(number, &hash)).collect();
        store.import_people(&people, &by).await?;
        Ok(())
    }
}

/// The user name of somebody.
pub(crate) fn name(number: usize) -> String {
    format!("u{}", number % PEOPLE)
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

fn applications() -> String {
    let secret = HEXLOWER.encode(digest(&SHA256, SECRET.as_bytes()).as_ref());
    format!(
        "[[application]]\nid = \"{CLIENT}\"\nname = {{ fr = \"Portail\", de = \"Portal\", en = \"Portal\" }}\n\
         kind = \"confidential\"\nredirect_uris = [\"{REDIRECT}\"]\nauth = \"basic\"\n\
         secret_sha256 = \"{secret}\"\nscopes = [\"openid\", \"profile\", \"email\"]\ntrusted = true\n"
    )
}

/// One hash for everybody: checking it costs the same, making twenty thousand would take minutes.
async fn hash(keys: &Keys) -> Result<String, Trouble> {
    let pepper: [u8; 32] = keys.pepper().expose().try_into()?;
    let limits = PoolLimits::for_cores(available_parallelism()?);
    let pool = Pool::new(limits, Costs::default(), Pepper::new(pepper), monotonic())?;
    let hash = pool
        .hash(Password::parse(PASSWORD.to_owned())?, Salt(draw()))
        .await?;
    Ok(hash.as_str().to_owned())
}

fn person(number: usize, hash: &str) -> NewPerson {
    let username = name(number);
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

fn draw<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    RealWorld.fill(&mut bytes);
    bytes
}
