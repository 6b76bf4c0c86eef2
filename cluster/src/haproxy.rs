//! HAProxy on loopback: one address for several servers, of which those that are well get the work.

use std::{fmt::Write as _, fs, time::Duration};

use crate::{
    Trouble,
    account::Account,
    folder::Folder,
    port,
    program::{Program, Signal},
};

/// How long a start may take.
const START_MAX: Duration = Duration::from_secs(20);

/// What it knows about the servers behind it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manner {
    /// Connections go to the one server whose Patroni says that it leads; those to a server that
    /// leads no more are cut.
    Leader,
    /// Requests go to all in turn that say they are ready.
    InTurn,
}

/// A server behind it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Server {
    /// Where it serves.
    pub(crate) port: u16,
    /// Where it says how it is.
    pub(crate) health: u16,
}

/// A running HAProxy.
#[derive(Debug)]
pub(crate) struct Haproxy {
    _program: Program,
    pub(crate) port: u16,
}

impl Haproxy {
    /// Starts it in front of these servers, up or not.
    ///
    /// # Errors
    /// If it is not installed or does not start.
    pub(crate) fn start(
        account: Account,
        folder: &Folder,
        manner: Manner,
        servers: &[Server],
    ) -> Result<Self, Trouble> {
        let port = port::free()?;
        let file = folder.path().join("haproxy.cfg");
        fs::write(&file, configuration(manner, port, servers))
            .map_err(Trouble::of("writing the configuration of haproxy"))?;
        // Debian keeps it where only root looks.
        let mut command = account.command("/usr/sbin/haproxy");
        command.args(["-db", "-f"]).arg(&file);
        let program = Program::start("haproxy", &command, folder, Signal::Kill)?;
        program.is_ready_within(START_MAX, || port::answers(port).then_some(()))?;
        Ok(Self {
            _program: program,
            port,
        })
    }
}

fn configuration(manner: Manner, port: u16, servers: &[Server]) -> String {
    // What is written to a leader that leads no more would be lost; what a node is answering while it is
    // not ready is none the worse for it.
    let (mode, patience, down) = match manner {
        Manner::Leader => ("tcp", "1s", " on-marked-down shutdown-sessions"),
        Manner::InTurn => ("http", "3s", ""),
    };
    let mut text = format!(
        "global\n  maxconn 2000\ndefaults\n  mode {mode}\n  timeout connect 1s\n\
         \x20 timeout check {patience}\n  timeout client 5m\n  timeout server 5m\n\
         \x20 default-server inter 250ms fall 2 rise 1{down}\n\
         frontend all\n  bind 127.0.0.1:{port}\n"
    );
    match manner {
        Manner::Leader => {
            text.push_str("  default_backend leader\n");
            text.push_str(&backend("leader", "", "OPTIONS /primary", servers));
        }
        // Where no node is ready, one that lives says so in words that people read.
        Manner::InTurn => {
            text.push_str(
                "  use_backend ready if { nbsrv(ready) gt 0 }\n  default_backend living\n",
            );
            let rules = "  balance roundrobin\n  option redispatch 1\n  retries 2\n";
            text.push_str(&backend("ready", rules, "GET /health/ready", servers));
            text.push_str(&backend("living", rules, "GET /health/live", servers));
        }
    }
    text
}

fn backend(name: &str, rules: &str, check: &str, servers: &[Server]) -> String {
    let mut text = format!(
        "backend {name}\n{rules}  option httpchk {check}\n  http-check expect status 200\n"
    );
    for (number, Server { port, health }) in servers.iter().enumerate() {
        // Writing to a text cannot fail.
        let _ = writeln!(
            text,
            "  server server{number} 127.0.0.1:{port} check port {health}"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Manner, Server, configuration};

    #[test]
    fn every_server_is_asked_how_it_is() {
        let servers = [(1, 2), (3, 4)].map(|(port, health)| Server { port, health });
        let text = configuration(Manner::InTurn, 80, &servers);
        assert!(text.contains("  bind 127.0.0.1:80\n"), "{text}");
        assert!(
            text.contains("  option httpchk GET /health/ready\n"),
            "{text}"
        );
        assert!(text.ends_with(
            "  server server0 127.0.0.1:1 check port 2\n  server server1 127.0.0.1:3 check port 4\n"
        ));
    }
}
