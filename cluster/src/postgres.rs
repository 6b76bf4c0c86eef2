//! One PostgreSQL server of our own.

use std::{
    env, fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use crate::{
    Trouble,
    account::Account,
    folder::Folder,
    port,
    program::{Program, Signal},
};

/// Names the folder with the programs of another server than Debian's.
const OTHER_PROGRAMS: &str = "FURKA_POSTGRES";
/// Where Debian's package puts the programs of the server.
pub(crate) const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";
/// The role that owns the databases that tests get: no superuser, so that nothing works by privilege.
pub(crate) const ROLE: &str = "furka";
/// The role that may do anything.
pub(crate) const SUPERUSER: &str = "postgres";

/// How long a start may take: a machine may be busy.
const START_MAX: Duration = Duration::from_secs(60);
/// Ports that may turn out to be taken between the look and the start.
const PORTS_TRIED: usize = 5;

/// Whether a commit reaches the disk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Durability {
    /// As in production.
    Fsync,
    /// Commits are lost with the machine, not with the process: for tests that look at other things.
    None,
}

/// A server on a free port of loopback, with its data in a folder of its own; both end with the value.
/// It is Debian's PostgreSQL 15, or the one whose programs are in the folder that `FURKA_POSTGRES` names.
#[derive(Debug)]
pub struct Postgres {
    program: Program,
    databases: AtomicU32,
    durability: Durability,
    folder: Folder,
    password: String,
    port: u16,
}

impl Postgres {
    /// Starts a server whose commits are durable.
    ///
    /// # Errors
    /// If PostgreSQL is not installed or does not start; the sentence holds the end of its log.
    pub fn start() -> Result<Self, Trouble> {
        Self::start_with(Durability::Fsync)
    }

    /// Starts a server.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with(durability: Durability) -> Result<Self, Trouble> {
        let account = Account::of_databases()?;
        let folder = Folder::make(account)?;
        let password = password()?;
        initialise(account, folder.path(), &password)?;
        let (program, port) = run(account, &folder, durability)?;
        let server = Self {
            program,
            databases: AtomicU32::new(0),
            durability,
            folder,
            password,
            port,
        };
        server.sql(
            "postgres",
            &format!("create role {ROLE} login password '{}'", server.password),
        )?;
        Ok(server)
    }

    /// The one server, not durable, that all tests of this process share. It ends with the process.
    ///
    /// # Panics
    /// If it cannot be started: a test that needs it cannot go on.
    #[expect(clippy::panic, reason = "a test without its database cannot go on")]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| match Self::start_with(Durability::None) {
            Ok(server) => server,
            Err(trouble) => panic!("{trouble}"),
        })
    }

    /// Makes an empty database and returns its address, `postgres://user:password@127.0.0.1:port/name`.
    /// Its owner is the user of the address, who is no superuser.
    ///
    /// # Errors
    /// If the server refuses.
    pub fn database(&self) -> Result<String, Trouble> {
        self.database_like("template1")
    }

    /// Makes a copy of a database that nobody is connected to, and returns its address.
    ///
    /// # Errors
    /// If there is no such database, or somebody uses it.
    pub fn database_like(&self, template: &str) -> Result<String, Trouble> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql(
            "postgres",
            &format!("create database {name} template {template} owner {ROLE}"),
        )?;
        Ok(self.url(&name))
    }

    /// The address of a database.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres://{ROLE}:{}@127.0.0.1:{}/{database}",
            self.password, self.port
        )
    }

    /// The address of a database for the superuser.
    #[must_use]
    pub fn superuser_url(&self, database: &str) -> String {
        format!(
            "postgres://{SUPERUSER}:{}@127.0.0.1:{}/{database}",
            self.password, self.port
        )
    }

    /// Runs statements as the superuser; what they return comes a row a line, columns split by `|`.
    ///
    /// # Errors
    /// What the server says against them.
    pub fn sql(&self, database: &str, statements: &str) -> Result<String, Trouble> {
        psql(&self.superuser_url(database), statements)
    }

    /// Where it listens, on loopback.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The process that the processes of all connections are children of.
    #[must_use]
    pub const fn process(&self) -> u32 {
        self.program.number()
    }

    /// Ends it at once, as a power cut would end it.
    ///
    /// # Errors
    /// If it does not end.
    pub fn kill(&mut self) -> Result<(), Trouble> {
        self.program.end(Signal::Kill, START_MAX)
    }

    /// Starts it again after [`Self::kill`], on the same port with the same data.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start_again(&mut self) -> Result<(), Trouble> {
        let account = Account::of_databases()?;
        // What is left of the one that was killed holds the data for a moment longer.
        let started = crate::patience::until(START_MAX, || {
            run_on(account, &self.folder, self.durability, self.port).ok()
        });
        self.program = started.ok_or_else(|| self.program.trouble("did not start again"))?;
        Ok(())
    }
}

