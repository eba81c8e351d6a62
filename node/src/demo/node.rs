//! One national node of the demonstration: a process of its own, and how to speak to it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use diwan_api::client::Client;
use serde::Deserialize;
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::watch;

use super::fault::DemoError;
use super::place::Place;
use super::wait::{Look, until};
use crate::config::Config;
use crate::home::{Home, create_private_file};

/// Where the nodes listen: this machine only, on whatever port is free.
const LISTEN: &str = "/ip4/127.0.0.1/tcp/0";
/// How long a node may take to stop.
const STOPPING: Duration = Duration::from_secs(15);

/// An agency of the demonstration.
#[derive(Clone, Copy, Debug)]
pub(super) struct Agency {
    pub(super) short: &'static str,
    pub(super) country: &'static str,
    pub(super) name: &'static str,
}

/// The three, named so that nobody takes them for real ones. The first one imports and owns the
/// group.
pub(super) const AGENCIES: [Agency; 3] = [
    Agency {
        short: "fr",
        country: "FR",
        name: "Agence de démonstration, France",
    },
    Agency {
        short: "tn",
        country: "TN",
        name: "وكالة العرض التجريبي، تونس",
    },
    Agency {
        short: "ma",
        country: "MA",
        name: "Agence de démonstration, Maroc",
    },
];

/// What `diwan-node init --json` says.
#[derive(Debug, Deserialize)]
struct Made {
    peer_id: String,
    fingerprint: String,
}

/// What the port file says.
#[derive(Debug, Deserialize)]
struct Ports {
    listen: Vec<String>,
}

/// The failure that a program prints with `--json`.
#[derive(Debug, Deserialize)]
struct Failure {
    error: FailureText,
}

#[derive(Debug, Deserialize)]
struct FailureText {
    message: String,
}

/// Tells that a process ended: whose, and how.
pub(super) type Deaths = watch::Sender<Option<(&'static str, String)>>;

/// A running node.
#[derive(Debug)]
pub(super) struct Node {
    agency: Agency,
    home: PathBuf,
    client: Client,
    peer_id: String,
    fingerprint: String,
    listen: Vec<String>,
    /// Its standard input, to which nothing is written: when this end closes, however this process
    /// dies, the node stops.
    lifeline: ChildStdin,
    ended: watch::Receiver<bool>,
}

impl Node {
    /// Makes the agency's home and runs it, each by this program's own command.
    ///
    /// # Errors
    /// [`DemoError::Making`], [`DemoError::TooLong`], or a file that cannot be used. A node that
    /// ends while it starts is told of through `deaths`.
    pub(super) async fn start(
        agency: Agency,
        place: &Place,
        deaths: &Deaths,
    ) -> Result<Self, DemoError> {
        let dir = place.dir().join(agency.short);
        let made = init(agency, &dir).await?;
        let home = Home::open(&dir).map_err(|error| DemoError::Making {
            short: agency.short,
            detail: error.to_string(),
        })?;
        let port_file = home.run_dir().join("ports.json");
        let mut child = run(&home, &port_file)?;
        let Some(lifeline) = child.stdin.take() else {
            return Err(DemoError::File {
                path: dir,
                source: std::io::ErrorKind::BrokenPipe.into(),
            });
        };
        let (tell_end, ended) = watch::channel(false);
        tokio::spawn(follow(child, agency.short, deaths.clone(), tell_end));
        let listen = until("demo-awaited-start", async || Ok(ports(&port_file))).await?;
        Ok(Self {
            agency,
            client: Client::unix(home.socket(&Config::default().api.socket)),
            home: dir,
            peer_id: made.peer_id,
            fingerprint: made.fingerprint,
            listen,
            lifeline,
            ended,
        })
    }

    /// Its agency's short name.
    pub(super) fn short(&self) -> &'static str {
        self.agency.short
    }

    /// Its agency.
    pub(super) fn agency(&self) -> Agency {
        self.agency
    }

    /// Its home.
    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    /// Its API.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// PeerId, as its own `init` said.
    pub(super) fn peer_id(&self) -> &str {
        &self.peer_id
    }

    /// Fingerprint of its agency, as its own `init` said: what its admin reads over the phone.
    pub(super) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Bound addresses.
    pub(super) fn listen(&self) -> &[String] {
        &self.listen
    }

    /// Lets go of the lifeline, and waits until the process has ended. One that does not end in time
    /// is killed when the runtime goes.
    pub(super) async fn stop(self) {
        let Self {
            lifeline,
            mut ended,
            ..
        } = self;
        drop(lifeline);
        // An error means that the process's follower is gone, and the process with it.
        let _ = tokio::time::timeout(STOPPING, ended.wait_for(|ended| *ended)).await;
    }
}

