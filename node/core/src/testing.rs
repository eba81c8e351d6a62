//! Builders for tests: agencies, groups and logs from fixed seeds, so that a failure repeats itself.

use zeroize::Zeroizing;

use crate::group::{self, Cut, GroupBody, GroupChain, GroupStatement, Member, Role};
use crate::id::{AgencyId, EntryHash, GroupId, Incarnation, NodeKey, RecordId, Writer};
use crate::identity::{self, AgencyBody, AgencyChain, AgencyStatement, Capabilities};
use crate::log::{Entry, Header, LogHead, Payload, PayloadKind, Range};
use crate::verify::{self, Verified};
use crate::wire::{self, Domain, SignatureBy, Signed, Signing};

/// A key; keys of different seeds differ.
pub(crate) fn key(seed: u16) -> Signing {
    let mut bytes = Zeroizing::new([0x42; 32]);
    bytes[..2].copy_from_slice(&seed.to_be_bytes());
    Signing::from_seed(&bytes)
}

/// Small numbers from a seed (splitmix64), for orders of arrival that repeat.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % sides.max(1) as u64).unwrap()
    }
}

/// An agency with its root key and its chain.
pub(crate) struct Agency {
    n: u16,
    pub(crate) root: Signing,
    pub(crate) chain: AgencyChain,
}

impl Agency {
    /// Agency `n` with its genesis only.
    pub(crate) fn bare(n: u16) -> Self {
        let root = key(n * 100);
        let genesis = AgencyStatement::genesis(identity::Genesis {
            root: root.public(),
            name: format!("Agence n° {n} · وكالة"),
            country: "FR".into(),
            short: format!("agency-{n}"),
            nonce: [u8::try_from(n).unwrap(); 16],
        });
        let chain = verify::agency_chain(&[genesis.sign(&root)]).unwrap();
        Self {
            n,
            root,
            chain: chain.into_inner(),
        }
    }

    /// Agency `n` with one node that may do everything.
    pub(crate) fn new(n: u16) -> Self {
        let mut agency = Self::bare(n);
        agency.certify(0, Capabilities::ALL);
        agency
    }

    pub(crate) fn id(&self) -> AgencyId {
        self.chain.id()
    }

    /// The key of its node `i`.
    pub(crate) fn node(&self, i: u16) -> Signing {
        key(self.seed(i))
    }

    /// The seed of the key of its node `i`.
    pub(crate) fn seed(&self, i: u16) -> u16 {
        self.n * 100 + 1 + i
    }

    /// Certifies its node `i`, or changes what it may do.
    pub(crate) fn certify(&mut self, i: u16, capabilities: Capabilities) {
        let node = self.node(i).public();
        self.say(AgencyBody::CertifyNode(node, capabilities));
    }

    /// Adds a statement to the chain and returns its bytes.
    pub(crate) fn say(&mut self, body: AgencyBody) -> Vec<u8> {
        let bytes = self.chain.next(body).sign(&self.root);
        let step = verify::agency_statement(Some(&self.chain), &bytes).unwrap();
        self.chain = step.into_inner().chain;
        bytes
    }

    /// All its statements.
    pub(crate) fn statements(&self) -> Vec<Vec<u8>> {
        self.chain.statements_from(0).cloned().collect()
    }

    /// Its chain, verified anew.
    pub(crate) fn verified(&self) -> Verified<AgencyChain> {
        verify::agency_chain(&self.statements()).unwrap()
    }
}

/// The chains of agencies, as verification wants them.
pub(crate) fn chains(agencies: &[&Agency]) -> std::collections::BTreeMap<AgencyId, AgencyChain> {
    let chain = |agency: &&Agency| (agency.id(), agency.chain.clone());
    agencies.iter().map(chain).collect()
}

/// A member with a role.
pub(crate) fn member(agency: &Agency, role: Role) -> Member {
    Member {
        agency: agency.id(),
        role,
    }
}

/// A group's genesis.
pub(crate) fn group_genesis(name: &str, threshold: u32, members: &[Member]) -> GroupStatement {
    GroupStatement::genesis(group::Genesis {
        name: name.into(),
        tlp: "GREEN".into(),
        threshold,
        members: members.to_vec(),
        nonce: [9; 16],
    })
}

