//! A real `diwan-node` process with a home of its own, and the client of its API.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use diwan_api::client::Client;
use diwan_api::types::Status;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

/// How long a node may take to answer, and to end.
const PATIENCE: Duration = Duration::from_secs(1_200);
/// How often a starting node, or one that is to reach a state, is asked.
const ASK_EVERY: Duration = Duration::from_millis(5);
/// The configuration of a node that measures itself against others: no log but what is wrong.
const QUIET: &str = "\n[node]\nlog = \"warn\"\n";

/// A running node.
pub(crate) struct Node {
    process: Child,
    pid: Pid,
    client: Client,
    home: PathBuf,
    made: bool,
}

impl Node {
    /// Starts a node on its home, which is made first where there is none, and waits until its API
    /// answers. It ends with this value.
    pub(crate) async fn start(home: &Path, short: &str, listen: Option<&str>) -> Result<Self> {
        let made = !home.join("config.toml").exists();
        if made {
            make_home(home, short, listen).await?;
        }
        let process = Command::new(program()?)
            .args(["run", "--home"])
            .arg(home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let id = process.id().and_then(|id| i32::try_from(id).ok());
        let pid = id.and_then(Pid::from_raw).context("the node has no pid")?;
        let mut node = Self {
            process,
            pid,
            client: Client::unix(home.join("run/node.sock")),
            home: home.to_owned(),
            made,
        };
        node.answering().await?;
        Ok(node)
    }

    /// Starts a node that listens on a port of this machine and tells its peers another one, on which
    /// something leads there.
    pub(crate) async fn start_announcing(
        home: &Path,
        short: &str,
        listen: u16,
        announce: u16,
    ) -> Result<Self> {
        let address = |port: u16| format!("/ip4/127.0.0.1/tcp/{port}");
        make_home(home, short, Some(&address(listen))).await?;
        let config = home.join("config.toml");
        let text = std::fs::read_to_string(&config)?;
        std::fs::write(
            &config,
            format!("announce = [{:?}]\n{text}", address(announce)),
        )?;
        Self::start(home, short, None).await
    }

    async fn answering(&mut self) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        while self.client.status().await.is_err() {
            if let Some(status) = self.process.try_wait()? {
                bail!("the node on {} ended: {status}", self.home.display());
            }
            if Instant::now() > end {
                bail!("the node on {} does not answer", self.home.display());
            }
            sleep(ASK_EVERY).await;
        }
        Ok(())
    }

    /// Waits until the node's state is as asked; asks it every few milliseconds.
    pub(crate) async fn until(
        &self,
        what: &str,
        reached: impl Fn(&Status) -> bool,
    ) -> Result<Status> {
        self.until_within(PATIENCE, what, reached).await
    }

    /// The same with other patience.
    pub(crate) async fn until_within(
        &self,
        patience: Duration,
        what: &str,
        reached: impl Fn(&Status) -> bool,
    ) -> Result<Status> {
        let end = Instant::now() + patience;
        loop {
            let status = self.client.status().await?;
            if reached(&status) {
                return Ok(status);
            }
            if Instant::now() > end {
                bail!("{} did not come to {what}", self.home.display());
            }
            sleep(ASK_EVERY).await;
        }
    }

    /// Its API.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Process id.
    pub(crate) fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Whether this start made the home.
    pub(crate) fn was_made(&self) -> bool {
        self.made
    }

    /// Ends the node as a loss of power would, and waits until it has gone.
    pub(crate) async fn kill(mut self) -> Result<()> {
        kill_process(self.pid, Signal::KILL)?;
        timeout(PATIENCE, self.process.wait()).await??;
        Ok(())
    }

    /// Ends the node in order and waits until it has gone.
    pub(crate) async fn stop(mut self) -> Result<()> {
        kill_process(self.pid, Signal::TERM)?;
        let status = timeout(PATIENCE, self.process.wait()).await??;
        if !status.success() {
            bail!("the node on {} ended: {status}", self.home.display());
        }
        Ok(())
    }
}

async fn make_home(home: &Path, short: &str, listen: Option<&str>) -> Result<()> {
    let made = Command::new(program()?)
        .args(["init", "--no-passphrase", "--country", "TN", "--name"])
        .args([&format!("Bench {short}"), "--short", short, "--json"])
        .arg("--home")
        .arg(home)
        .stdin(Stdio::null())
        .output()
        .await?;
    if !made.status.success() {
        let said = String::from_utf8_lossy(&made.stderr).into_owned();
        bail!("no home at {}: {}: {said}", home.display(), made.status);
    }
    // A node that listens nowhere tells nobody an address: then it alone decides when to connect.
    let listen: Vec<String> = listen
        .iter()
        .map(|address| format!("{address:?}"))
        .collect();
    let config = format!("listen = [{}]\n{QUIET}", listen.join(", "));
    std::fs::write(home.join("config.toml"), config)?;
    Ok(())
}

/// The node that was built with this program.
pub(crate) fn program() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let program = own.with_file_name("diwan-node");
    if !program.is_file() {
        bail!(
            "{} is missing; build it: cargo build --release --workspace",
            program.display()
        );
    }
    Ok(program)
}

/// Bytes that a folder's files take on the disk.
pub(crate) fn disk_bytes(folder: &Path) -> Result<u64> {
    use std::os::unix::fs::MetadataExt;
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let found = std::fs::symlink_metadata(&path)?;
        bytes += match found.is_dir() {
            true => disk_bytes(&path)?,
            false => found.blocks() * 512,
        };
    }
    Ok(bytes)
}

/// MiB of a line of `/proc/PID/status`, such as `VmRSS`.
pub(crate) fn memory_mib(pid: i32, line: &str) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let found = status.lines().find_map(|l| {
        l.strip_prefix(line)?
            .strip_prefix(':')?
            .trim()
            .strip_suffix(" kB")
    });
    let kib: f64 = found.context("no such line in /proc")?.trim().parse()?;
    Ok(kib / 1024.0)
}
