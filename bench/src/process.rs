//! The provider as a process: started, watched from outside, ended.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command},
    sync::Arc,
    time::Duration,
};

use driver::{Browser, Site};
use tokio::time::{Instant, sleep};

use crate::{
    Trouble,
    canton::{Canton, SCHOOL},
    registered::APPLICATION,
};

/// How long a start may take before it is given up.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running `furka serve`.
pub(crate) struct Provider {
    child: Child,
    /// The process of its database, if that is not a file of its own.
    server: Option<u32>,
    pub(crate) site: Arc<Site>,
    /// From the start of the process to the last byte of the first sign-in page.
    pub(crate) started_in: Duration,
}

/// CPU time of the provider so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cpu {
    /// Of the threads that hash passwords.
    pub(crate) hashing: Duration,
    /// Of all other threads.
    pub(crate) rest: Duration,
}

impl Cpu {
    /// What was spent since `before`.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            hashing: self.hashing.saturating_sub(before.hashing),
            rest: self.rest.saturating_sub(before.rest),
        }
    }

    pub(crate) fn all(self) -> Duration {
        self.hashing.saturating_add(self.rest)
    }

    /// What another spent as well.
    pub(crate) fn add(&mut self, other: Self) {
        self.hashing += other.hashing;
        self.rest += other.rest;
    }
}

/// What a process has written, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Written {
    /// Given to `write` and its like, for files and some of the sockets alike.
    pub(crate) calls: u64,
    /// Sent to the disk, in pages of the system.
    pub(crate) disk: u64,
}

impl Written {
    /// What another wrote as well.
    pub(crate) fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.disk += other.disk;
    }

    /// What was written since `before`.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            calls: self.calls.saturating_sub(before.calls),
            disk: self.disk.saturating_sub(before.disk),
        }
    }
}

impl Provider {
    /// Starts it as behind a front proxy, and waits for its first sign-in page.
    pub(crate) async fn start(furka: &Path, canton: &Canton) -> Result<Self, Trouble> {
        let address = free()?;
        let origin = format!("http://localhost:{}", address.port());
        Self::serve(furka, canton, (address, origin)).await
    }

    /// Starts another node beside it.
    pub(crate) async fn beside(&self, furka: &Path, canton: &Canton) -> Result<Self, Trouble> {
        Self::serve(furka, canton, (free()?, self.site.origin.clone())).await
    }

    async fn serve(
        furka: &Path,
        canton: &Canton,
        (address, origin): (SocketAddr, String),
    ) -> Result<Self, Trouble> {
        let management = free()?;
        let site = Arc::new(Site {
            address,
            application: APPLICATION,
            origin,
        });
        let began = Instant::now();
        let mut child = Command::new(furka)
            .arg("--config")
            .arg(canton.config())
            .arg("serve")
            .env_remove("FURKA_BIN")
            .env("FURKA_FORWARDING", "x-forwarded-for")
            .env("FURKA_LISTEN", address.to_string())
            .env("FURKA_LOG", "warn")
            .env("FURKA_MANAGEMENT_LISTEN", management.to_string())
            .env("FURKA_PUBLIC_URL", &site.origin)
            .env("FURKA_TRUSTED_PROXIES", "127.0.0.1")
            .spawn()?;
        let started_in = loop {
            if Browser::new(&site, SCHOOL).sign_in_page().await.is_ok() {
                break began.elapsed();
            }
            if let Some(status) = child.try_wait()? {
                return Err(format!("`furka serve` ended at once: {status}").into());
            }
            if began.elapsed() > PATIENCE {
                child.kill()?;
                return Err("`furka serve` gave no sign-in page".into());
            }
            sleep(Duration::from_millis(1)).await;
        };
        Ok(Self {
            child,
            server: canton.server(),
            site,
            started_in,
        })
    }

    /// What is watched of it.
    pub(crate) fn process(&self) -> Process {
        Process(self.child.id())
    }

    /// CPU time so far, by the names of its threads.
    pub(crate) fn cpu(&self) -> Result<Cpu, Trouble> {
        self.process().cpu()
    }

    /// CPU time of its database so far, where that is a server.
    pub(crate) fn servers_cpu(&self) -> Result<Duration, Trouble> {
        self.server.map_or(Ok(Duration::ZERO), family_cpu)
    }