/// A group's statement with the signatures of several nodes below it.
pub(crate) fn signed_by(statement: &GroupStatement, nodes: &[&Signing]) -> Vec<u8> {
    envelope(Domain::GroupStatement, wire::encode(statement), nodes)
}

/// A body with these signatures below it.
pub(crate) fn envelope(domain: Domain, body: Vec<u8>, keys: &[&Signing]) -> Vec<u8> {
    let by = |key: &&Signing| SignatureBy {
        key: key.public(),
        signature: key.sign(domain, &body),
    };
    let signatures = keys.iter().map(by).collect();
    wire::encode(&Signed { body, signatures })
}

/// A group that its first member owns, founded by that agency's node 0.
pub(crate) fn group_of(owner: &Agency, others: &[(&Agency, Role)]) -> GroupChain {
    let mut members = vec![member(owner, Role::Owner)];
    members.extend(others.iter().map(|(agency, role)| member(agency, *role)));
    let owners = members.iter().filter(|member| member.role == Role::Owner);
    let majority = u32::try_from(owners.count() / 2 + 1).unwrap();
    let bytes = group_genesis("Échanges cyber", majority, &members).sign(&owner.node(0));
    let step = verify::group_genesis(&chains(&[owner]), &bytes).unwrap();
    step.into_inner().chain
}

/// The group with one more statement, signed by its only owner.
pub(crate) fn then(chain: &GroupChain, owner: &Agency, body: GroupBody) -> GroupChain {
    let bytes = chain.next(body).sign(&owner.node(0));
    let step = verify::group_statement(chain, &chains(&[owner]), &bytes).unwrap();
    step.into_inner().chain
}

/// The writer of agency's node `i`, in its first incarnation.
pub(crate) fn writer(agency: &Agency, i: u16) -> Writer {
    Writer {
        node: agency.node(i).public(),
        incarnation: Incarnation(1),
    }
}

/// Writes a log: each entry is a small first version, and each batch ends on a signature.
pub(crate) struct Pen {
    pub(crate) signing: Signing,
    pub(crate) incarnation: Incarnation,
    pub(crate) group: GroupId,
    pub(crate) height: u32,
    pub(crate) head: Option<LogHead>,
    /// Makes the texts of two pens differ.
    pub(crate) ink: u64,
}

impl Pen {
    pub(crate) fn new(signing: Signing, group: GroupId) -> Self {
        Self {
            signing,
            incarnation: Incarnation(1),
            group,
            height: 0,
            head: None,
            ink: 0,
        }
    }

    pub(crate) fn writer(&self) -> Writer {
        Writer {
            node: self.signing.public(),
            incarnation: self.incarnation,
        }
    }

    /// The next entries, signed at the end.
    pub(crate) fn write(&mut self, count: usize) -> Vec<Entry> {
        let mut entries: Vec<Entry> = (0..count).map(|_| self.entry()).collect();
        if let Some(last) = entries.last_mut() {
            last.signature = Some(self.signing.sign(Domain::Entry, &last.header.to_bytes()));
        }
        entries
    }

    /// The next entries, as a range.
    pub(crate) fn range(&mut self, count: usize) -> Range {
        Range::of(&self.write(count), None).unwrap()
    }

    fn entry(&mut self) -> Entry {
        let seq = self.head.map_or(0, |head| head.seq) + 1;
        let node = self.signing.public().short();
        let text = format!("entry {seq} of {node}, ink {}", self.ink);
        let payload = Payload::new([u8::try_from(seq % 251).unwrap(); 16], text.into_bytes());
        let header = Header {
            group: self.group,
            record: RecordId(payload.hash()),
            writer: self.writer(),
            seq,
            previous: self.head.map_or(EntryHash([0; 32]), |head| head.hash),
            height: self.height,
            wall_ms: seq * 1_000,
            kind: PayloadKind::Genesis,
            payload_len: u32::try_from(payload.bytes.len()).unwrap(),
            payload_hash: payload.hash(),
        };
        let hash = header.hash();
        self.head = Some(LogHead { seq, hash });
        Entry {
            header,
            payload: Some(payload),
            signature: None,
        }
    }
}

/// A cut behind an entry.
pub(crate) fn cut(writer: Writer, head: LogHead) -> Cut {
    Cut {
        writer,
        seq: head.seq,
        head: head.hash,
    }
}

/// A node key that nobody has.
pub(crate) fn stranger() -> NodeKey {
    key(60_000).public()
}
