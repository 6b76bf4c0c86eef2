//! The release binary as a process: started, killed, asked.

use std::fs::OpenOptions;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use driver::Site;

use super::browser::Browser;
use super::clock::Deadline;
use super::disk::Disk;
use crate::Trouble;
use crate::canton::{PORTAL, SCHOOL};

/// How long a start may take before it is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is asked whether it serves.
const PAUSE: Duration = Duration::from_micros(500);

/// What all starts have in common: the binary, and where it listens.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    pub(super) furka: PathBuf,
    log: PathBuf,
    management: SocketAddr,
    pub(super) site: Arc<Site>,
}

/// A running `furka serve`.
#[derive(Debug)]
pub(super) struct Provider(Child);

impl Machine {
    /// Chooses addresses that are free; what providers say goes into a file of `place`.
    pub(super) fn of(furka: PathBuf, place: &Path) -> Result<Self, Trouble> {
        let (address, management) = two_free_addresses()
            .ok_or_else(|| Trouble::from("no two free ports on this machine"))?;
        Ok(Self {
            furka,
            log: place.join("furka.log"),
            management,
            site: Arc::new(Site {
                address,
                application: PORTAL,
                origin: format!("http://localhost:{}", address.port()),
            }),
        })
    }

    /// A command of the binary on an installation.
    pub(super) fn command(&self, home: &Path) -> Command {
        let mut command = Command::new(&self.furka);
        command
            .arg("--config")
            .arg(home.join("furka.toml"))
            .env("FURKA_FORWARDING", "x-forwarded-for")
            .env("FURKA_LISTEN", self.site.address.to_string())
            .env("FURKA_LOG", "warn")
            .env("FURKA_MANAGEMENT_LISTEN", self.management.to_string())
            .env("FURKA_PUBLIC_URL", &self.site.origin)
            .env("FURKA_TRUSTED_PROXIES", "127.0.0.1");
        command
    }

    /// What the providers have said so far.
    pub(super) fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// Two where nobody listens, below those that the system gives to outgoing connections: while the
/// provider is down, nobody takes them.
fn two_free_addresses() -> Option<(SocketAddr, SocketAddr)> {
    const FIRST: u32 = 30_000;
    const PORTS: u32 = 2700;
    let ports = (0..PORTS).map(|number| FIRST + std::process::id().wrapping_add(number) % PORTS);
    let mut free = ports.filter_map(|port| {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, u16::try_from(port).ok()?));
        TcpListener::bind(address).ok().map(|_| address)
    });
    Some((free.next()?, free.next()?))
}

impl Provider {
    /// Starts it, on a disk that can lose, or on the machine's own.
    pub(super) fn launch(
        machine: &Machine,
        home: &Path,
        disk: Option<&Disk>,
    ) -> Result<Self, Trouble> {
        let furka = machine.command(home);
        // It ends with us, however we end.
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL"])
            .arg(furka.get_program())
            .args(furka.get_args())
            .arg("serve")
            .envs(
                furka
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            );
        if let Some(disk) = disk {
            disk.under(&mut command);
        }
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&machine.log);
        let child = log.and_then(|log| {
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(log)
                .spawn()
        });
        child
            .map(Self)
            .map_err(|error| Trouble::from(format!("starting `furka serve`: {error}")))
    }

    /// Starts it, and waits until it answers.
    pub(super) fn start(
        machine: &Machine,
        home: &Path,
        disk: Option<&Disk>,
    ) -> Result<Self, Trouble> {
        let mut provider = Self::launch(machine, home, disk)?;
        let deadline = Deadline::after(PATIENCE);
        loop {
            // Asked first: another one may answer at an address that this one did not get.
            if let Ok(Some(status)) = provider.0.try_wait() {
                let said = machine.said();
                let last = said.lines().last().unwrap_or_default();
                return Err(Trouble::from(format!(
                    "`furka serve` did not start ({status}): {last}"
                )));
            }
            let mut browser = Browser::new(&machine.site, SCHOOL)?;
            if browser
                .get("/health/ready")
                .is_ok_and(|answer| answer.status == 200)
            {
                return Ok(provider);
            }
            if deadline.is_over() {
                return Err(Trouble::from("`furka serve` does not get ready"));
            }
            thread::sleep(PAUSE);
        }
    }

    /// `kill -9`, in the middle of whatever it does.
    pub(super) fn kill(mut self) -> Result<(), Trouble> {
        let killed = self.0.kill().and_then(|()| self.0.wait());
        killed
            .map(drop)
            .map_err(|error| Trouble::from(format!("killing `furka serve`: {error}")))
    }

    /// Asks it to end, and waits for that.
    pub(super) fn stop(mut self) -> Result<(), Trouble> {
        let asked = Command::new("kill")
            .args(["-TERM", &self.0.id().to_string()])
            .status();
        asked
            .and_then(|_| self.0.wait())
            .map(drop)
            .map_err(|error| Trouble::from(format!("stopping `furka serve`: {error}")))
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        // Whoever ended it before has taken its status.
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}
