//! Where the database is, and which engine that means. The only place that names the concrete engines of
//! a server.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use store::{AnyStore, StoreError, image::Engine, postgres::Postgres, seal::Keys, sqlite::Sqlite};

/// A database. Shown without its password.
#[derive(Clone, Debug)]
pub(crate) enum Database {
    /// `postgres://…`
    Postgres(store::postgres::Address),
    /// `sqlite:PATH`
    Sqlite(PathBuf),
}

impl Database {
    /// A path begins at this folder.
    pub(crate) fn seen_from(&mut self, folder: &Path) {
        if let Self::Sqlite(path) = self {
            *path = folder.join(&*path);
        }
    }

    /// Whether nothing is in it: no file, or no table.
    pub(crate) async fn is_empty(&self) -> Result<bool, StoreError> {
        match self {
            Self::Postgres(address) => Postgres::is_empty(address).await,
            Self::Sqlite(path) => Ok(!path.exists()),
        }
    }

    /// The migrations that it has yet to see; changes nothing.
    pub(crate) async fn migrate_plan(&self) -> Result<Vec<&'static str>, StoreError> {
        match self {
            Self::Postgres(address) => Postgres::migrate_plan(address).await,
            Self::Sqlite(path) => Sqlite::migrate_plan(path),
        }
    }

    /// Opens it, and brings its schema up to date.
    pub(crate) async fn open(&self, keys: Arc<Keys>) -> Result<AnyStore, StoreError> {
        Ok(match self {
            Self::Postgres(address) => Arc::new(Postgres::open(address, keys).await?),
            Self::Sqlite(path) => Arc::new(Sqlite::open(path, keys)?),
        })
    }

    /// All of it at once, for what copies it; there need not be one yet.
    pub(crate) fn whole(&self, keys: Arc<Keys>) -> Result<Box<dyn Engine>, StoreError> {
        Ok(match self {
            Self::Postgres(address) => Box::new(store::postgres::Whole::at(address, keys)?),
            Self::Sqlite(path) => Box::new(store::sqlite::Whole::at(path, keys)),
        })
    }
}

impl FromStr for Database {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() && !path.starts_with("//") => {
                Ok(Self::Sqlite(path.into()))
            }
            // What may hold a password is not repeated.
            Some(("postgres" | "postgresql", _)) => store::postgres::Address::parse(text)
                .map(Self::Postgres)
                .map_err(|why| why.to_string()),
            _ => Err("it is no database; write `sqlite:PATH` or `postgres://…`".to_owned()),
        }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres(address) => address.fmt(f),
            Self::Sqlite(path) => path.display().fmt(f),
        }
    }
}
