//! One national node as a real process, in a home of its own.

use std::fs;
use std::io::Read;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use diwan_api::client::Client;
use diwan_api::types::SearchQuery;
use serde_json::Value;
use tempfile::TempDir;

use super::cli::{self, Output};
use super::{node_program, programs};

/// Longest wait for a node to be ready or to end: a machine under load, and never a passing test.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a node listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen {
    /// TCP with TLS, on a port that stays over restarts.
    Tcp,
    /// QUIC, on a port that stays over restarts.
    Quic,
    /// TCP on whatever port is free at each start.
    AnyTcp,
}

/// A node. Dropping it kills the process and removes the home; if the test has failed, the log is
/// printed first.
#[derive(Debug)]
pub struct TestNode {
    /// Short name of the agency.
    pub short: String,
    /// Agency id, hexadecimal.
    pub agency: String,
    /// PeerId.
    pub peer_id: String,
    /// Fingerprint, as `init` told it.
    pub fingerprint: String,
    dir: TempDir,
    log: Log,
    running: Option<Running>,
}

type Log = Arc<Mutex<Vec<u8>>>;

#[derive(Debug)]
struct Running {
    child: Child,
    /// What the node tells its supervisor, and [`EXITED`] when its stderr has ended.
    events: UnixDatagram,
    logger: JoinHandle<()>,
}

const EXITED: &[u8] = b"EXITED";

/// How a node ended that did not become ready.
pub type Ended = Output;

impl TestNode {
    /// Makes a home for an agency of `country` whose short name is that in small letters.
    #[track_caller]
    #[must_use]
    pub fn init(country: &str, listen: Listen) -> Self {
        Self::init_with(country, listen, &["--no-passphrase"])
    }

    /// As [`TestNode::init`], with other flags about the passphrase.
    #[track_caller]
    #[must_use]
    pub fn init_with(country: &str, listen: Listen, flags: &[&str]) -> Self {
        // Not below TMPDIR: the path of a Unix socket has 108 bytes at most.
        let dir = tempfile::Builder::new().prefix("diwan-").tempdir_in("/tmp");
        let dir = dir.expect("a temporary directory");
        let home = dir.path().join("home");
        let name = format!("Police judiciaire {country}");
        let listen = address(listen);
        let mut args = vec!["--json", "init", "--home", text(&home)];
        args.extend(["--country", country, "--name", &name, "--listen", &listen]);
        args.extend(flags);
        let made = node_program(&args).json();
        let field = |name: &str| made[name].as_str().expect(name).to_owned();
        Self {
            short: field("short"),
            agency: field("agency"),
            peer_id: field("peer_id"),
            fingerprint: field("fingerprint"),
            dir,
            log: Log::default(),
            running: None,
        }
    }

    /// As [`TestNode::init`], and started.
    #[track_caller]
    #[must_use]
    pub fn running(country: &str, listen: Listen) -> Self {
        let mut node = Self::init(country, listen);
        node.start();
        node
    }

