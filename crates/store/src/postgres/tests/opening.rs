//! Which databases are not opened, and what is said about it.

use super::*;

/// What is said of a database that is not opened.
async fn refused(url: &str) -> String {
    let refused = chain(&open(url).await.unwrap_err());
    assert!(!refused.contains("geheim"), "{refused}");
    refused
}

fn port(url: &str) -> &str {
    url.rsplit(['/', ':']).nth(1).unwrap()
}

#[tokio::test]
async fn what_cannot_be_reached_is_refused_with_its_cure() {
    let url = Server::shared().database().unwrap();
    let port = port(&url);
    let at = |rest: &str| format!("postgres://furka:geheim@127.0.0.1:{rest}");
    for (address, why) in [
        (
            at(&format!("{port}/test_0")),
            "does not let the user `furka` in: correct user and",
        ),
        (url.replace("/test", "/none"), "there is no database `none"),
        (
            at("1/furka"),
            "nothing listens at 127.0.0.1:1: start the database",
        ),
        (
            "postgres://furka:geheim@nobody.invalid/furka?sslmode=disable".into(),
            "correct it in `database`",
        ),
        (
            format!("{url}?sslmode=require"),
            "speaks no TLS: switch it on",
        ),
        (
            format!("{url}?sslrootcert=/none.pem&sslmode=verify-full"),
            "`/none.pem`, which",
        ),
        (
            url.replacen("furka:", "furka:geheim", 1),
            "does not let the user",
        ),
        (
            format!("postgres://furka@127.0.0.1:{port}/test_0"),
            "asks the user `furka` for a password",
        ),
        (
            format!("postgres://furka@127.0.0.1:{port}/x?password_file=/none"),
            "`/none`, which",
        ),
    ] {
        let refused = refused(&address).await;
        assert!(refused.contains(why), "{why}: {refused}");
    }
}

#[test]
fn an_address_that_is_none_is_refused_without_its_secrets() {
    for (text, why) in [
        ("sqlite:furka.sqlite", "does not begin with"),
        ("postgres://furka:geheim@/furka", "names no host"),
        ("postgres://db.example.ch/furka", "names no user"),
        (
            "postgres://u:geheim@h/d?pool_size=0",
            "`pool_size` is a number",
        ),
        (
            "postgres://u:geheim@h/d?pool_size=many",
            "`pool_size` is a number",
        ),
        ("postgres://u:geheim@h/d?sslmode=prefer", "`sslmode` is"),
        ("postgres://u:geheim@h:geheim/d", "`port`"),
        ("postgres://u:geheim@h/d?colour=geheim", "`colour`"),
        ("postgres://u:geheim@[::1/d", "written as `%XX`"),
    ] {
        let refused = Address::parse(text).map(|address| address.to_string());
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains(why), "{text}: {refused}");
        assert!(!refused.contains("geheim"), "{refused}");
    }
}

/// [O09] An address is shown without its password.
#[test]
fn an_address_is_shown_without_its_password() {
    let text = "postgresql://furka:geheim@db1.example.ch,[2001:db8::7]:5433/idp?pool_size=9";
    let address = Address::parse(text).unwrap();
    let shown = "postgres://furka@db1.example.ch:5432,[2001:db8::7]:5433/idp";
    assert_eq!(
        (address.to_string(), format!("{address:?}")),
        (shown.into(), shown.into())
    );
    assert!(address.holds_password() && address.pool_size() == 9);
}

/// [O09] What leaves this machine is encrypted to whoever the certificate names, if nothing is said.
#[test]
fn only_this_machine_is_spoken_to_in_the_open() {
    let tls = |url: &str| Address::parse(url).unwrap().tls().unwrap().is_some();
    assert!(!tls("postgres://u@127.0.0.1/d") && !tls("postgres://u@localhost/d"));
    assert!(!tls("postgres://u@%2Frun%2Fpostgresql/d"));
    assert!(tls("postgres://u@db.example.ch/d") && tls("postgres://u@127.0.0.1,db/d"));
    assert!(!tls("postgres://u@db.example.ch/d?sslmode=disable"));
}

#[tokio::test]
async fn a_database_that_can_only_be_read_is_refused() {
    let (store, url, name) = fresh().await;
    let read_only = "set default_transaction_read_only = on";
    sql("postgres", &format!("alter database {name} {read_only}"));
    let refused = refused(&url).await;
    assert!(
        refused.contains("can only be read: name the one"),
        "{refused}"
    );
    // The connections of before the change are of no use either, and nobody is told otherwise.
    sql(
        "postgres",
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'furka' and datname = current_database()",
    );
    sql(
        "postgres",
        &format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"),
    );
    assert!(store.ready(Duration::from_secs(5)).await.is_err());
    assert!(consume(&store, "thing").await.is_err());
}