/// Runs statements; what they return comes a row a line, columns split by `|`.
pub(crate) fn psql(url: &str, statements: &str) -> Result<String, Trouble> {
    let output = Command::new("psql")
        .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"])
        .args(["-d", url, "-c", statements])
        .env("PGCONNECT_TIMEOUT", "3")
        .env("PGOPTIONS", "-c statement_timeout=30s")
        .stdin(Stdio::null())
        .output()
        .map_err(Trouble::of("starting `psql`"))?;
    let why = String::from_utf8_lossy(&output.stderr);
    // A commit that gave up waiting for a follower is a success to the server.
    if output.status.success() && !why.contains("canceling wait for synchronous replication") {
        let rows = String::from_utf8_lossy(&output.stdout);
        return Ok(rows.trim_end().to_owned());
    }
    Err(Trouble::new(format!("`{statements}`: {}", why.trim_end())))
}

/// The path of one of the server's programs.
fn program(name: &str) -> String {
    let folder = env::var_os(OTHER_PROGRAMS).map_or_else(|| PathBuf::from(PROGRAMS), PathBuf::from);
    folder.join(name).display().to_string()
}

/// Makes the data of a server that asks for a password.
fn initialise(account: Account, folder: &Path, password: &str) -> Result<(), Trouble> {
    let initdb = program("initdb");
    if !Path::new(&initdb).exists() {
        let cure = format!("install the package postgresql-15, or correct {OTHER_PROGRAMS}");
        return Err(Trouble::new(format!("there is no `{initdb}`: {cure}")));
    }
    let file = folder.join("password");
    fs::write(&file, password).map_err(Trouble::of("writing a password"))?;
    let output = account
        .command(&initdb)
        .args(["--no-sync", "--no-locale", "--encoding=UTF8"])
        .args(["--auth=scram-sha-256", "--username", SUPERUSER])
        .arg("--pwfile")
        .arg(&file)
        .arg("--pgdata")
        .arg(folder.join("data"))
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .map_err(Trouble::of("starting `initdb`"))?;
    match output.status.success() {
        true => Ok(()),
        false => {
            let why = String::from_utf8_lossy(&output.stderr);
            Err(Trouble::new(format!("`initdb`: {}", why.trim_end())))
        }
    }
}

/// Starts the server on a free port and waits until it takes connections.
fn run(
    account: Account,
    folder: &Folder,
    durability: Durability,
) -> Result<(Program, u16), Trouble> {
    let mut last = Trouble::new("no port was tried");
    for _ in 0..PORTS_TRIED {
        let port = port::free()?;
        match run_on(account, folder, durability, port) {
            Ok(program) => return Ok((program, port)),
            Err(trouble) => last = trouble,
        }
    }
    Err(last)
}

