//! Running a node: the parts in the order in which they need each other, and their end in reverse.

use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use diwan_api::error::{ApiError, ErrorCode};
use tokio::signal::unix::{SignalKind, signal};

use crate::api::{Api, ApiServer, ApiServerError, Officers};
use crate::boot::{self, Opened};
use crate::config::Config;
use crate::engine::{Engine, Expander, Indexer, Peers};
use crate::home::Home;
use crate::index::Index;
use crate::keystore::{self, Passphrase};
use crate::limits::{BLOCKING_THREADS, DESCRIPTORS_BESIDE, PENDING_INCOMING};
use crate::net::{Net, NetConfig, NetError};
use crate::store;

/// Opens a home, with errors for people.
///
/// # Errors
/// [`ApiError`] where there is no home, or it cannot be used.
pub fn open_home(dir: &Path) -> Result<Home, ApiError> {
    Home::open(dir).map_err(|error| boot::home_error(dir, &error))
}

/// What ends a running node besides SIGTERM and SIGINT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Nothing else.
    Signalled,
    /// The end of its standard input: whoever started it holds the other end, and takes the node
    /// along however it dies itself.
    StdinCloses,
}

/// Runs a node until SIGTERM or SIGINT, or until what else is said.
///
/// # Errors
/// [`ApiError`] where a part cannot start; what had started is closed in order.
pub fn run(
    home: &Home,
    passphrase: Option<&Passphrase>,
    port_file: Option<&Path>,
    until: Until,
) -> Result<(), ApiError> {
    let _lock = home
        .lock()
        .map_err(|error| boot::home_error(home.dir(), &error))?;
    let config = boot::load_config(&home.config())?;
    log_to_stderr(&config);
    make_room_for_descriptors(&config);
    let opened = boot::open(home, passphrase)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(BLOCKING_THREADS)
        .enable_all()
        .build()
        .map_err(|error| ApiError::new(ErrorCode::Internal).with("detail", error))?;
    let outcome = runtime.block_on(serve(home, &config, opened, port_file, until));
    runtime.shutdown_timeout(Duration::from_secs(5));
    outcome
}

/// Lets the process open as many files as its connections may need, as far as the system allows.
fn make_room_for_descriptors(config: &Config) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let needed = u64::from(config.sync.max_connections)
        .saturating_add(PENDING_INCOMING.into())
        .saturating_add(DESCRIPTORS_BESIDE);
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|now| now >= needed) {
        return;
    }
    let possible = limit.maximum.map_or(needed, |most| most.min(needed));
    let raised = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(possible),
            maximum: limit.maximum,
        },
    );
    if raised.is_err() || possible < needed {
        tracing::warn!(
            needed,
            possible,
            "the system allows fewer open files than sync.max_connections may need"
        );
    }
}

fn log_to_stderr(config: &Config) {
    let filter = format!(
        "{level},tantivy=warn,libp2p=warn",
        level = config.node.log.as_str()
    );
    // A second call, in tests, changes nothing.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .try_init();
}

