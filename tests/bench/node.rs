//! A node under the anchors' line protocol: commands on standard input, events on standard output,
//! a real `diwan-node` process below, reached through its socket as any program reaches it.
//!
//! | command | does | event |
//! |---|---|---|
//! | | | `ready` with the node's `pid` |
//! | `introduce FILE` | writes the agency's card and fingerprint | `introduced` |
//! | `admit FILE` | pins that agency and makes it a member | `admitted` |
//! | `note FILE` | takes the card; the clock has not begun | `noted` |
//! | `connect` | pins or resumes the noted agency, so that the node dials it | `connecting` |
//! | `load FILE` | imports JSON Lines, waits until searches see them | `loaded` |
//! | `held` | | `held` with the entries that the node holds |
//! | `target E`, `expect K` | K more are to come, until the node holds E | `aimed`, `expecting`; then `done`, `searchable` |
//! | `write FILE MS` | one new record after the other, MS between | `written`, `acks` |
//! | `log FILE` | writes when each was written, or arrived | `logged` |
//! | `count`, `quit` | | `count` |

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use diwan_api::client::import::{Import, Report, import};
use diwan_api::document::{self, Format, LineContext};
use diwan_api::types::{Editors, NewRecord};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::child::Node;
use crate::pairing::{self, Acquaintance};
use crate::report::percentile;
use crate::watch::{Seen, Watch, now_ns};

/// `expect` of so many means: nothing in particular.
const FOREVER: u64 = 1_000_000_000;
/// Kind of the records: the workload's texts name none.
const KIND: &str = "guideline";

/// Runs until `quit`, the end of standard input, or SIGTERM; then the node is stopped too.
pub(crate) async fn run(home: &Path, listen: Option<&str>) -> Result<()> {
    let short = if listen.is_some() { "aa" } else { "bb" };
    let mut terminate = signal(SignalKind::terminate())?;
    let node = Node::start(home, short, listen).await?;
    let mut session = Session {
        home: home.to_owned(),
        is_new: node.was_made(),
        node,
        noted: None,
        connected: false,
        target: 0,
        watch: None,
        written: Vec::new(),
    };
    session.recall()?;
    emit(&json!({ "ev": "ready", "pid": session.node.pid(), "new": session.is_new }))?;
    let mut lines = lines_of_stdin();
    loop {
        let line = tokio::select! {
            line = lines.recv() => line,
            _ = terminate.recv() => None,
        };
        let Some(line) = line.filter(|line| line != "quit") else {
            break;
        };
        let words: Vec<&str> = line.split_whitespace().collect();
        session.obey(&words).await.with_context(|| line.clone())?;
    }
    session.leave().await
}

struct Session {
    home: PathBuf,
    /// The home was made by this start, so the noted agency is not pinned yet.
    is_new: bool,
    node: Node,
    noted: Option<Acquaintance>,
    connected: bool,
    target: u64,
    watch: Option<Watch>,
    /// When each write began, nanoseconds since 1970.
    written: Vec<u64>,
}

impl Session {
    async fn obey(&mut self, words: &[&str]) -> Result<()> {
        match words {
            ["introduce", file] => self.introduce(Path::new(file)).await,
            ["admit", file] => {
                pairing::admit(self.node.client(), &read(Path::new(file))?).await?;
                emit(&json!({ "ev": "admitted" }))
            }
            ["note", file] => self.note(Path::new(file)).await,
            ["connect"] => self.connect().await,
            ["load", file] => self.load(Path::new(file)).await,
            ["held"] => {
                let status = self.node.client().status().await?;
                emit(&json!({ "ev": "held", "entries": status.entries }))
            }
            ["target", entries] => {
                self.target = entries.parse()?;
                emit(&json!({ "ev": "aimed" }))
            }
            ["expect", missing] => self.expect(missing.parse()?),
            ["count"] => {
                let status = self.node.client().status().await?;
                emit(&json!({ "ev": "count", "docs": status.records, "entries": status.entries }))
            }
            ["write", file, ms] => self.write(Path::new(file), ms.parse()?).await,
            ["log", file] => self.log(Path::new(file)),
            _ => bail!("unknown command"),
        }
    }

    async fn introduce(&self, file: &Path) -> Result<()> {
        let card = pairing::introduce(self.node.client()).await?;
        std::fs::write(file, serde_json::to_vec(&card)?)?;
        emit(&json!({ "ev": "introduced" }))
    }

    async fn note(&mut self, file: &Path) -> Result<()> {
        let agency = read(file)?;
        pairing::note(self.node.client(), &agency).await?;
        std::fs::write(self.memory(), serde_json::to_vec(&agency)?)?;
        self.noted = Some(agency);
        emit(&json!({ "ev": "noted" }))
    }