fn run_on(
    account: Account,
    folder: &Folder,
    durability: Durability,
    port: u16,
) -> Result<Program, Trouble> {
    let data = folder.path().join("data");
    let mut command = account.command(&program("postgres"));
    command.arg("-D").arg(&data);
    let port = format!("port={port}");
    let settings = [
        port.as_str(),
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=200",
        "shared_buffers=64MB",
        "log_min_messages=fatal",
    ];
    let careless: &[&str] = match durability {
        Durability::Fsync => &[],
        Durability::None => &[
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
        ],
    };
    for setting in settings.iter().chain(careless) {
        command.args(["-c", setting]);
    }
    let program = Program::start("postgres", &command, folder, Signal::Quit)?;
    let number = program.number().to_string();
    program.is_ready_within(START_MAX, || {
        // Line 1 is the process, line 8 its state: what `pg_ctl` waits for. Until it is written the
        // file may be that of a server that was killed.
        let lines = fs::read_to_string(data.join("postmaster.pid")).ok()?;
        let is_ours = lines.lines().next() == Some(number.as_str());
        let state = lines.lines().nth(7)?.trim();
        (is_ours && state == "ready").then_some(())
    })?;
    Ok(program)
}

/// Sixteen bytes of the system's chance, as letters and digits.
pub(crate) fn password() -> Result<String, Trouble> {
    let mut bytes = [0; 16];
    let source = fs::File::open("/dev/urandom");
    source
        .and_then(|mut source| source.read_exact(&mut bytes))
        .map_err(Trouble::of("drawing a password"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{Durability, Postgres, program, psql};

    #[test]
    fn the_server_is_that_of_the_programs_that_are_named() {
        let printed = Command::new(program("postgres")).arg("--version").output();
        let printed = String::from_utf8(printed.unwrap().stdout).unwrap();
        let version = Postgres::shared().sql("postgres", "show server_version");
        let version = version.unwrap();
        assert!(printed.contains(&version), "{version} is not {printed}");
    }

    #[test]
    fn a_server_has_databases_that_begin_empty_and_are_not_the_same() {
        let server = Postgres::shared();
        let (one, other) = (server.database().unwrap(), server.database().unwrap());
        psql(&one, "create table thing (id bigint)").unwrap();
        assert!(psql(&other, "select * from thing").is_err());
    }

    #[test]
    fn a_database_can_be_a_copy() {
        let server = Postgres::shared();
        let url = server.database().unwrap();
        psql(
            &url,
            "create table thing (id bigint); insert into thing values (7)",
        )
        .unwrap();
        let name = url.rsplit('/').next().unwrap();
        let copy = server.database_like(name).unwrap();
        assert_eq!(psql(&copy, "select id from thing").unwrap(), "7");
    }

    #[test]
    fn the_owner_of_a_database_is_no_superuser_and_has_a_password() {
        let server = Postgres::shared();
        let url = server.database().unwrap();
        let asked = "select rolsuper from pg_roles where rolname = current_user";
        assert_eq!(psql(&url, asked).unwrap(), "f");
        let wrong = url.replace(&server.password, "wrong");
        assert!(
            psql(&wrong, "select 1")
                .unwrap_err()
                .to_string()
                .contains("password authentication failed")
        );
    }

    #[test]
    fn what_was_committed_is_there_after_a_kill() {
        let mut server = Postgres::start().unwrap();
        assert_eq!(server.sql("postgres", "show fsync").unwrap(), "on");
        let url = server.database().unwrap();
        psql(
            &url,
            "create table thing (id bigint); insert into thing values (7)",
        )
        .unwrap();
        server.kill().unwrap();
        assert!(psql(&url, "select id from thing").is_err());
        server.start_again().unwrap();
        assert_eq!(psql(&url, "select id from thing").unwrap(), "7");
    }

    #[test]
    fn a_server_for_quick_tests_does_not_wait_for_the_disk() {
        assert_eq!(Postgres::shared().durability, Durability::None);
        let answer = Postgres::shared().sql("postgres", "show fsync");
        assert_eq!(answer.unwrap(), "off");
    }
}
