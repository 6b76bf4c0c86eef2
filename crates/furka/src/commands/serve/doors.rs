//! The sockets of a node: one for the public, one for those who run it, and perhaps one where applications are
//! asked for certificates.

use std::{fs, io, net::SocketAddr, os::fd::AsFd, panic::resume_unwind, pin::pin, sync::Arc};

use axum::Router;
use server::{
    Forwarding, NodeName, for_applications,
    listen::{Certificates, Limits, Listen, serve},
};
use tokio::{
    net::TcpListener,
    sync::watch,
    task::{JoinError, JoinSet},
};

use crate::{
    config::Config,
    failure::{Doing, Failure},
};

/// Where the system says what this machine is called.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";

/// Open sockets.
pub(super) struct Doors {
    listen: Listen,
    management: TcpListener,
    /// Where applications are asked for certificates.
    mtls: Option<TcpListener>,
    public: TcpListener,
}

impl Doors {
    /// Reads the certificate, and takes the ports.
    pub(super) async fn open(config: &Config) -> Result<Self, Failure> {
        let read = |(certificate, key)| Certificates::read(certificate, key).map(Arc::new);
        let tls = config.tls.files().map(read).transpose();
        let listen = Listen {
            asks_for_certificates: false,
            forwarding: config.forwarding,
            limits: Limits::default(),
            tls: tls.doing(|| "reading the certificate".to_owned())?,
            trusted_proxies: config.trusted_proxies.clone(),
        };
        let mtls = match config.mtls.listen {
            None => None,
            Some(address) => Some(bind(address, "mtls.listen").await?),
        };
        Ok(Self {
            listen,
            mtls,
            public: bind(config.listen, "listen").await?,
            management: bind(config.management_listen, "management_listen").await?,
        })
    }

    /// Where operators find this node.
    pub(super) fn management(&self) -> String {
        address_of(&self.management)
    }

    /// What this node is called: no other one on this machine listens at this port.
    pub(super) fn node(&self) -> NodeName {
        let address = address_of(&self.public);
        let host = fs::read_to_string(HOST_NAME).unwrap_or_default();
        let host = match host.trim() {
            "" => "localhost",
            host => host,
        };
        let port = address.rsplit(':').next().unwrap_or_default();
        NodeName {
            name: format!("{host}:{port}"),
            address,
            version: version(),
        }
    }

    /// Answers at all of them for the public and for operators, until `stop` and a little longer. The sockets stay
    /// open, and whoever comes then waits in the system's queue for the next who answers.
    pub(super) async fn answer(
        &self,
        (public, management): (Router, Router),
        stop: impl Future<Output = ()>,
    ) -> io::Result<()> {
        let again = |listener: &TcpListener| {
            let listener = listener.as_fd().try_clone_to_owned()?;
            TcpListener::from_std(listener.into())
        };
        let doors = Self {
            listen: self.listen.clone(),
            management: again(&self.management)?,
            mtls: self.mtls.as_ref().map(again).transpose()?,
            public: again(&self.public)?,
        };
        doors.serve((public, management), stop).await
    }

    /// The same, and then the sockets are closed.
    pub(super) async fn serve(
        self,
        (public, management): (Router, Router),
        stop: impl Future<Output = ()>,
    ) -> io::Result<()> {
        let plain = Listen {
            forwarding: Forwarding::None,
            tls: None,
            ..self.listen.clone()
        };
        let asks = Listen {
            asks_for_certificates: true,
            ..self.listen.clone()
        };
        let certified = self
            .mtls
            .map(|mtls| (mtls, for_applications(public.clone()), asks));
        let (tell, told) = watch::channel(false);
        // Tasks of their own, among those of the connections: with what the caller waits for, each connection would
        // wake the thread that started the program, only to hand it on to another one.
        let mut doors = JoinSet::new();
        for (listener, router, how) in [
            (self.public, public, self.listen),
            (self.management, management, plain),
        ]
        .into_iter()
        .chain(certified)
        {
            doors.spawn(serve(listener, router, how, stopped(told.clone())));
        }
        let mut stop = pin!(stop);
        let (mut open, mut served) = (true, Ok(()));
        loop {
            tokio::select! {
                () = &mut stop, if open => {
                    open = false;
                    tell.send_replace(true);
                }
                ended = doors.join_next() => match ended {
                    Some(ended) => served = served.and(outcome(ended)),
                    None => return served,
                }
            }
        }
    }
}

/// A door that panicked takes the process along, as if it were no task of its own.
fn outcome(ended: Result<io::Result<()>, JoinError>) -> io::Result<()> {
    ended.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        Err(error) => Err(error.into()),
    })
}

async fn stopped(mut told: watch::Receiver<bool>) {
    // A sender that is gone has nothing more to say, either.
    let _ = told.wait_for(|told| *told).await;
}

/// The version of the program, with the commit if it was built with one.
fn version() -> String {
    let version = env!("CARGO_PKG_VERSION");
    match option_env!("FURKA_COMMIT") {
        None | Some("") => version.to_owned(),
        Some(commit) => format!("{version}+{commit}"),
    }
}

async fn bind(address: SocketAddr, option: &str) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(address).await;
    bound
        .doing(|| format!("listening on `{address}`"))
        .map_err(|failure| {
            failure.cure(format!(
                "stop what listens there, or change `{option}` in the configuration"
            ))
        })
}

fn address_of(listener: &TcpListener) -> String {
    let address = listener.local_addr();
    address.map_or_else(|_| String::new(), |address| address.to_string())
}
