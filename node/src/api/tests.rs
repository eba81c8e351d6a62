//! The API as officers' programs meet it: real nodes with homes of their own, through their sockets.

mod across;
mod chain;
mod documents;
mod door;
mod federation;
mod fields;
mod finding;
mod groups;
mod proposing;
mod publishing;
mod records;
mod translating;
mod trust;
mod vocabularies;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use diwan_api::client::Client;
use diwan_api::error::{ApiError, ErrorCode};
use diwan_api::types::{
    Draft, EditRequest, Editors, ExportQuery, NewRecord, SearchAnswer, SearchQuery, Texts,
    TrustAdd, Written,
};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{Api, ApiServer, ApiServerError, Officers};
use crate::boot::{self, NewAgency};
use crate::config::Config;
use crate::engine::{Engine, Expander, Indexer, Peers};
use crate::guard::Guard;
use crate::home::Home;
use crate::index::{Index, MIN_WRITER_MEMORY_BYTES};
use crate::keystore::Protection;
use crate::net::{Net, NetConfig};

/// A node that runs within the test.
struct Node {
    client: Client,
    api: Api,
    dir: TempDir,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), ApiServerError>>,
}

impl Node {
    /// A node of a new agency, whose officer is who runs the test.
    async fn start(short: &str) -> Self {
        let uid = rustix::process::getuid().as_raw();
        Self::start_for(short, uid).await
    }

    /// The same for a user.
    async fn start_for(short: &str, own_uid: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("home");
        let agency = NewAgency {
            name: format!("Police {short}"),
            country: short.to_ascii_uppercase(),
            short: short.to_owned(),
        };
        boot::make(&home, agency, &Config::default(), Protection::None, own_uid).unwrap();
        let home = Home::open(&home).unwrap();
        let opened = boot::open(&home, None).unwrap();
        let net = NetConfig {
            node_seed: opened.node_seed.clone(),
            listen: vec!["/ip4/127.0.0.1/tcp/0".to_owned()],
            redial_min: Duration::from_millis(50),
            redial_max: Duration::from_millis(200),
            jitter_seed: 0,
            max_connections: 16,
            max_memory: usize::MAX,
        };
        let (net, events) = Net::start(net).await.unwrap();
        let addresses = net.listening();
        let (engine, _writer) = Engine::start(opened.into_committer());
        let announced = engine.submit(move |step| step.announce(addresses)).await;
        assert!(announced.unwrap());
        let index = Index::open(&home.index_dir(), MIN_WRITER_MEMORY_BYTES).unwrap();
        let api = Api {
            indexer: Indexer::start(engine.clone(), index.index, index.writer).0,
            expander: Expander::start(engine.clone()),
            peers: Peers::start(&engine, net, events),
            engine,
            guard: Arc::new(Guard::built_in().unwrap()),
            publishing: Arc::default(),
        };
        let officers = Officers::new(api.engine.clone(), own_uid);
        let socket = dir.path().join("node.sock");
        let server = ApiServer::bind(api.clone(), &socket, officers).unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(server.serve(async {
            let _ = stopped.await;
        }));
        Self {
            client: Client::unix(socket),
            api,
            dir,
            stop,
            serving,
        }
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("node.sock")
    }

    /// Writes a guideline into a group.
    async fn guideline(
        &self,
        group: &str,
        title: &[(&str, &str)],
        body: &[(&str, &str)],
    ) -> Written {
        let draft = Draft {
            kind: Some("guideline".to_owned()),
            title: texts(title),
            body: texts(body),
            ..Draft::default()
        };
        self.client.new_record(&new(group, draft)).await.unwrap()
    }

    async fn export(&self) -> String {
        let mut lines = self.client.export(&ExportQuery::default()).await.unwrap();
        let mut text = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            text.extend(line);
        }
        String::from_utf8(text).unwrap()
    }

    /// Searches once the index sees all that is stored.
    async fn search(&self, query: SearchQuery) -> SearchAnswer {
        let query = SearchQuery {
            wait_seq: Some(self.api.engine.state().store_seq),
            ..query
        };
        self.client.search(&query).await.unwrap()
    }

    /// Adds another node's agency to the trust list, its fingerprint compared.
    async fn trust(&self, other: &Node) {
        let card = other.client.card().await.unwrap();
        let request = TrustAdd {
            card: card.text,
            fingerprint: Some(card.info.fingerprint),
        };
        let list = self.client.trust_add(&request).await.unwrap();
        assert_eq!(list.agencies[0].state, "pinned");
    }
}

fn texts(pairs: &[(&str, &str)]) -> Texts {
    pairs
        .iter()
        .map(|(lang, text)| ((*lang).to_owned(), (*text).to_owned()))
        .collect()
}

fn new(group: &str, draft: Draft) -> NewRecord {
    NewRecord {
        group: group.to_owned(),
        draft,
        editors: Editors::Group,
    }
}

fn body(lang: &str, text: &str) -> EditRequest {
    EditRequest {
        body: texts(&[(lang, text)]),
        ..EditRequest::default()
    }
}

fn words(q: &str) -> SearchQuery {
    SearchQuery {
        q: q.to_owned(),
        ..SearchQuery::default()
    }
}

/// The code of a refusal, and the value that it says under a name.
fn refusal<T: std::fmt::Debug>(answer: Result<T, ApiError>, arg: &str) -> (ErrorCode, String) {
    let error = answer.unwrap_err();
    (error.code, error.args.get(arg).cloned().unwrap_or_default())
}
