//! Three PostgreSQL servers of which one leads: Patroni decides through etcd which, and commits wait
//! until a second server has them.

use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use crate::{
    Trouble,
    account::Account,
    folder::Folder,
    haproxy::{Haproxy, Manner, Server},
    patience, port,
    postgres::{PROGRAMS, ROLE, SUPERUSER, password, psql},
    program::{Program, Signal, end_process},
};

/// How many servers there are, and as many members of etcd.
pub const SERVERS: usize = 3;

/// How long the first start of everything may take.
const START_MAX: Duration = Duration::from_secs(90);
/// How long a server may take to be gone after it was killed.
const KILL_MAX: Duration = Duration::from_secs(10);
/// How long a leader that says nothing keeps its office, in seconds: the least that Patroni takes.
pub const LEADER_TTL_S: u64 = 20;

/// Three servers with a leader, etcd, and HAProxy in front, in a folder of their own.
#[derive(Debug)]
pub struct Cluster {
    haproxy: Haproxy,
    members: [Member; SERVERS],
    _etcd: [Program; SERVERS],
    account: Account,
    databases: AtomicU32,
    folder: Folder,
    password: String,
}

/// A PostgreSQL server and the Patroni that looks after it.
#[derive(Debug)]
struct Member {
    /// None while it is dead.
    patroni: Option<Program>,
    data: PathBuf,
    /// Where Patroni says how it is.
    health: u16,
    name: String,
    port: u16,
}

/// The ports of one member of etcd.
#[derive(Clone, Copy, Debug)]
struct Door {
    clients: u16,
    peers: u16,
}

impl Cluster {
    /// Starts everything, and waits until a write through HAProxy is taken and both followers follow.
    ///
    /// # Errors
    /// If something is not installed or does not start; the sentence holds the end of its log.
    pub fn start() -> Result<Self, Trouble> {
        let account = Account::of_databases()?;
        let folder = Folder::make(account)?;
        let password = password()?;
        let ports = port::several::<{ SERVERS * 4 }>()?;
        let (doors, ports) = ports.split_at(SERVERS * 2);
        let doors = pairs(doors).map(|(clients, peers)| Door { clients, peers });
        let etcd = start_etcd(account, &folder, doors)?;
        let mut members = numbered(pairs(ports)).map(|(number, (port, health))| Member {
            patroni: None,
            data: folder.path().join(format!("data{number}")),
            health,
            name: format!("database{number}"),
            port,
        });
        for (number, member) in members.iter_mut().enumerate() {
            let file = folder.path().join(format!("{}.yml", member.name));
            fs::write(&file, configuration(member, doors, &folder, &password))
                .map_err(Trouble::of("writing the configuration of Patroni"))?;
            member.start(account, &folder)?;
            // The first becomes the leader; who comes before there is one looks again after ten seconds.
            if number == 0 {
                member.serves_within(START_MAX)?;
            }
        }
        let servers = members.each_ref().map(|member| Server {
            port: member.port,
            health: member.health,
        });
        let haproxy = Haproxy::start(account, &folder, Manner::Leader, &servers)?;
        let cluster = Self {
            haproxy,
            members,
            _etcd: etcd,
            account,
            databases: AtomicU32::new(0),
            folder,
            password,
        };
        cluster.is_healthy_within(START_MAX)?;
        cluster.sql(
            "postgres",
            &format!("create role {ROLE} login password '{}'", cluster.password),
        )?;
        Ok(cluster)
    }