/// The three nodes, all running.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trio<'n> {
    /// Imports, and owns the group.
    pub(super) fr: &'n Node,
    /// Edits while it is cut off.
    pub(super) tn: &'n Node,
    /// Finds.
    pub(super) ma: &'n Node,
}

impl<'n> Trio<'n> {
    /// All three; none where one is missing.
    pub(super) fn of(nodes: &'n [Node]) -> Option<Self> {
        match nodes {
            [fr, tn, ma] => Some(Self { fr, tn, ma }),
            _ => None,
        }
    }

    /// All three, in order.
    pub(super) fn all(&self) -> [&'n Node; 3] {
        [self.fr, self.tn, self.ma]
    }
}

/// The words of `init` for an agency, as they are run and as they are shown.
pub(super) fn init_words(agency: Agency, home: &str) -> [&str; 12] {
    [
        "init",
        "--home",
        home,
        "--country",
        agency.country,
        "--short",
        agency.short,
        "--name",
        agency.name,
        "--listen",
        LISTEN,
        "--no-passphrase",
    ]
}

async fn init(agency: Agency, dir: &Path) -> Result<Made, DemoError> {
    let failed = |detail: String| DemoError::Making {
        short: agency.short,
        detail,
    };
    let home = dir.display().to_string();
    let output = program()?
        .args(init_words(agency, &home))
        .arg("--json")
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        let said = serde_json::from_slice::<Failure>(&output.stderr);
        return Err(failed(match said {
            Ok(failure) => failure.error.message,
            Err(_) => output.status.to_string(),
        }));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))
}

fn run(home: &Home, port_file: &Path) -> Result<Child, DemoError> {
    let log = log_of(home.dir());
    create_private_file(&log, b"").map_err(DemoError::file(&log))?;
    let open = || {
        let file = std::fs::OpenOptions::new().append(true).open(&log);
        file.map_err(DemoError::file(&log))
    };
    let mut command = program()?;
    command
        .arg("run")
        .arg("--home")
        .arg(home.dir())
        .arg("--port-file")
        .arg(port_file)
        .arg("--until-stdin-closes")
        .stdin(Stdio::piped())
        .stdout(open()?)
        .stderr(open()?)
        // Ctrl-C is for the demonstration, which then stops the nodes.
        .process_group(0);
    command.spawn().map_err(DemoError::file(home.dir()))
}

/// This program, once more. What the environment says of a node is meant for another one.
fn program() -> Result<Command, DemoError> {
    let path = std::env::current_exe().map_err(DemoError::file(Path::new("diwan-node")))?;
    let mut command = Command::new(path);
    command
        .env_remove("DIWAN_HOME")
        .env_remove("DIWAN_PASSPHRASE_FILE")
        .kill_on_drop(true);
    Ok(command)
}

/// The log of the node in this home.
pub(super) fn log_of(home: &Path) -> PathBuf {
    home.join("node.log")
}

/// Holds a process until it ends, and tells of its end. A process whose follower goes is killed.
async fn follow(mut child: Child, short: &'static str, deaths: Deaths, ended: watch::Sender<bool>) {
    let status = match child.wait().await {
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    };
    ended.send_replace(true);
    deaths.send_if_modified(|first| {
        let is_first = first.is_none();
        if is_first {
            *first = Some((short, status));
        }
        is_first
    });
}

fn ports(file: &Path) -> Look<Vec<String>> {
    // The node writes it under another name first: what can be read is whole.
    let read = std::fs::read(file).ok();
    match read.and_then(|bytes| serde_json::from_slice::<Ports>(&bytes).ok()) {
        Some(ports) => Look::Done(ports.listen),
        None => Look::At(0),
    }
}