    /// The process of a node that runs.
    #[track_caller]
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.running.as_ref().expect("it runs").child.id()
    }

    /// The home.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    /// A path for a file that goes when the node goes.
    #[must_use]
    pub fn scratch(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file that goes when the node goes.
    #[must_use]
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.scratch(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// Starts the node and returns when it says that it is ready.
    #[track_caller]
    pub fn start(&mut self) {
        if let Err(ended) = self.try_start(&[], &[]) {
            panic!("{} did not start: {ended}", self.short);
        }
    }

    /// As [`TestNode::start`], with more flags and variables; a node that ends instead is told.
    ///
    /// # Errors
    /// [`Ended`] where the node ended before it was ready.
    #[track_caller]
    pub fn try_start(&mut self, flags: &[&str], env: &[(&str, &str)]) -> Result<(), Ended> {
        assert!(self.running.is_none(), "{} runs already", self.short);
        let logged = self.lock_log().len();
        let running = self
            .running
            .insert(Self::spawn(&self.home(), &self.log, flags, env));
        if next_event(&running.events) == Event::Ready {
            return Ok(());
        }
        let mut running = self.running.take().expect("it was just put there");
        let code = running.child.wait().unwrap().code();
        running.logger.join().unwrap();
        let said = self.lock_log()[logged..].to_vec();
        Err(Output::new(
            code,
            Vec::new(),
            &said,
            format!("run {}", flags.join(" ")),
        ))
    }

    fn spawn(home: &Path, log: &Log, flags: &[&str], env: &[(&str, &str)]) -> Running {
        let socket = home.with_file_name("notify");
        let _ = fs::remove_file(&socket);
        let events = UnixDatagram::bind(&socket).unwrap();
        events.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut command = programs().node.command();
        command
            .args(["--json", "run", "--home", text(home)])
            .args(flags)
            .env("NOTIFY_SOCKET", &socket)
            .envs(env.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("diwan-node runs");
        let mut stderr = child.stderr.take().unwrap();
        let log = Arc::clone(log);
        let logger = std::thread::spawn(move || {
            let mut chunk = [0; 8 * 1024];
            while let Ok(read @ 1..) = stderr.read(&mut chunk) {
                let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
                log.extend_from_slice(&chunk[..read]);
            }
            // Nobody listens any more where the test has ended first.
            let _ = UnixDatagram::unbound().and_then(|end| end.send_to(EXITED, &socket));
        });
        Running {
            child,
            events,
            logger,
        }
    }

    /// Asks the node to stop (SIGTERM), waits until it has, and checks that it ended well.
    #[track_caller]
    pub fn stop(&mut self) {
        let mut running = self.running.take().expect("the node runs");
        let pid = rustix::process::Pid::from_child(&running.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert_eq!(next_event(&running.events), Event::Exited);
        let status = running.child.wait().unwrap();
        running.logger.join().unwrap();
        assert!(status.success(), "{} stopped with {status}", self.short);
    }

    /// Kills the node (SIGKILL) without any warning, and waits until it is gone.
    pub fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.child.kill().unwrap();
            running.child.wait().unwrap();
            running.logger.join().unwrap();
        }
    }

    /// What `diwan --home … --json ARGS` answers.
    #[track_caller]
    pub fn try_diwan(&self, args: &[&str]) -> Output {
        cli::run(self.command().arg("--json").args(args), args)
    }

    /// The document of a command that must be done.
    #[track_caller]
    pub fn diwan(&self, args: &[&str]) -> Value {
        self.try_diwan(args).json()
    }

    /// `diwan --home …`, to be given its arguments.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = programs().cli.command();
        command.arg("--home").arg(self.home());
        command
    }

    /// Writes a record of one language and returns its id.
    #[track_caller]
    pub fn write(&self, group: &str, title: &str, body: &str) -> String {
        let (title, body) = (format!("fr={title}"), format!("fr={body}"));
        let args = ["new", "--group", group, "--kind", "practice"];
        let written = self.diwan(&[&args[..], &["--title", &title, "--body", &body]].concat());
        written["record"].as_str().unwrap().to_owned()
    }

    /// A record as `show` answers it.
    #[track_caller]
    pub fn show(&self, record: &str) -> Value {
        self.diwan(&["show", record])
    }

    /// The canonical export of a group: the same bytes on every node that holds the same.
    #[track_caller]
    pub fn export(&self, group: &str) -> String {
        let args = ["export", "-", "--format", "jsonl", "--group", group];
        let output = cli::run(self.command().args(args), &args);
        assert_eq!(output.code, 0, "{output}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Returns when searches see all that the node holds now.
    #[track_caller]
    pub fn indexed(&self) {
        let socket = self.home().join("run/node.sock");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let client = Client::unix(socket);
            let query = SearchQuery {
                q: "anything".to_owned(),
                wait_seq: Some(client.status().await.unwrap().store_seq),
                ..SearchQuery::default()
            };
            client.search(&query).await.unwrap();
        });
    }

    /// The ids that a search finds, best first, in all that the node holds now.
    #[track_caller]
    pub fn search(&self, args: &[&str]) -> Vec<String> {
        self.indexed();
        let answer = self.diwan(&[&["search"], args].concat());
        let hits = answer["hits"].as_array().unwrap().iter();
        hits.map(|hit| hit["record"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Syncs with these peers and returns when all that is in common is equal.
    #[track_caller]
    pub fn sync(&self, peers: &[&TestNode]) {
        for peer in peers {
            let args = ["sync", "--peer", &peer.short, "--wait", "--timeout", "60"];
            let output = self.try_diwan(&args);
            assert_eq!(output.code, 0, "{output}");
        }
    }

    /// What the node has logged so far.
    #[must_use]
    pub fn logged(&self) -> String {
        String::from_utf8_lossy(&self.lock_log()).into_owned()
    }

    fn lock_log(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for TestNode {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("---- log of {} ----\n{}", self.short, self.logged());
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Ready,
    Exited,
}

/// Waits until the node is ready or has ended.
#[track_caller]
fn next_event(events: &UnixDatagram) -> Event {
    let mut datagram = [0; 4096];
    loop {
        let length = events
            .recv(&mut datagram)
            .expect("the node becomes ready, or ends, in time");
        for line in datagram[..length].split(|byte| *byte == b'\n') {
            match line {
                b"READY=1" => return Event::Ready,
                line if line == EXITED => return Event::Exited,
                _ => {}
            }
        }
    }
}

fn address(listen: Listen) -> String {
    match listen {
        Listen::Tcp => format!("/ip4/127.0.0.1/tcp/{}", free_port()),
        Listen::Quic => format!("/ip4/127.0.0.1/udp/{}/quic-v1", free_port()),
        Listen::AnyTcp => "/ip4/127.0.0.1/tcp/0".to_owned(),
    }
}

/// A port that is free now and is below those that the system hands out by itself, so that it is
/// still free when a node comes back after a while.
fn free_port() -> u16 {
    const FIRST: u16 = 12_000;
    const PORTS: u16 = 20_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Test processes beside each other begin at different places.
    let start = u16::try_from(u64::from(std::process::id()) * 131 % u64::from(PORTS)).unwrap();
    for _ in 0..PORTS {
        let nth = NEXT.fetch_add(1, Ordering::Relaxed) % PORTS;
        let port = FIRST + start.wrapping_add(nth) % PORTS;
        let here = ("127.0.0.1", port);
        if TcpListener::bind(here).is_ok() && UdpSocket::bind(here).is_ok() {
            return port;
        }
    }
    panic!("no free port");
}

fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are text")
}