    /// Makes an empty database and returns its address, which leads through HAProxy to whoever leads.
    ///
    /// # Errors
    /// If nobody leads, or the leader refuses.
    pub fn database(&self) -> Result<String, Trouble> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("create database {name} owner {ROLE}"))?;
        Ok(url(ROLE, &self.password, self.haproxy.port, &name))
    }

    /// The address of a database on one server, leader or not, 0 to 2; none if there is no such server.
    #[must_use]
    pub fn url_of(&self, server: usize, database: &str) -> Option<String> {
        let port = self.members.get(server)?.port;
        Some(url(ROLE, &self.password, port, database))
    }

    /// Runs statements as the superuser on whoever leads; rows by line, columns split by `|`.
    ///
    /// # Errors
    /// If nobody leads, or what the leader says against them.
    pub fn sql(&self, database: &str, statements: &str) -> Result<String, Trouble> {
        let url = url(SUPERUSER, &self.password, self.haproxy.port, database);
        psql(&url, statements)
    }

    /// Which server leads now, 0 to 2, as HAProxy sees it; none while nobody does.
    #[must_use]
    pub fn leader(&self) -> Option<usize> {
        let asked = "select inet_server_port() where not pg_is_in_recovery()";
        let port = self.sql("postgres", asked).ok()?.parse().ok()?;
        self.members.iter().position(|member| member.port == port)
    }

    /// Ends a server and its Patroni at once, as a power cut would.
    ///
    /// # Errors
    /// If there is no such server, or it does not end.
    pub fn kill(&mut self, server: usize) -> Result<(), Trouble> {
        self.member(server)?.kill()
    }

    /// Ends a server at once, and leaves its Patroni, which lets another lead.
    ///
    /// # Errors
    /// If there is no such server.
    pub fn kill_server(&mut self, server: usize) -> Result<(), Trouble> {
        end_process(&self.member(server)?.data, Signal::Kill);
        Ok(())
    }

    /// Starts a server and its Patroni again after [`Self::kill`], and does not wait for them.
    ///
    /// # Errors
    /// If there is no such server, or Patroni does not start.
    pub fn start_again(&mut self, server: usize) -> Result<(), Trouble> {
        let Self {
            members,
            account,
            folder,
            ..
        } = self;
        let member = members.get_mut(server).ok_or_else(|| no_such(server))?;
        member.start(*account, folder)
    }

    /// Waits until somebody leads and takes writes, and returns who.
    ///
    /// # Errors
    /// If that takes longer.
    pub fn leads_within(&self, at_most: Duration) -> Result<usize, Trouble> {
        let leader = patience::until(at_most, || self.leader().filter(|_| self.takes_writes()));
        leader.ok_or_else(|| self.trouble(&format!("have no leader after {at_most:?}")))
    }

    /// Waits until somebody leads, takes writes, and two others follow, one of them before commits end.
    ///
    /// # Errors
    /// If that takes longer.
    pub fn is_healthy_within(&self, at_most: Duration) -> Result<(), Trouble> {
        let healthy = patience::until(at_most, || self.is_healthy().then_some(()));
        healthy.ok_or_else(|| self.trouble(&format!("are not well after {at_most:?}")))
    }

    /// A sentence about them, with the end of every log.
    fn trouble(&self, what: &str) -> Trouble {
        let alive = self.members.iter().filter_map(|one| one.patroni.as_ref());
        let logs = alive.map(|patroni| patroni.trouble("says").to_string());
        let logs: Vec<_> = logs.collect();
        Trouble::new(format!("the three databases {what}\n{}", logs.join("\n")))
    }

    /// Whether somebody leads, takes writes, and two others follow, one of them before commits end.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        let asked = "select count(*), count(*) filter (where sync_state = 'sync')
             from pg_stat_replication where state = 'streaming'";
        self.sql("postgres", asked).is_ok_and(|row| row == "2|1") && self.takes_writes()
    }

    /// Whether a commit ends, which waits for a follower.
    fn takes_writes(&self) -> bool {
        let write = "set client_min_messages = warning;
             create table if not exists lives (at timestamptz); insert into lives values (now())";
        self.sql("postgres", write).is_ok()
    }

    fn member(&mut self, server: usize) -> Result<&mut Member, Trouble> {
        self.members.get_mut(server).ok_or_else(|| no_such(server))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for member in &mut self.members {
            // In good order takes long, and nobody needs the data any more.
            let _gone = member.kill();
        }
    }
}

impl Member {
    fn start(&mut self, account: Account, folder: &Folder) -> Result<(), Trouble> {
        if self.patroni.is_some() {
            return Err(Trouble::new(format!("`{}` runs already", self.name)));
        }
        let mut command = account.command("patroni");
        command.arg(folder.path().join(format!("{}.yml", self.name)));
        command.env("HOME", folder.path());
        let patroni = Program::start_with_child(&self.name, &command, folder, &self.data)?;
        self.patroni = Some(patroni);
        Ok(())
    }

    /// Waits until its server runs, as a leader or a follower.
    fn serves_within(&self, at_most: Duration) -> Result<(), Trouble> {
        match &self.patroni {
            Some(patroni) => patroni.is_ready_within(at_most, || {
                port::says_ok(self.health, "/health").then_some(())
            }),
            None => Err(Trouble::new(format!("`{}` does not run", self.name))),
        }
    }

    fn kill(&mut self) -> Result<(), Trouble> {
        let Some(mut patroni) = self.patroni.take() else {
            return Ok(());
        };
        // Patroni first: it would start the server again.
        patroni.signal(Signal::Kill);
        end_process(&self.data, Signal::Kill);
        patroni.end(Signal::Kill, KILL_MAX)
    }
}