    /// Resident memory, in KiB.
    pub(crate) fn memory_kib(&self) -> Result<u64, Trouble> {
        self.process().memory_kib()
    }
}

/// A process that is watched from outside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process(pub(crate) u32);

impl Process {
    /// CPU time so far, by the names of its threads.
    pub(crate) fn cpu(self) -> Result<Cpu, Trouble> {
        let mut cpu = Cpu::default();
        for task in fs::read_dir(format!("/proc/{}/task", self.0))? {
            let task = task?.path();
            // A thread that ended between two reads has nothing more to say.
            let (Ok(name), Ok(spent)) = (
                fs::read_to_string(task.join("comm")),
                fs::read_to_string(task.join("schedstat")),
            ) else {
                continue;
            };
            let spent = spent.split(' ').next().unwrap_or_default().parse()?;
            let spent = Duration::from_nanos(spent);
            match name.starts_with("password-") {
                true => cpu.hashing += spent,
                false => cpu.rest += spent,
            }
        }
        Ok(cpu)
    }

    /// Resident memory, in KiB.
    pub(crate) fn memory_kib(self) -> Result<u64, Trouble> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        number.ok_or_else(|| "the system does not tell the memory of a process".into())
    }

    /// What it has written so far.
    pub(crate) fn written(self) -> Result<Written, Trouble> {
        let io = fs::read_to_string(format!("/proc/{}/io", self.0))?;
        let read = |name: &str| {
            let line = io.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.trim().parse().ok())
        };
        match (read("write_bytes:"), read("wchar:")) {
            (Some(disk), Some(calls)) => Ok(Written { disk, calls }),
            _ => Err("the system does not tell what a process writes".into()),
        }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        // Whatever is lost by that, nobody waits for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address that nobody listens at yet.
pub(crate) fn free() -> Result<SocketAddr, Trouble> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// CPU time of a process and of its children, those that have ended included.
fn family_cpu(parent: u32) -> Result<Duration, Trouble> {
    let mut ticks: u64 = 0;
    for process in fs::read_dir("/proc")? {
        // Others end while we look.
        let Ok(stat) = fs::read_to_string(process?.path().join("stat")) else {
            continue;
        };
        // `number (name) state parent …`, then the CPU time from the 14th field on, as `proc_pid_stat(5)`
        // counts them: in user mode, in the kernel, and both of children that were waited for.
        let (Some((number, _)), Some((_, rest))) = (stat.split_once(' '), stat.rsplit_once(") "))
        else {
            continue;
        };
        let is_parent = number.parse() == Ok(parent);
        let mut fields = rest.split(' ').skip(1);
        let is_child = fields.next().and_then(|of| of.parse().ok()) == Some(parent);
        let counted = match (is_parent, is_child) {
            (true, _) => 4,
            (_, true) => 2,
            _ => 0,
        };
        for spent in fields.skip(9).take(counted) {
            ticks = ticks.saturating_add(spent.parse()?);
        }
    }
    Ok(of_ticks(ticks))
}

/// A tick is 10 ms on every Linux.
fn of_ticks(ticks: u64) -> Duration {
    Duration::from_millis(ticks.saturating_mul(10))
}

/// CPU time of this process, the driver.
pub(crate) fn own_cpu() -> Result<Duration, Trouble> {
    let mut all = Duration::ZERO;
    for task in fs::read_dir("/proc/self/task")? {
        if let Ok(spent) = fs::read_to_string(task?.path().join("schedstat")) {
            all += Duration::from_nanos(spent.split(' ').next().unwrap_or_default().parse()?);
        }
    }
    Ok(all)
}

/// CPU time of everybody on this machine.
pub(crate) fn everybodys_cpu() -> Result<Duration, Trouble> {
    let stat = fs::read_to_string("/proc/stat")?;
    let fields = stat
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(1);
    let ticks: Vec<u64> = fields.map(str::parse).collect::<Result<_, _>>()?;
    // user nice system idle iowait irq softirq
    let busy = ticks
        .iter()
        .take(7)
        .enumerate()
        .filter(|(at, _)| !matches!(at, 3 | 4));
    Ok(of_ticks(busy.map(|(_, ticks)| ticks).sum()))
}
