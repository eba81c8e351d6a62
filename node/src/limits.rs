//! Every bound on what strangers and peers may make this node spend, in one place: name, unit,
//! reason. What single messages may hold is bounded by [`diwan_core::limits`]; what the admin may
//! change (connections, memory) is in the configuration.

use std::num::NonZeroU8;
use std::time::Duration;

// Before the handshake

/// Handshakes that one address may start at once. Thirty nodes behind one address translator that
/// all come back after an outage pass, each dialling once over TCP or QUIC.
pub(crate) const HANDSHAKES_AT_ONCE: u32 = 40;
/// Time in which one address earns one more handshake: 15 a minute are some 15 ms of work, far
/// more than backing-off peers need, and useless for exhausting a node.
pub(crate) const HANDSHAKE_EARNED: Duration = Duration::from_secs(4);
/// Addresses remembered at once, about 64 bytes each. Beyond it the one with the most allowance
/// left is forgotten, so a flood from many addresses neither fills memory nor clears the worst.
pub(crate) const HANDSHAKE_SOURCES: usize = 4096;
/// From the first packet to an established connection. Four round trips of a bad satellite link
/// take some 6 s; a stranger holds a pending connection no longer than this.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Handshakes under way at once, of some 100 KiB each: bounds what strangers can occupy.
pub(crate) const PENDING_INCOMING: u32 = 64;

// Connections

/// Established connections to one peer: both sides may dial at once and each tries two addresses
/// at a time. All but one are closed within a round trip.
pub(crate) const CONNECTIONS_PER_PEER: u32 = 4;
/// How long a connection stays without a stream: while the deciding side opens one. Ample, as
/// opening has its own limit of 10 s.
pub(crate) const IDLE_CONNECTION: Duration = Duration::from_secs(60);
/// Streams a peer may have open on a connection. The protocol needs one; the second leaves room
/// for refusing it in order.
pub(crate) const STREAMS_PER_CONNECTION: u32 = 2;
/// Addresses of one peer that are dialled; further ones are left out. Bounds how long one dial
/// goes on, and how many connections somebody else's list of addresses can make this node attempt.
pub(crate) const DIALED_ADDRESSES: usize = 8;
/// Addresses of one peer that are dialled at once; the others follow as these fail.
pub(crate) const DIALED_AT_ONCE: NonZeroU8 = match NonZeroU8::new(2) {
    Some(two) => two,
    None => NonZeroU8::MIN,
};
/// File descriptors beside those of connections: the store, the index's segments, officers.
pub(crate) const DESCRIPTORS_BESIDE: u64 = 512;

/// Threads that read the store and the index for others: more than a small server's disk and cores
/// can serve at once. The allocator keeps a heap for each.
pub(crate) const BLOCKING_THREADS: usize = 8;

// Sessions

/// Frames read ahead of the session: then the stream's own backpressure holds the peer back.
pub(crate) const FRAMES_AHEAD: usize = 4;
/// Frames of entries of one session that are at the writer at once: they are stored together, with one
/// wait for the disk, and each is in memory decompressed.
pub(crate) const BATCHES_TOGETHER: usize = 4;
/// Frames of entries that one session takes before it looks at what else there is.
pub(crate) const BATCHES_IN_A_ROW: usize = 32;
/// Batches of entries that wait to be written: one on the wire, one ready.
pub(crate) const BATCHES_AHEAD: usize = 2;
/// Bytes that wait to be written to a peer that does not read: then the session ends. Batches of
/// entries wait for room anyway; this bounds answers to a flood of small questions.
pub(crate) const QUEUED_BYTES: usize = 32 * 1024 * 1024;
/// Bytes that wait to be written over all peers: above it, sessions end that have their share of it
/// waiting.
pub(crate) const QUEUED_BYTES_IN_ALL: usize = 128 * 1024 * 1024;
/// That share: two batches and what goes with them.
pub(crate) const QUEUED_BYTES_SHARE: usize = 4 * 1024 * 1024;

// Work in vain, by agency

/// Work in vain that an agency may cause in one go: honest nodes that race each other send the same
/// entries, and a first meeting brings chains to verify.
pub(crate) const VAIN_AT_ONCE: Duration = Duration::from_secs(5);
/// Work in vain that it earns back a second: a tenth of one core.
pub(crate) const VAIN_EARNED_PER_S: Duration = Duration::from_millis(100);
/// The least that a message in vain counts: to read it off the network costs that much.
pub(crate) const VAIN_MESSAGE: Duration = Duration::from_micros(100);
/// Waiting, with messages at hand, after which an agency's nodes are sent away.
pub(crate) const FLOOD_AFTER: Duration = Duration::from_secs(20);
/// How long they are sent away.
pub(crate) const FLOOD_AWAY: Duration = Duration::from_secs(60);

// Judging

/// Records of one agency that may wait to be judged: further frames of its nodes wait until there are
/// fewer. At some 2 ms each they are done within seconds.
pub(crate) const DUE_RECORDS: u64 = 2_048;
/// For how long a commit judges besides its jobs: so much later are these answered.
pub(crate) const JUDGED_BESIDE: Duration = Duration::from_millis(20);
/// For how long a commit judges when nobody asked for anything. It ends earlier where somebody does.
pub(crate) const JUDGED_PER_COMMIT: Duration = Duration::from_millis(100);
/// Records that are judged at once, with their changes in memory; each core has one document in
/// memory at a time.
pub(crate) const JUDGED_TOGETHER: usize = 16;
/// Bytes of changes beyond which no further record is judged at the same time: one alone may hold
/// more.
pub(crate) const JUDGED_TOGETHER_BYTES: usize = 1024 * 1024;
