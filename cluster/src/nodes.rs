//! Several `furka serve` on one database, behind HAProxy, which sends each request to the next of them.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use crate::{
    Trouble,
    account::Account,
    folder::Folder,
    haproxy::{Haproxy, Manner, Server},
    patience, port,
    program::{Program, Signal},
};

/// How many nodes there may ever be: HAProxy knows their places from the start.
pub const NODES_MAX: usize = 5;

/// How long a node may take until it is ready.
const START_MAX: Duration = Duration::from_secs(60);
/// How long a node may take to leave: the product promises ten seconds.
const LEAVE_MAX: Duration = Duration::from_secs(15);
/// How commands end.
const SUCCESS: i32 = 0;
const PLAN_WAITS: i32 = 2;
/// How long one that was killed may take to be gone.
const KILL_MAX: Duration = Duration::from_secs(10);

/// What `furka init` made, in a folder that goes away with the value, and the database it uses.
#[derive(Debug)]
pub struct Installation {
    binary: PathBuf,
    folder: Folder,
}

impl Installation {
    /// Makes one. Without the address of a database, its own file is the database.
    ///
    /// # Errors
    /// If the binary is not there or refuses.
    pub fn make(binary: &Path, database: Option<&str>) -> Result<Self, Trouble> {
        let installation = Self {
            binary: binary.to_owned(),
            folder: Folder::make(Account::Ours)?,
        };
        let mut init = Command::new(binary);
        init.arg("init").arg(installation.home());
        if let Some(database) = database {
            init.args(["--database", database]);
        }
        installation.output(&mut init, SUCCESS)?;
        Ok(installation)
    }

    /// The folder with `furka.toml`, `furka.key` and `resources`.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("furka")
    }

    /// Runs a command of the binary here, and returns what it printed.
    ///
    /// # Errors
    /// What it says when it does not succeed.
    pub fn furka(&self, arguments: &[&str]) -> Result<String, Trouble> {
        self.output(self.command().args(arguments), SUCCESS)
    }

    /// Runs a command that only plans, and returns the plan, which must not be empty.
    ///
    /// # Errors
    /// What it says when it fails, or has nothing to do.
    pub fn plan(&self, arguments: &[&str]) -> Result<String, Trouble> {
        self.output(self.command().args(arguments), PLAN_WAITS)
    }

    fn output(&self, command: &mut Command, expected: i32) -> Result<String, Trouble> {
        let output = command
            .env_remove("FURKA_BIN")
            .stdin(Stdio::null())
            .output();
        let output = output.map_err(Trouble::of("starting `furka`"))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.code() == Some(expected) {
            return Ok(text);
        }
        let why = String::from_utf8_lossy(&output.stderr);
        let arguments: Vec<_> = command
            .get_args()
            .map(|text| text.to_string_lossy())
            .collect();
        Err(Trouble::new(format!(
            "`furka {}`: {text}{why}",
            arguments.join(" ")
        )))
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg("--config").arg(self.home().join("furka.toml"));
        command
    }
}

/// Nodes behind one address. All end with the value.
#[derive(Debug)]
pub struct Nodes {
    haproxy: Haproxy,
    nodes: Vec<Node>,
    installation: Installation,
}

#[derive(Debug)]
struct Node {
    /// What it is told beyond the configuration.
    environment: BTreeMap<String, OsString>,
    /// None before it was started and after it was killed.
    program: Option<Program>,
    management: u16,
    port: u16,
}

impl Nodes {
    /// Starts so many nodes and waits until each is ready and can be reached.
    ///
    /// # Errors
    /// If there are more than [`NODES_MAX`], or one does not start; the sentence holds the end of its log.
    pub fn start(installation: Installation, count: usize) -> Result<Self, Trouble> {
        let ports = port::several::<{ NODES_MAX * 2 }>()?;
        let mut nodes = Vec::with_capacity(NODES_MAX);
        for two in ports.chunks_exact(2) {
            if let [port, management] = *two {
                nodes.push(Node {
                    environment: BTreeMap::new(),
                    program: None,
                    management,
                    port,
                });
            }
        }
        let servers: Vec<_> = nodes
            .iter()
            .map(|node| Server {
                port: node.port,
                health: node.management,
            })
            .collect();
        let account = Account::Ours;
        let haproxy = Haproxy::start(account, &installation.folder, Manner::InTurn, &servers)?;
        let mut all = Self {
            haproxy,
            nodes,
            installation,
        };
        for number in 0..count {
            all.start_again(number)?;
        }
        for number in 0..count {
            all.is_ready_within(number, START_MAX)?;
        }
        Ok(all)
    }

