//! A canton on localhost: the provider, configured exactly as in production behind a front proxy,
//! and around it the portals, the phone and the mailbox of the `demo` crate.

mod cast;

use std::{
    error::Error,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use axum::{Router, body::Body};
use demo::{Canton, OverSocket, Reach, smtp_sink};
use http::{Request, StatusCode};
use journey::{NameKey, Policy, Timestamp};
use server::{
    Forwarding, Parts, Provider, RealWorld, Settings, World,
    listen::{Limits, Listen, serve},
    password::{Costs, Pepper, Pool, PoolLimits, monotonic},
};
use store::{AnyStore, KeyRecord, Resource, ResourceKind, seal::Keys, sqlite::Sqlite};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};
use wire::jose::{SigningAlg, SigningKey};

use crate::{config::sample, key_file};

/// The networks from which the demo's places browse.
const ZONES: &str = include_str!("zones.toml");

type Failure = Box<dyn Error + Send + Sync>;

/// Runs the canton until it is told to stop. Everything it remembers is in `dir`, or in a folder that
/// goes away with it.
///
/// # Errors
/// A port that is taken, a folder that cannot be written: with the cure.
pub(crate) async fn run(port: u16, dir: Option<PathBuf>) -> Result<(), Failure> {
    let (dir, _temporary) = folder(dir)?;
    let world = RealWorld;
    let path = dir.join("furka.db");
    if path.exists() {
        return Err(format!("{} exists already: choose an empty folder", path.display()).into());
    }
    let keys = Arc::new(installation(&dir, port)?);
    let store: AnyStore = Arc::new(Sqlite::open(&path, Arc::clone(&keys))?);
    let (mailbox, provider_door) = (any_port().await?, any_port().await?);
    let doors = doors(port).await?;
    let pool = Pool::new(
        limits(),
        Costs::default(),
        Pepper::of(keys.clone()),
        monotonic(),
    )?;
    let cast = cast::Cast::draw(port, &world)?;
    configure(&store, &cast, mailbox.local_addr()?).await?;
    cast.moves_in(&store, &keys, &pool).await?;
    drop(pool);

    let provider = Arc::new(Provider::start(parts(&store, &keys, port)?).await?);
    let reach = Arc::new(OverSocket::new(provider_door.local_addr()?));
    let people = Arc::new(Registry(Arc::clone(&store)));
    let canton = Canton::new(cast.settings, reach.clone(), people, Arc::new(DemoWorld))?;

    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    tasks.spawn(listen(provider_door, provider.router(), stopped.clone()));
    for (door, router) in
        doors
            .into_iter()
            .zip([canton.proxy, canton.ent, canton.ism, canton.phone])
    {
        for listener in door {
            tasks.spawn(listen(listener, router.clone(), stopped.clone()));
        }
    }
    tasks.spawn(smtp_sink::serve(
        mailbox,
        canton.messages,
        Arc::new(DemoWorld),
    ));
    let jobs = tokio::spawn(Arc::clone(&provider).run(until(stopped)));
    until_it_answers(&*reach).await?;
    // The activation message is in the mailbox when people are told to look.
    provider.deliver_messages().await;
    #[expect(clippy::print_stdout, reason = "this line is what scripts wait for")]
    {
        println!("ready http://localhost:{port}/");
    }
    told_to_stop().await;
    let _nobody_listens = stop.send(true);
    jobs.await?;
    while tokio::time::timeout(Duration::from_secs(2), tasks.join_next())
        .await
        .is_ok_and(|t| t.is_some())
    {}
    tasks.shutdown().await;
    Ok(())
}

/// A folder, and what makes it go away again.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // What cannot be deleted is left in the system's folder for such things.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn folder(dir: Option<PathBuf>) -> io::Result<(PathBuf, Option<Temporary>)> {
    if let Some(dir) = dir {
        std::fs::create_dir_all(&dir)?;
        return Ok((dir, None));
    }
    let mut name = [0; 8];
    RealWorld.fill(&mut name);
    let dir = std::env::temp_dir().join(format!("furka-demo-{:016x}", u64::from_be_bytes(name)));
    std::fs::create_dir(&dir)?;
    Ok((dir.clone(), Some(Temporary(dir))))
}

/// The key and the configuration: with them the other commands find this canton.
fn installation(dir: &Path, port: u16) -> Result<Keys, Failure> {
    let keys = key_file::draw(&dir.join("furka.key"), &RealWorld)?;
    let url = format!("\"http://localhost:{port}\"");
    let given = [
        ("public_url", url.as_str()),
        ("database", "\"sqlite:furka.db\""),
    ];
    std::fs::write(dir.join("furka.toml"), sample(&given))?;
    Ok(keys)
}

