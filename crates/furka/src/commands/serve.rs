//! `furka serve`: the identity provider, from its start to its end.

mod doors;
mod waiting;

use std::{
    io::IsTerminal, num::NonZeroUsize, path::Path, sync::Arc, thread::available_parallelism,
};

use server::{
    NodeName, Parts, Provider, RealWorld, Settings, StartError,
    password::{Costs, PoolLimits, monotonic},
};
use store::{AnyStore, seal::Keys};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use tracing_subscriber::EnvFilter;

use self::doors::Doors;
use crate::{
    config::{Config, unknown_variables},
    failure::{Doing, Exit, Failure, Outcome},
    installation::{configuration, connect, open_database},
    key_file,
};

pub(crate) async fn run(config: Option<&Path>) -> Outcome {
    let config = configuration(config)?;
    let keys = Arc::new(key_file::read(&config.key_file)?);
    log(&config.log);
    for name in unknown_variables(std::env::vars().map(|(name, _)| name)) {
        tracing::warn!(
            name,
            "a variable of the environment looks like an option and is none"
        );
    }
    // Sockets first: a taken port is known before anything is started.
    let doors = Doors::open(&config).await?;
    let stop = stop()?;
    let starting = || start(&config, &keys, doors.node());
    let provider = match starting().await {
        Err(failure) if failure.is_passing() => {
            let settings = settings(&config);
            waiting::until_there(failure, starting, (&doors, settings), stop.clone()).await?
        }
        started => Some(started?),
    };
    if let Some(provider) = provider {
        tokio::spawn(key_file::follow(config.key_file.clone(), keys.clone()));
        let node = doors.node();
        tracing::info!(
            url = %config.public_url, listen = node.address, management = doors.management(),
            version = node.version, "furka serves"
        );
        let provider = Arc::new(provider);
        let routers = (provider.router(), provider.management());
        let jobs = provider.clone().run(told(stop.clone()));
        let (served, ()) = tokio::join!(doors.serve(routers, told(stop)), jobs);
        provider.left().await;
        served.doing(|| "serving".to_owned())?;
    }
    tracing::info!("furka has stopped");
    Ok(Exit::Done)
}

/// Opens the database and starts the provider on it.
async fn start(config: &Config, keys: &Arc<Keys>, node: NodeName) -> Result<Provider, Failure> {
    let store = open_database(config, keys.clone()).await?;
    let started = Provider::start(parts(config, keys.clone(), (store, node))).await;
    let is_passing = started.as_ref().err().is_some_and(StartError::is_passing);
    let started = started.doing(|| "starting the identity provider".to_owned());
    started.map_err(|failure| match is_passing {
        true => failure.passing(),
        false => failure,
    })
}

fn parts(config: &Config, keys: Arc<Keys>, (store, node): (AnyStore, NodeName)) -> Parts {
    let cores = available_parallelism().unwrap_or(NonZeroUsize::MIN);
    Parts {
        clock: monotonic(),
        connect: connect(),
        costs: Costs::default(),
        limits: PoolLimits::for_cores(config.hash_workers.unwrap_or(cores)),
        node: Some(node),
        settings: settings(config),
        keys,
        store,
        world: Arc::new(RealWorld),
    }
}

fn settings(config: &Config) -> Settings {
    Settings {
        forwarding: config.forwarding,
        institution: config.institution.name(),
        mtls_url: config.mtls.url.clone(),
        proxies_pass_certificates: config.mtls.proxies_pass_certificates,
        public_url: config.public_url.clone(),
        support: config.support.clone(),
        trusted_proxies: config.trusted_proxies.clone(),
    }
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

/// Ready when somebody has asked for the end.
async fn told(mut stop: watch::Receiver<bool>) {
    // A sender that is gone has nothing more to say, either.
    let _ = stop.wait_for(|stop| *stop).await;
}
