//! The engine under a stage: SQLite in memory, or a real PostgreSQL if `FURKA_STAGE_ENGINE` says
//! `postgres`, for the same stories.

use std::sync::Arc;

use store::{
    AnyStore,
    postgres::{Address, Postgres},
    seal::Keys,
    sqlite::Sqlite,
};

use super::canton::must;

/// Which engine, and its database of this stage's own.
pub(super) enum Engine {
    Postgres(Arc<Postgres>, String),
    Sqlite(Arc<Sqlite>),
}

impl Engine {
    pub(super) async fn open(keys: &Arc<Keys>) -> Self {
        let keys = Arc::clone(keys);
        match std::env::var("FURKA_STAGE_ENGINE").as_deref() {
            Ok("postgres") => {
                let url = must("make a database", cluster::Postgres::shared().database());
                let small = format!("{url}?pool_size=8");
                let address = must("read an address", Address::parse(&small));
                let store = must("open a store", Postgres::open(&address, keys).await);
                let name = url.rsplit('/').next().unwrap_or_default();
                Self::Postgres(Arc::new(store), name.to_owned())
            }
            _ => Self::Sqlite(Arc::new(must("open a store", Sqlite::open_in_memory(keys)))),
        }
    }

    pub(super) fn store(&self) -> AnyStore {
        match self {
            Self::Postgres(store, _) => Arc::<Postgres>::clone(store),
            Self::Sqlite(store) => Arc::<Sqlite>::clone(store),
        }
    }

    /// All that is in it, as it is on the disk or as the server spells it.
    pub(super) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Postgres(_, name) => {
                let server = cluster::Postgres::shared();
                let tables = "select table_name from information_schema.tables
                              where table_schema = 'public'";
                let tables = must("list the tables", server.sql(name, tables));
                let rows = tables.lines().map(|table| {
                    let rows = format!("select t::text from public.{table} as t");
                    must("read a table", server.sql(name, &rows))
                });
                rows.collect::<Vec<_>>().join("\n").into_bytes()
            }
            Self::Sqlite(store) => {
                let folder = must("make a folder", tempfile::tempdir());
                let file = folder.path().join("copy.db");
                must("copy the database", store.backup(&file));
                must("read the copy", std::fs::read(&file))
            }
        }
    }
}