#[tokio::test]
async fn a_database_that_is_not_ours_is_refused() {
    let (_, url, name) = fresh().await;
    let others = Arc::new(Keys::from_master(&[8; 32]));
    let address = Address::parse(&url).unwrap();
    let other = chain(&Postgres::open(&address, others).await.unwrap_err());
    assert!(
        other.contains("sealed with other keys: name the key"),
        "{other}"
    );

    sql(&name, "drop table device");
    let missing = refused(&url).await;
    assert!(missing.contains("no table `device`, though"), "{missing}");
    sql(
        &name,
        "insert into migration values ('9999-later', sha256('')); update meta set number = 99 where name = 'needed'",
    );
    let newer = refused(&url).await;
    assert!(
        newer.contains("`9999-later`") && newer.contains("install the newer"),
        "{newer}"
    );
    sql(
        &name,
        "delete from migration where name like '9%'; update migration set checksum = sha256('')",
    );
    let changed = refused(&url).await;
    assert!(
        changed.contains("differs from the one in this binary"),
        "{changed}"
    );
    sql(&name, "drop table migration");
    let foreign = refused(&url).await;
    assert!(
        foreign.contains("tables that furka did not make"),
        "{foreign}"
    );
    assert!(Postgres::is_empty(&address).await.is_err());
}

#[tokio::test]
async fn what_the_user_may_not_do_is_said() {
    let (_, url, name) = fresh().await;
    sql(&name, "alter table session owner to postgres");
    let forbidden = refused(&url).await;
    assert!(
        forbidden.contains("may not select, insert, update, delete `session`"),
        "{forbidden}"
    );
    let url = Server::shared().database().unwrap();
    let name = url.rsplit('/').next().unwrap();
    sql(
        "postgres",
        &format!("alter database {name} owner to postgres"),
    );
    let forbidden = refused(&url).await;
    assert!(
        forbidden.contains("make it the owner with `alter database"),
        "{forbidden}"
    );
}

#[tokio::test]
async fn nodes_that_begin_at_once_make_one_schema() {
    let url = Server::shared().database().unwrap();
    assert!(
        Postgres::is_empty(&Address::parse(&url).unwrap())
            .await
            .unwrap()
    );
    let mut nodes = JoinSet::new();
    for _ in 0..6 {
        let url = format!("{url}?pool_size=2");
        nodes.spawn(async move { open(&url).await.map(drop) });
    }
    for opened in nodes.join_all().await {
        opened.unwrap();
    }
    let address = Address::parse(&url).unwrap();
    assert!(Postgres::migrate_plan(&address).await.unwrap().is_empty());
    assert!(!Postgres::is_empty(&address).await.unwrap());
}

#[test]
fn a_server_of_before_is_refused() {
    assert!(schema::refuse_version(150_000, "15.0").is_ok());
    let refused = schema::refuse_version(140_019, "14.19").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the server is PostgreSQL 14.19, which is too old: furka needs version 15 or newer"
    );
}

/// While nodes of two versions run, one of the older starts again.
#[tokio::test]
async fn a_newer_schema_that_only_adds_serves_older_nodes() {
    let (_, url, name) = fresh().await;
    sql(
        &name,
        "insert into migration values ('9999-later', sha256('')); alter table person add column later text",
    );
    let address = Address::parse(&url).unwrap();
    assert!(Postgres::migrate_plan(&address).await.unwrap().is_empty());
    let store = open(&url).await.unwrap();
    assert!(consume(&store, "thing").await.unwrap());
}

/// A migration that fails leaves nothing behind, and the next start works.
#[tokio::test]
async fn a_migration_that_fails_is_done_whole_the_next_time() {
    let url = Server::shared().database().unwrap();
    let name = url.rsplit('/').next().unwrap();
    sql(
        name,
        "create table zone (id bigint); create table audit_strand (id bigint)",
    );
    assert!(open(&url).await.is_err());
    let left = "select count(*) from pg_tables where schemaname = 'public'";
    assert_eq!(sql(name, left), "2");
    sql(name, "drop table zone, audit_strand");
    open(&url).await.unwrap();
}

/// Of several servers in one address the one that can be written is used.
#[tokio::test]
async fn of_several_servers_one_that_answers_is_used() {
    let url = Server::shared().database().unwrap();
    let several = url.replace("127.0.0.1:", "127.0.0.1:1,127.0.0.1:");
    let store = open(&several).await.unwrap();
    assert!(consume(&store, "thing").await.unwrap());
    let servers = store.database_servers().await.unwrap();
    let [gone, leader] = servers.as_slice() else {
        panic!("{servers:?}");
    };
    assert_eq!(gone.name, "127.0.0.1:1");
    assert!(
        matches!(&gone.role, DatabaseRole::Unreachable(why) if why.contains("nothing listens")),
        "{gone:?}"
    );
    assert_eq!(leader.name, format!("127.0.0.1:{}", port(&url)));
    let alone = DatabaseRole::Leader { followers: vec![] };
    assert_eq!(leader.role, alone);
}

/// What passes by itself is told apart from what does not.
#[tokio::test]
async fn a_server_that_is_away_may_come_back_and_a_wrong_password_stays_wrong() {
    let url = Server::shared().database().unwrap();
    for (url, passes) in [
        ("postgres://furka:geheim@127.0.0.1:1/furka".to_owned(), true),
        (
            "postgres://furka:geheim@nobody.invalid/furka?sslmode=disable".to_owned(),
            true,
        ),
        (url.replacen("furka:", "furka:geheim", 1), false),
        (url.replace("/test", "/none"), false),
    ] {
        let address = Address::parse(&url).unwrap();
        let refused = Postgres::migrate_plan(&address).await.unwrap_err();
        assert_eq!(refused.is_passing(), passes, "{}", chain(&refused));
    }
}
