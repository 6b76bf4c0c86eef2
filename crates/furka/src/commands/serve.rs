//! `furka serve`: the identity provider, from its start to its end.

use std::{
    io::IsTerminal, num::NonZeroUsize, path::Path, sync::Arc, thread::available_parallelism,
};

use server::{
    Forwarding, Parts, Provider, Settings,
    listen::{Certificates, Limits, Listen, serve},
    password::{Costs, PoolLimits, monotonic},
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use tracing_subscriber::EnvFilter;

use crate::{
    config::{Config, unknown_variables},
    failure::{Doing, Exit, Failure, Outcome},
    installation::{Installation, connect},
};

pub(crate) async fn run(config: Option<&Path>) -> Outcome {
    let here = Installation::open(config).await?;
    let config = here.config.clone();
    log(&config.log);
    for name in unknown_variables(std::env::vars().map(|(name, _)| name)) {
        tracing::warn!(
            name,
            "a variable of the environment looks like an option and is none"
        );
    }
    let tls = match config.tls.files() {
        None => None,
        Some((certificate, key)) => {
            let read = Certificates::read(certificate, key);
            Some(Arc::new(
                read.doing(|| "reading the certificate".to_owned())?,
            ))
        }
    };
    // Sockets first: a taken port is known before anything is started.
    let public = bind(config.listen, "listen").await?;
    let management = bind(config.management_listen, "management_listen").await?;
    let provider = Provider::start(parts(here)).await;
    let provider = Arc::new(provider.doing(|| "starting the identity provider".to_owned())?);
    let listen = Listen {
        forwarding: config.forwarding,
        limits: Limits::default(),
        tls,
        trusted_proxies: config.trusted_proxies.clone(),
    };
    let plain = Listen {
        forwarding: Forwarding::None,
        tls: None,
        ..listen.clone()
    };
    let stop = stop()?;
    let [listening, managing] = [&public, &management].map(|listener| {
        listener
            .local_addr()
            .map(|address| address.to_string())
            .unwrap_or_default()
    });
    tracing::info!(
        url = %config.public_url, listen = listening, management = managing,
        version = env!("CARGO_PKG_VERSION"), "furka serves"
    );
    let (served, managed, ()) = tokio::join!(
        serve(public, provider.router(), listen, told(stop.clone())),
        serve(management, provider.management(), plain, told(stop.clone())),
        provider.clone().run(told(stop)),
    );
    served.and(managed).doing(|| "serving".to_owned())?;
    tracing::info!("furka has stopped");
    Ok(Exit::Done)
}

fn parts(here: Installation) -> Parts {
    let cores = available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let config = &here.config;
    Parts {
        clock: monotonic(),
        connect: connect(),
        costs: Costs::default(),
        limits: PoolLimits::for_cores(config.hash_workers.unwrap_or(cores)),
        settings: settings(config),
        keys: here.keys,
        store: here.store,
        world: Arc::new(here.world),
    }
}

fn settings(config: &Config) -> Settings {
    Settings {
        forwarding: config.forwarding,
        institution: config.institution.name(),
        public_url: config.public_url.clone(),
        support: config.support.clone(),
        trusted_proxies: config.trusted_proxies.clone(),
    }
}

async fn bind(address: std::net::SocketAddr, option: &str) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(address).await;
    bound
        .doing(|| format!("listening on `{address}`"))
        .map_err(|failure| {
            failure.cure(format!(
                "stop what listens there, or change `{option}` in the configuration"
            ))
        })
}

/// To standard error, where a terminal or the system's journal reads it.
fn log(filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}

/// Told once, when somebody asks the process to end; asked again, it ends at once.
fn stop() -> Result<watch::Receiver<bool>, Failure> {
    let doing = || "listening for signals".to_owned();
    let mut terminate = signal(SignalKind::terminate()).doing(doing)?;
    let mut interrupt = signal(SignalKind::interrupt()).doing(doing)?;
    let (tell, told) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("asked to stop; requests under way are answered first");
        tell.send_replace(true);
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        std::process::exit(130);
    });
    Ok(told)
}

async fn told(mut stop: watch::Receiver<bool>) {
    // A sender that is gone has nothing more to say, either.
    let _ = stop.wait_for(|stop| *stop).await;
}
