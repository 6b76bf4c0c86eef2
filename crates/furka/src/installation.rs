//! An installation as a command finds it: configuration, keys, database. The only place that names
//! the concrete gateways.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use journey::{NameKey, Place, Policy, Timestamp, Zones};
use server::{
    RealWorld, World,
    catalogue::{Connect, registered},
    password::monotonic,
};
use store::{Account, AnyStore, By, Resource, ResourceKind, seal::Keys};
use wire::oauth::{
    client::{Applications, Client},
    registration::Registered,
};

use crate::{
    config::{Config, ConfigError, Database},
    failure::{Doing, Failure},
    key_file,
};

const HERE: &str = "furka.toml";
const USUAL: &str = "/etc/furka/furka.toml";

/// An open installation.
pub(crate) struct Installation {
    pub(crate) config: Config,
    pub(crate) keys: Arc<Keys>,
    pub(crate) store: AnyStore,
    pub(crate) world: RealWorld,
}

/// Where the configuration is.
pub(crate) fn config_path(given: Option<&Path>) -> PathBuf {
    match given {
        Some(path) => path.to_owned(),
        None if Path::new(HERE).exists() => PathBuf::from(HERE),
        None => PathBuf::from(USUAL),
    }
}

/// Reads the configuration.
pub(crate) fn configuration(given: Option<&Path>) -> Result<Config, Failure> {
    let path = config_path(given);
    if given.is_none() && !path.exists() {
        return Err(
            Failure::new(format!("there is no `{HERE}` here and no `{USUAL}`"))
                .cure("name it with `--config FILE`, or make one with `furka init DIR`"),
        );
    }
    read(&path).map_err(|error| Failure::new(error.to_string()))
}

/// Reads the configuration at a path, with what the environment says.
pub(crate) fn read(path: &Path) -> Result<Config, ConfigError> {
    Config::load(path, std::env::vars())
}

/// Opens the database that is there: a wrong address makes no new one, and an older schema is not
/// changed behind anybody's back.
pub(crate) async fn open_database(config: &Config, keys: Arc<Keys>) -> Result<AnyStore, Failure> {
    let database = &config.database;
    if let Database::Sqlite(path) = database
        && !path.exists()
    {
        return Err(
            Failure::new(format!("there is no database at `{database}`"))
                .cure("correct `database` in the configuration, or make one with `furka init DIR`"),
        );
    }
    let pending = database.migrate_plan().await?;
    if !pending.is_empty() && database.is_empty().await? {
        let sentence = format!("there is nothing in the database `{database}`");
        return Err(Failure::new(sentence).cure(
            "make an installation with `furka init DIR --database`, or fill it with `furka store copy` or \
             `furka restore`",
        ));
    }
    if !pending.is_empty() {
        let sentence =
            format!("the database `{database}` has an older schema than this version of furka");
        return Err(Failure::new(sentence).cure("copy the database, then run `furka migrate`"));
    }
    Ok(database.open(keys).await?)
}

/// Makes senders from the text of `gateways.toml`.
pub(crate) fn connect() -> Connect {
    let clock = monotonic();
    Arc::new(move |text| {
        Ok(peers::connect(
            &peers::Gateways::parse(text)?,
            clock.clone(),
        )?)
    })
}

impl Installation {
    /// Opens what the configuration names.
    pub(crate) async fn open(config: Option<&Path>) -> Result<Self, Failure> {
        let config = configuration(config)?;
        let keys = Arc::new(key_file::read(&config.key_file)?);
        let store = open_database(&config, keys.clone()).await?;
        Ok(Self {
            config,
            keys,
            store,
            world: RealWorld,
        })
    }

    /// Who is named in the audit for a command.
    pub(crate) fn by(&self, command: &str) -> By {
        by(&self.world, command)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.world.now()
    }

    /// Somebody by user name or alias.
    pub(crate) async fn account(&self, name: &str) -> Result<Account, Failure> {
        let found = match NameKey::of(name) {
            Some(key) => self.store.person_by_name(&key).await?,
            None => None,
        };
        found.ok_or_else(|| {
            Failure::new(format!("nobody is called `{name}`"))
                .cure("check the spelling; `furka person list` names everybody")
        })
    }

    /// A document; an empty one of version 0 if there is none.
    pub(crate) async fn resource(&self, kind: ResourceKind) -> Result<Resource, Failure> {
        let none = || Resource {
            kind,
            text: String::new(),
            version: 0,
        };
        Ok(self.store.resource(kind).await?.unwrap_or_else(none))
    }

    pub(crate) async fn zones(&self) -> Result<Zones, Failure> {
        let resource = self.resource(ResourceKind::Zones).await?;
        Zones::parse(&resource.text).doing(|| "reading the zones in the database".to_owned())
    }

    /// The applications of the file, and those that registered themselves and can be used.
    pub(crate) async fn applications(&self) -> Result<Applications, Failure> {
        let resource = self.resource(ResourceKind::Applications).await?;
        let file = registered(&resource.text);
        let mut all = file.doing(|| "reading the applications in the database".to_owned())?;
        for guest in self.store.registrations().await? {
            let read = Registered::read(&guest.document).ok();
            let client = read.map(|registered| registered.client);
            let is_new = |client: &Client| all.find(&client.id).is_none();
            if let Some(client) = client.filter(is_new) {
                all.application.push(client);
            }
        }
        Ok(all)
    }

    pub(crate) async fn policy(&self) -> Result<Policy, Failure> {
        let resource = self.resource(ResourceKind::Policy).await?;
        Policy::parse(&resource.text).doing(|| "reading the policy in the database".to_owned())
    }
}

/// Who is named in the audit for a command. It comes from this machine, wherever its user sits.
pub(crate) fn by(world: &dyn World, command: &str) -> By {
    By {
        address: None,
        at: world.now(),
        person: None,
        place: Place::Public,
        support: String::new(),
        through: format!("command {command}"),
    }
}

/// So many random bytes.
pub(crate) fn draw<const N: usize>(world: &dyn World) -> [u8; N] {
    let mut bytes = [0; N];
    world.fill(&mut bytes);
    bytes
}