    /// Beside the home, which counts as the node's disk.
    fn memory(&self) -> PathBuf {
        self.home.with_extension("noted.json")
    }

    /// Whom an earlier run on this home noted.
    fn recall(&mut self) -> Result<()> {
        if self.memory().exists() {
            self.noted = Some(read(&self.memory())?);
        }
        Ok(())
    }

    async fn connect(&mut self) -> Result<()> {
        let agency = self.noted.as_ref().context("nobody was noted")?;
        pairing::connect(self.node.client(), agency, self.is_new).await?;
        self.connected = true;
        emit(&json!({ "ev": "connecting" }))
    }

    async fn load(&self, file: &Path) -> Result<()> {
        pairing::ensure_group(self.node.client()).await?;
        let began = Instant::now();
        let report = load(&self.node, file, pairing::GROUP).await?;
        let durable = began.elapsed().as_secs_f64();
        self.node
            .until("an index without lag", |status| status.index.lag == 0)
            .await?;
        emit(&json!({
            "ev": "loaded",
            "created": report.created,
            "updated": report.updated,
            "durable_s": durable,
            "searchable_s": began.elapsed().as_secs_f64(),
        }))
    }

    fn expect(&mut self, missing: u64) -> Result<()> {
        if let Some(watch) = self.watch.take() {
            watch.stop()?;
        }
        let socket = self.node.client().socket();
        if missing < FOREVER {
            let tell = |seen, at| {
                let name = match seen {
                    Seen::Held => "done",
                    Seen::Searchable => "searchable",
                };
                // The driver has gone: then nobody waits for it.
                let _ = emit(&json!({ "ev": name, "t": at }));
            };
            self.watch = Some(Watch::bulk(socket, self.target, missing, tell)?);
        } else if self.connected {
            self.watch = Some(Watch::live(socket)?);
        }
        emit(&json!({ "ev": "expecting" }))
    }

    async fn write(&mut self, file: &Path, pause_ms: u64) -> Result<()> {
        let mut acks = Vec::new();
        for (at, line) in std::fs::read_to_string(file)?.lines().enumerate() {
            let context = LineContext {
                line: at as u64 + 1,
                ..LineContext::default()
            };
            let parsed = document::parse_line(line.as_bytes(), &context);
            let mut draft = parsed
                .map_err(|reason| anyhow::anyhow!("{}", reason.code()))?
                .draft;
            draft.kind = Some(KIND.to_owned());
            let request = NewRecord {
                group: pairing::GROUP.to_owned(),
                draft,
                editors: Editors::Group,
            };
            self.written.push(now_ns());
            let began = Instant::now();
            self.node.client().new_record(&request).await?;
            acks.push(began.elapsed().as_secs_f64() * 1e3);
            tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        }
        let (p50, p99) = (percentile(&acks, 0.5), percentile(&acks, 0.99));
        emit(&json!({ "ev": "acks", "p50_ms": p50, "p99_ms": p99 }))?;
        emit(&json!({ "ev": "written" }))
    }

    /// The n-th write is the n-th arrival: one log, whose order holds everywhere.
    fn log(&self, file: &Path) -> Result<()> {
        let moments = match &self.watch {
            Some(watch) if self.written.is_empty() => watch.arrivals(),
            _ => self.written.clone(),
        };
        let lines = moments.iter().enumerate();
        let text: String = lines.map(|(at, ns)| format!("w{at}\t{ns}\n")).collect();
        std::fs::write(file, text)?;
        emit(&json!({ "ev": "logged" }))
    }

    async fn leave(mut self) -> Result<()> {
        if let Some(watch) = self.watch.take() {
            watch.stop()?;
        }
        if let Some(agency) = self.noted.as_ref().filter(|_| self.connected) {
            pairing::part(self.node.client(), agency).await?;
        }
        self.node.stop().await
    }
}

/// Imports a file of JSON Lines; a line that is not imported is an error.
pub(crate) async fn load(node: &Node, file: &Path, group: &str) -> Result<Report> {
    let request = Import {
        paths: vec![file.to_owned()],
        group: group.to_owned(),
        kind: Some(KIND.to_owned()),
        options: document::Options {
            format: Format::JsonLines,
            ..document::Options::default()
        },
        editors: Editors::Group,
        dry_run: false,
        override_reason: None,
    };
    let report = import(node.client(), &request, &mut |_| {}).await?;
    if let Some(skipped) = report.skipped.first() {
        bail!("{}: {}", skipped.source, skipped.reason.code());
    }
    Ok(report)
}

fn read(file: &Path) -> Result<Acquaintance> {
    Ok(serde_json::from_slice(&std::fs::read(file)?)?)
}

/// Command lines as the driver writes them, until it closes its end.
fn lines_of_stdin() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// One event line for the driver.
fn emit(event: &Value) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{event}")?;
    Ok(out.flush()?)
}