    /// The public address of all of them, `http://localhost:port`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://localhost:{}", self.haproxy.port)
    }

    /// Where HAProxy listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        loopback(self.haproxy.port)
    }

    /// Where one node listens, past HAProxy; none if there is no such place.
    #[must_use]
    pub fn address_of(&self, node: usize) -> Option<SocketAddr> {
        self.nodes.get(node).map(|node| loopback(node.port))
    }

    /// What they share.
    #[must_use]
    pub const fn installation(&self) -> &Installation {
        &self.installation
    }

    /// The numbers of the nodes that run.
    #[must_use]
    pub fn running(&self) -> Vec<usize> {
        let nodes = self.nodes.iter().enumerate();
        let running = nodes.filter(|(_, node)| {
            let program = node.program.as_ref();
            program.is_some_and(Program::is_running)
        });
        running.map(|(number, _)| number).collect()
    }

    /// Starts a node more, waits until it is ready, and returns its number.
    ///
    /// # Errors
    /// If all places are taken, or it does not start.
    pub fn add(&mut self) -> Result<usize, Trouble> {
        let free = self.nodes.iter().position(|node| node.program.is_none());
        let number = free.ok_or_else(|| Trouble::new("all places of nodes are taken"))?;
        self.start_again(number)?;
        self.is_ready_within(number, START_MAX)?;
        Ok(number)
    }

    /// Starts the node of a place where none runs, and does not wait for it.
    ///
    /// # Errors
    /// If there is no such place, one runs there, or the binary cannot be started.
    pub fn start_again(&mut self, node: usize) -> Result<(), Trouble> {
        let url = self.url();
        let Self {
            nodes,
            installation,
            ..
        } = self;
        let place = nodes.get_mut(node).ok_or_else(|| no_such(node))?;
        if place.program.is_some() {
            return Err(Trouble::new(format!("node {node} runs already")));
        }
        let mut command = installation.command();
        command
            .arg("serve")
            .env_remove("FURKA_BIN")
            .env("FURKA_FORWARDING", "x-forwarded-for")
            .env("FURKA_LISTEN", loopback(place.port).to_string())
            .env("FURKA_LOG", "warn")
            .env(
                "FURKA_MANAGEMENT_LISTEN",
                loopback(place.management).to_string(),
            )
            .env("FURKA_PUBLIC_URL", url)
            .env("FURKA_TRUSTED_PROXIES", "127.0.0.1")
            .envs(&place.environment);
        let name = format!("node{node}");
        let program = Program::start(&name, &command, &installation.folder, Signal::Kill)?;
        place.program = Some(program);
        Ok(())
    }

    /// Installs another build: commands, and nodes that are started from now on, are of it.
    pub fn install(&mut self, binary: &Path) {
        binary.clone_into(&mut self.installation.binary);
    }

    /// Sets a variable of the environment for whatever is started at this place from now on.
    ///
    /// # Errors
    /// If there is no such place.
    pub fn set(
        &mut self,
        node: usize,
        name: &str,
        value: impl Into<OsString>,
    ) -> Result<(), Trouble> {
        let place = self.nodes.get_mut(node).ok_or_else(|| no_such(node))?;
        place.environment.insert(name.to_owned(), value.into());
        Ok(())
    }

    /// Starts nodes again that have ended by themselves, as a service manager does; how many.
    ///
    /// # Errors
    /// If one cannot be started.
    pub fn start_ended(&mut self) -> Result<usize, Trouble> {
        let mut ended = Vec::new();
        for (number, node) in self.nodes.iter_mut().enumerate() {
            if node
                .program
                .take_if(|program| !program.is_running())
                .is_some()
            {
                ended.push(number);
            }
        }
        for number in &ended {
            self.start_again(*number)?;
        }
        Ok(ended.len())
    }

    /// Waits until a node says that it is ready.
    ///
    /// # Errors
    /// If it ended, or that takes longer.
    pub fn is_ready_within(&self, node: usize, at_most: Duration) -> Result<(), Trouble> {
        let place = self.nodes.get(node).ok_or_else(|| no_such(node))?;
        let program = place.program.as_ref();
        let program = program.ok_or_else(|| Trouble::new(format!("node {node} does not run")))?;
        let is_ready = || port::says_ok(place.management, "/health/ready").then_some(());
        program.is_ready_within(at_most, is_ready)
    }

    /// Asks a node to leave (`SIGTERM`), waits until it has, and says how long it took.
    ///
    /// # Errors
    /// If there is no such node, or it stays.
    pub fn drain(&mut self, node: usize) -> Result<Duration, Trouble> {
        let began = patience::now();
        self.ask_to_leave(node)?;
        self.has_left(node)?;
        Ok(began.elapsed())
    }

    /// Asks a node to leave, and does not wait; [`Self::drain`] does.
    ///
    /// # Errors
    /// If no such node runs.
    pub fn ask_to_leave(&mut self, node: usize) -> Result<(), Trouble> {
        let place = self.nodes.get_mut(node).ok_or_else(|| no_such(node))?;
        let program = place.program.as_mut();
        let program = program.ok_or_else(|| Trouble::new(format!("node {node} does not run")))?;
        program.signal(Signal::Term);
        Ok(())
    }

    /// Waits until a node that was asked to leave has left.
    ///
    /// # Errors
    /// If there is no such node, or it stays.
    pub fn has_left(&mut self, node: usize) -> Result<(), Trouble> {
        let place = self.nodes.get_mut(node).ok_or_else(|| no_such(node))?;
        match place.program.take() {
            Some(mut program) => program.leaves_within(LEAVE_MAX),
            None => Ok(()),
        }
    }

    /// Ends a node at once.
    ///
    /// # Errors
    /// If there is no such node, or it does not end.
    pub fn kill(&mut self, node: usize) -> Result<(), Trouble> {
        let place = self.nodes.get_mut(node).ok_or_else(|| no_such(node))?;
        let program = place.program.take();
        let mut program =
            program.ok_or_else(|| Trouble::new(format!("node {node} does not run")))?;
        program.end(Signal::Kill, KILL_MAX)
    }

    /// What a node printed last.
    #[must_use]
    pub fn log_of(&self, node: usize) -> String {
        let program = self.nodes.get(node).and_then(|node| node.program.as_ref());
        program.map_or_else(String::new, |program| program.trouble("says").to_string())
    }
}

fn no_such(node: usize) -> Trouble {
    Trouble::new(format!(
        "there is no place {node}: they are 0 to {}",
        NODES_MAX - 1
    ))
}

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}
