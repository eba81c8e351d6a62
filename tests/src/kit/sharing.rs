//! Trust between nodes, and groups.

use super::TestNode;

impl TestNode {
    /// Exports the node's card into a file. The node must run; the file stays when it stops.
    #[track_caller]
    pub fn card(&self) -> std::path::PathBuf {
        let path = self.scratch(&format!("{}.card", self.short));
        self.diwan(&["card", "export", path.to_str().unwrap()]);
        path
    }

    /// Adds a node's card with the fingerprint that its admin read out.
    #[track_caller]
    pub fn pin(&self, other: &TestNode, card: &std::path::Path) {
        let (card, digits) = (card.to_str().unwrap(), &other.fingerprint);
        let added = self.diwan(&["trust", "add", card, "--fingerprint", digits]);
        assert_eq!(added["agencies"][0]["state"], "pinned", "{added}");
    }
}

/// Two admins exchange cards and compare fingerprints.
#[track_caller]
pub fn trust(one: &TestNode, other: &TestNode) {
    one.pin(other, &other.card());
    other.pin(one, &one.card());
}

/// Everybody trusts everybody, the first creates a group with the others as contributors, and all
/// have heard of it.
#[track_caller]
pub fn share(group: &str, nodes: &[&TestNode]) {
    let (owner, members) = nodes.split_first().expect("a group has an owner");
    for (place, node) in nodes.iter().enumerate() {
        for other in &nodes[place + 1..] {
            trust(node, other);
        }
    }
    let mut args = vec!["group", "create", group];
    args.extend(members.iter().flat_map(|m| ["--member", m.short.as_str()]));
    owner.diwan(&args);
    owner.sync(members);
}

/// Syncs every pair of these nodes, checks that they export the same bytes, and returns them.
#[track_caller]
pub fn converged(group: &str, nodes: &[&TestNode]) -> String {
    for (place, node) in nodes.iter().enumerate() {
        node.sync(&nodes[place + 1..]);
    }
    let (first, others) = nodes.split_first().expect("at least one node");
    let export = first.export(group);
    for other in others {
        assert!(
            other.export(group) == export,
            "{} and {} export different bytes",
            first.short,
            other.short
        );
    }
    export
}