/// The listeners of the four ports, on both loopback addresses where the machine has both.
async fn doors(port: u16) -> Result<Vec<Vec<TcpListener>>, Failure> {
    let mut doors = Vec::new();
    for offset in 0..4 {
        let port = port
            .checked_add(offset)
            .ok_or("the port is too high: four in a row are needed")?;
        let v4 = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        let v6 = SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), port);
        let v4 = TcpListener::bind(v4).await.map_err(|error| {
            format!("port {port} cannot be used ({error}): choose four free ones with --port")
        })?;
        doors.push(
            std::iter::once(v4)
                .chain(TcpListener::bind(v6).await.ok())
                .collect(),
        );
    }
    Ok(doors)
}

async fn any_port() -> io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0)).await
}

async fn listen(
    listener: TcpListener,
    router: Router,
    stopped: watch::Receiver<bool>,
) -> io::Result<()> {
    let how = Listen {
        forwarding: Forwarding::None,
        asks_for_certificates: false,
        limits: Limits {
            drain: Duration::from_secs(1),
            ..Limits::default()
        },
        tls: None,
        trusted_proxies: Vec::new(),
    };
    serve(listener, router, how, until(stopped)).await
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // An error means that whoever could say it is gone.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
}

async fn until_it_answers(reach: &dyn Reach) -> Result<(), Failure> {
    let request = Request::get("/health/ready")
        .header("host", "localhost")
        .body(Body::empty())?;
    match reach.call(request).await.status() {
        StatusCode::OK => Ok(()),
        status => Err(format!("the provider does not answer: {status}").into()),
    }
}

fn limits() -> PoolLimits {
    PoolLimits::for_cores(std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN))
}

fn parts(store: &AnyStore, keys: &Arc<Keys>, port: u16) -> Result<Parts, Failure> {
    let clock = monotonic();
    let for_breaker = Arc::clone(&clock);
    Ok(Parts {
        clock,
        connect: Arc::new(move |text: &str| {
            let gateways = peers::Gateways::parse(text)?;
            Ok(peers::connect(&gateways, Arc::clone(&for_breaker))?)
        }),
        costs: Costs::default(),
        keys: Arc::clone(keys),
        limits: limits(),
        node: None,
        settings: Settings {
            forwarding: Forwarding::XForwardedFor,
            institution: toml::from_str(include_str!("institution.toml"))?,
            mtls_url: None,
            proxies_pass_certificates: false,
            public_url: format!("http://localhost:{port}").parse()?,
            support: "ICT-VS · 027 000 00 00".to_owned(),
            trusted_proxies: vec!["127.0.0.1/32".parse()?],
        },
        store: Arc::clone(store),
        world: Arc::new(RealWorld),
    })
}

/// Zones, policy, applications, gateways and keys, as `furka init` and `furka apply` leave them.
async fn configure(
    store: &AnyStore,
    cast: &cast::Cast,
    mailbox: SocketAddr,
) -> Result<(), Failure> {
    let by = cast::by();
    let documents = [
        (ResourceKind::Zones, ZONES.to_owned()),
        (
            ResourceKind::Policy,
            Policy::preset_text("valais").unwrap_or_default().to_owned(),
        ),
        (
            ResourceKind::Applications,
            cast.settings.applications_toml()?,
        ),
        (
            ResourceKind::Gateways,
            cast.settings.gateways_toml(mailbox)?,
        ),
    ];
    let documents = documents.map(|(kind, text)| Resource {
        kind,
        text,
        version: 0,
    });
    store.apply(&documents, &by).await?;
    for algorithm in [SigningAlg::Es256, SigningAlg::Rs256] {
        let key = SigningKey::generate(algorithm)?;
        let record = KeyRecord {
            algorithm: algorithm.name().to_owned(),
            kid: key.kid().to_owned(),
            pkcs8: journey::Secret::new(key.to_pkcs8()?.expose().to_vec()),
            until: None,
        };
        store.rotate_key(&record, Timestamp(0), &by).await?;
    }
    Ok(())
}

/// Tells the demo's pages where people stand.
struct Registry(AnyStore);

#[async_trait]
impl demo::People for Registry {
    async fn standing(&self, username: &str) -> demo::Standing {
        let Some(name) = NameKey::of(username) else {
            return demo::Standing::default();
        };
        match self.0.person_by_name(&name).await {
            Ok(Some(account)) => demo::Standing {
                activated: account.password.is_some(),
                enrolled: account.person.enrolled(),
            },
            _ => demo::Standing::default(),
        }
    }
}

struct DemoWorld;

impl demo::World for DemoWorld {
    fn now_unix(&self) -> i64 {
        RealWorld.now().0
    }

    fn fill(&self, bytes: &mut [u8]) {
        RealWorld.fill(bytes);
    }
}