async fn serve(
    home: &Home,
    config: &Config,
    opened: Opened,
    port_file: Option<&Path>,
    until: Until,
) -> Result<(), ApiError> {
    let net_config = NetConfig {
        node_seed: opened.node_seed.clone(),
        listen: config
            .listen
            .iter()
            .map(|address| address.as_str().to_owned())
            .collect(),
        redial_min: Duration::from_secs(config.sync.redial_min_s.into()),
        redial_max: Duration::from_secs(config.sync.redial_max_s.into()),
        jitter_seed: jitter_seed(),
        max_connections: config.sync.max_connections,
        max_memory: config.node.memory_mb as usize * 1024 * 1024,
    };
    let memory = config.index.writer_memory_mb as usize * 1024 * 1024;
    let index = Index::open(&home.index_dir(), memory).map_err(|error| {
        ApiError::new(ErrorCode::HomeUnreadable)
            .with("path", home.index_dir().display())
            .with("detail", error)
    })?;
    let guard = Arc::new(boot::load_guard(&home.guard())?);
    let (net, events) = Net::start(net_config).await.map_err(net_error)?;
    let listening = net.listening();
    let mut committer = opened.into_committer();
    let is_copy = store::place_of(&home.store())
        .and_then(|place| committer.settle_in(place))
        .map_err(|error| boot::store_error(&home.store(), error))?;
    if is_copy {
        tracing::warn!(
            "this home was copied: it goes on under a new incarnation, as its original may have"
        );
    }
    let called_up = committer
        .keep_up_with_gate()
        .map_err(|error| boot::store_error(&home.store(), error))?;
    if called_up > 0 {
        tracing::info!(
            records = called_up,
            "the rules for changes are newer than the store: records are judged again"
        );
    }
    committer
        .keep_up_with_links()
        .map_err(|error| boot::store_error(&home.store(), error))?;
    let (engine, writer) = Engine::start(committer);
    announce(&engine, config, &listening).await?;
    let (indexer, follower) = Indexer::start(engine.clone(), index.index, index.writer);
    let peers = Peers::start(&engine, net, events);

    let socket = home.socket(&config.api.socket);
    let own_uid = rustix::process::getuid().as_raw();
    let officers = Officers::new(engine.clone(), own_uid);
    let api = Api {
        engine: engine.clone(),
        indexer,
        expander: Expander::start(engine.clone()),
        peers: peers.clone(),
        guard,
        publishing: Arc::default(),
    };
    let server = ApiServer::bind(api, &socket, officers).map_err(|error| socket_error(&error))?;
    tell_ready(&listening, port_file)?;
    let served = server.serve(stopped(until)).await;

    tracing::info!("stopping");
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    peers.shutdown().await;
    engine.stop().await;
    let joined = tokio::task::spawn_blocking(move || (writer.join(), follower.join()));
    if !matches!(joined.await, Ok((Ok(()), Ok(())))) {
        tracing::error!("a thread did not end in order");
    }
    served.map_err(|error| socket_error(&error))
}

/// Writes the addresses that peers are to use into the agency's chain, where they changed.
async fn announce(engine: &Engine, config: &Config, listening: &[String]) -> Result<(), ApiError> {
    let addresses: Vec<String> = match config.announce.as_slice() {
        [] => listening.to_vec(),
        announced => announced
            .iter()
            .map(|address| address.as_str().to_owned())
            .collect(),
    };
    if !engine.submit(move |step| step.announce(addresses)).await? {
        tracing::warn!("this node's addresses changed, but the root key is not here to sign them");
    }
    Ok(())
}

/// Tells whoever waits that the node answers: the port file, systemd, the log.
fn tell_ready(listening: &[String], port_file: Option<&Path>) -> Result<(), ApiError> {
    if let Some(path) = port_file {
        let text = serde_json::json!({ "listen": listening }).to_string();
        let draft = path.with_extension("draft");
        let written = std::fs::write(&draft, text).and_then(|()| std::fs::rename(&draft, path));
        written.map_err(|error| {
            ApiError::new(ErrorCode::HomeUnreadable)
                .with("path", path.display())
                .with("detail", error)
        })?;
    }
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    tracing::info!(?listening, "ready");
    Ok(())
}

async fn stopped(until: Until) {
    let orphaned = async {
        match until {
            Until::Signalled => std::future::pending().await,
            Until::StdinCloses => stdin_closed().await,
        }
    };
    let (Ok(mut term), Ok(mut int)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
        () = orphaned => {}
    }
}

/// Waits for the end of the standard input; what comes before it is thrown away.
async fn stdin_closed() {
    let (closed, wait) = tokio::sync::oneshot::channel();
    // A thread of its own: the runtime would wait at its end for a read that cannot be called off.
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = closed.send(());
    });
    let _ = wait.await;
}

fn net_error(error: NetError) -> ApiError {
    match error {
        NetError::PortInUse { address } => {
            ApiError::new(ErrorCode::PortInUse).with("address", address)
        }
        other => ApiError::new(ErrorCode::NetFailed).with("detail", other),
    }
}

fn socket_error(error: &ApiServerError) -> ApiError {
    let (ApiServerError::Bind { path, .. } | ApiServerError::Serve { path, .. }) = error;
    ApiError::new(ErrorCode::HomeUnreadable)
        .with("path", path.display())
        .with("detail", error)
}

/// Where the system gives no entropy a fixed seed does: jitter is a courtesy, not a secret.
fn jitter_seed() -> u64 {
    let mut seed = [0; 8];
    let _ = keystore::fill_random(&mut seed);
    u64::from_be_bytes(seed)
}