fn no_such(server: usize) -> Trouble {
    Trouble::new(format!(
        "there is no server {server}: they are 0 to {}",
        SERVERS - 1
    ))
}

fn url(role: &str, password: &str, port: u16, database: &str) -> String {
    format!("postgres://{role}:{password}@127.0.0.1:{port}/{database}")
}

/// Two numbers for each server.
fn pairs(ports: &[u16]) -> [(u16, u16); SERVERS] {
    let mut pairs = [(0, 0); SERVERS];
    for (pair, two) in pairs.iter_mut().zip(ports.chunks_exact(2)) {
        if let [one, other] = two {
            *pair = (*one, *other);
        }
    }
    pairs
}

fn numbered<T: Copy>(of: [T; SERVERS]) -> [(usize, T); SERVERS] {
    let mut number = 0;
    of.map(|one| {
        number += 1;
        (number - 1, one)
    })
}

fn start_etcd(
    account: Account,
    folder: &Folder,
    doors: [Door; SERVERS],
) -> Result<[Program; SERVERS], Trouble> {
    let all: Vec<String> = numbered(doors)
        .iter()
        .map(|(number, door)| format!("etcd{number}=http://127.0.0.1:{}", door.peers))
        .collect();
    let start = |(number, door): (usize, Door)| {
        let name = format!("etcd{number}");
        let [clients, peers] =
            [door.clients, door.peers].map(|port| format!("http://127.0.0.1:{port}"));
        let mut command = account.command("etcd");
        command.args(["--name", &name, "--data-dir", &name]);
        command.args([
            "--listen-client-urls",
            &clients,
            "--advertise-client-urls",
            &clients,
        ]);
        command.args([
            "--listen-peer-urls",
            &peers,
            "--initial-advertise-peer-urls",
            &peers,
        ]);
        command.args([
            "--initial-cluster",
            &all.join(","),
            "--initial-cluster-state",
            "new",
        ]);
        // A busy machine is not a lost leader.
        command.args(["--heartbeat-interval", "250", "--election-timeout", "2500"]);
        command.args(["--log-level", "warn"]);
        Program::start(&name, &command, folder, Signal::Kill)
    };
    let [one, two, three] = numbered(doors);
    let programs = [start(one)?, start(two)?, start(three)?];
    for (program, door) in programs.iter().zip(doors) {
        // Not before they have elected somebody.
        program.is_ready_within(START_MAX, || {
            port::says_ok(door.clients, "/health").then_some(())
        })?;
    }
    Ok(programs)
}

/// What Patroni reads. With `synchronous_mode_strict`, the leader takes no writes rather than be the
/// only one that has them.
fn configuration(
    member: &Member,
    doors: [Door; SERVERS],
    folder: &Folder,
    password: &str,
) -> String {
    let Member {
        data,
        health,
        name,
        port,
        ..
    } = member;
    let (data, folder) = (data.display(), folder.path().display());
    let etcd: Vec<String> = doors
        .iter()
        .map(|door| format!("'127.0.0.1:{}'", door.clients))
        .collect();
    let etcd = etcd.join(", ");
    format!(
        "scope: cluster
name: {name}
restapi: {{listen: '127.0.0.1:{health}', connect_address: '127.0.0.1:{health}'}}
etcd3: {{hosts: [{etcd}]}}
bootstrap:
  dcs:
    ttl: {LEADER_TTL_S}
    loop_wait: 2
    retry_timeout: 5
    master_start_timeout: 0
    synchronous_mode: true
    synchronous_mode_strict: true
    postgresql:
      use_pg_rewind: true
      use_slots: true
      parameters: {{max_connections: 200, shared_buffers: 64MB, wal_level: replica, hot_standby: 'on', synchronous_commit: 'on', wal_retrieve_retry_interval: 500ms}}
  initdb: [{{encoding: UTF8}}, {{locale: C}}, data-checksums, no-sync]
  pg_hba: ['host replication replicator 127.0.0.1/32 scram-sha-256', 'host all all 127.0.0.1/32 scram-sha-256']
postgresql:
  listen: 127.0.0.1:{port}
  connect_address: 127.0.0.1:{port}
  data_dir: {data}
  bin_dir: {PROGRAMS}
  pgpass: {folder}/{name}.pgpass
  basebackup: [{{checkpoint: fast}}, no-sync]
  authentication:
    replication: {{username: replicator, password: {password}}}
    superuser: {{username: {SUPERUSER}, password: {password}}}
    rewind: {{username: rewinder, password: {password}}}
  parameters: {{unix_socket_directories: ''}}
watchdog: {{mode: 'off'}}
"
    )
}
