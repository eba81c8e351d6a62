//! Not one byte of a group, nor its name, reaches anybody outside it. Tested on the frames: what an
//! outsider with a key of its own gets from a node when it asks, politely and otherwise.

use std::time::{Duration, Instant};

use diwan_core::id::GroupId;
use diwan_tests::kit::{HostilePeer, Listen, Overheard, TestNode, one_at_a_time, share, trust};

const GROUP: &str = "operation-mistral";
const TITLE: &str = "Titre que personne d'autre ne lit";
const BODY: &str = "Corps que personne d'autre ne lit";

/// `fr` and `tn` with a group of their own and a record in it.
struct Secret {
    fr: TestNode,
    tn: TestNode,
    group: GroupId,
    record: String,
}

impl Secret {
    fn new() -> Self {
        let fr = TestNode::running("FR", Listen::Tcp);
        let tn = TestNode::running("TN", Listen::Tcp);
        share(GROUP, &[&fr, &tn]);
        let record = fr.write(GROUP, TITLE, BODY);
        // An entry about a record names it; only the first version does not.
        fr.diwan(&["edit", &record, "--tag", "secret"]);
        fr.sync(&[&tn]);
        let group = fr.diwan(&["group", "show", GROUP])["groups"][0]["group"].take();
        let group = group.as_str().unwrap().parse().unwrap();
        Self {
            fr,
            tn,
            group,
            record,
        }
    }

    /// What of the secret is in these frames.
    fn leaks(&self, heard: &Overheard) -> Vec<&'static str> {
        let record: GroupId = self.record.parse().unwrap();
        let secrets: [(&str, &[u8]); 5] = [
            ("the group's name", GROUP.as_bytes()),
            ("the group's id", self.group.as_bytes()),
            ("a title", TITLE.as_bytes()),
            ("a body", BODY.as_bytes()),
            ("a record's id", record.as_bytes()),
        ];
        let found = secrets
            .into_iter()
            .filter(|(_, bytes)| heard.mentions(bytes));
        found.map(|(what, _)| what).collect()
    }

    /// What `thief`, which must not run, gets from `fr` when it asks for the group.
    fn told_to(&self, thief: &TestNode) -> Overheard {
        block_on(async {
            let mut peer = HostilePeer::new(thief, &self.fr).await;
            peer.interrogate(self.group).await
        })
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(work)
}

#[test]
fn a_stranger_never_gets_a_link() {
    let _turn = one_at_a_time();
    let secret = Secret::new();
    let mut stranger = TestNode::running("EG", Listen::Tcp);
    // It trusts fr, and knows its address; fr knows nothing of it.
    stranger.pin(&secret.fr, &secret.fr.card());
    stranger.stop();
    block_on(async {
        let mut peer = HostilePeer::new(&stranger, &secret.fr).await;
        assert!(peer.link(5).await.is_none(), "a stranger got a link");
    });
    let peers = secret.fr.diwan(&["status"])["peers"].take();
    assert!(!peers.to_string().contains(&stranger.peer_id), "{peers}");
}

#[test]
fn a_trusted_agency_in_no_group_hears_nothing_of_it() {
    let _turn = one_at_a_time();
    let secret = Secret::new();
    let mut outsider = TestNode::running("EG", Listen::Tcp);
    trust(&secret.fr, &outsider);
    outsider.sync(&[&secret.fr]);
    assert_knows_nothing(&outsider, &secret);
    outsider.stop();

    let heard = secret.told_to(&outsider);
    assert!(!heard.frames.is_empty(), "nobody spoke to the outsider");
    assert_eq!(secret.leaks(&heard), Vec::<&str>::new());
    assert_eq!(heard.batches(), 0);
}

#[test]
fn a_member_of_another_group_hears_only_of_that() {
    let _turn = one_at_a_time();
    let secret = Secret::new();
    let mut other = TestNode::running("EG", Listen::Tcp);
    trust(&secret.fr, &other);
    let created = secret
        .fr
        .diwan(&["group", "create", "autre", "--member", "eg"]);
    let group = created["groups"][0]["group"].as_str().unwrap();
    let group: GroupId = group.parse().unwrap();
    let shared = secret.fr.write("autre", "Titre partagé", "Corps partagé");
    secret.fr.sync(&[&other]);
    assert_eq!(other.show(&shared)["title"]["fr"], "Titre partagé");
    assert_knows_nothing(&other, &secret);
    other.stop();

    let heard = secret.told_to(&other);
    assert_eq!(secret.leaks(&heard), Vec::<&str>::new());
    assert!(heard.mentions(group.as_bytes()), "its own group is told");
}

/// The judge can see: the same questions by a member bring everything to light.
#[test]
fn a_member_that_asks_the_same_is_told_everything() {
    let _turn = one_at_a_time();
    let mut secret = Secret::new();
    secret.tn.stop();
    let heard = secret.told_to(&secret.tn);
    assert_eq!(secret.leaks(&heard).len(), 5, "{:?}", secret.leaks(&heard));
    assert!(heard.batches() > 0);
}

/// The node itself, by its own commands, has not heard of the group.
fn assert_knows_nothing(node: &TestNode, secret: &Secret) {
    let groups = node.diwan(&["group", "list"]);
    assert!(!groups.to_string().contains(GROUP), "{groups}");
    node.try_diwan(&["show", &secret.record])
        .refusal(5, "unknown-record");
    node.try_diwan(&["group", "show", GROUP])
        .refusal(5, "unknown-group");
    assert!(node.search(&["personne"]).is_empty());
}

/// Case 18.
#[test]
fn a_suspended_agency_loses_its_live_stream_within_a_second() {
    let _turn = one_at_a_time();
    let secret = Secret::new();
    let peers = || secret.tn.diwan(&["status"])["peers"].clone();
    assert_eq!(peers()[0]["state"], "connected");
    secret.fr.diwan(&["trust", "suspend", "tn"]);
    let suspended = Instant::now();
    while peers()[0]["state"] == "connected" {
        assert!(suspended.elapsed() < Duration::from_secs(1), "{}", peers());
    }
    let status = secret.fr.diwan(&["status"]);
    assert_eq!(status["peers"][0]["state"], "suspended", "{status}");
    let later = secret.fr.write(GROUP, "Plus tard", BODY);
    let waiting = ["sync", "--peer", "fr", "--wait", "--timeout", "2"];
    assert_eq!(secret.tn.try_diwan(&waiting).code, 7);
    assert_eq!(secret.tn.try_diwan(&["show", &later]).code, 5);
}
