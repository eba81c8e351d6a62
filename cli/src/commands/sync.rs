//! `sync`: syncs now, and says what each peer has durably stored.

use std::time::{Duration, Instant};

use diwan_api::error::Exit;
use diwan_api::types::{PeerSync, SyncAnswer, SyncRequest};

use crate::context::Context;
use crate::error::CliError;
use crate::output::{Cell, Table, View};

/// Seconds that `--wait` waits where none are said; the node's own default.
const WAIT_SECONDS: u64 = 60;
/// What the node may need beyond the time it was given.
const MARGIN: Duration = Duration::from_secs(30);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(long, value_name = "AGENCY")]
    peer: Option<String>,
    #[arg(long)]
    wait: bool,
    #[arg(long, value_name = "SECONDS", requires = "wait", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: Option<u64>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let request = SyncRequest {
        peer: args.peer,
        wait: args.wait,
        timeout_s: args.timeout,
    };
    let seconds = args.timeout.unwrap_or(WAIT_SECONDS);
    let client = context
        .client()
        .with_patience(Duration::from_secs(seconds) + MARGIN);
    let asked = Instant::now();
    let answer = client.sync(&request).await?;
    context
        .out()
        .result(&answer, |view| render(view, &answer))
        .await?;
    if args.wait && !answer.equal {
        if let Some(seconds) = in_vain(&answer, asked.elapsed()) {
            context
                .out()
                .note("sync-not-equal", &[("seconds", seconds.into())]);
        }
        return Ok(Exit::Partly);
    }
    let offline = answer.peers.iter().filter(|peer| peer.state == "offline");
    let offline: Vec<&str> = offline.map(|peer| peer.short.as_str()).collect();
    if !offline.is_empty() {
        let peers = offline.join(", ");
        context
            .out()
            .note("sync-offline", &[("peers", peers.into())]);
        return Ok(Exit::Partly);
    }
    Ok(Exit::Done)
}

/// Seconds that were waited for a peer; none where there is no peer, which the answer says already.
fn in_vain(answer: &SyncAnswer, waited: Duration) -> Option<u64> {
    (!answer.peers.is_empty()).then_some(waited.as_secs())
}

fn render(view: &View, answer: &SyncAnswer) -> String {
    if answer.peers.is_empty() {
        return view.say("sync-no-peers", &[]) + "\n";
    }
    let mut table = Table::default();
    for peer in &answer.peers {
        table.row(row(view, peer));
    }
    let mut text = table.render("");
    for peer in &answer.peers {
        for refused in &peer.refused {
            let values = [
                ("agency", peer.short.as_str().into()),
                ("count", refused.count.into()),
                ("reason", refused.reason.as_str().into()),
            ];
            text.push_str(&view.warn(&view.say("sync-refused", &values)));
            text.push('\n');
        }
    }
    text
}

fn row(view: &View, peer: &PeerSync) -> Vec<Cell> {
    let state = view.word("state", &peer.state);
    let styled = if peer.state == "equal" {
        state.clone()
    } else {
        view.warn(&state)
    };
    let stored = [
        ("stored", peer.stored_by_peer.into()),
        ("of", peer.of.into()),
    ];
    let bytes = format!(
        "↑ {} ↓ {}",
        view.bytes(peer.bytes_sent),
        view.bytes(peer.bytes_received)
    );
    vec![
        view.name(&peer.short).into(),
        Cell::styled(state, styled),
        view.say("sync-sent", &[("count", peer.sent.into())]).into(),
        view.say("sync-received", &[("count", peer.received.into())])
            .into(),
        view.say("sync-stored", &stored).into(),
        bytes.into(),
        peer.took_ms
            .map_or_else(String::new, |took| view.span(took))
            .into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::plain;
    use diwan_api::types::Refused;

    #[test]
    fn what_each_peer_has_stored() {
        let peer = |short: &str, state: &str, stored: u64, took_ms| PeerSync {
            short: short.into(),
            peer_id: "12D3".into(),
            state: state.into(),
            sent: stored,
            received: 3,
            stored_by_peer: stored,
            of: 1204,
            refused: Vec::new(),
            bytes_sent: 4_250_000,
            bytes_received: 812,
            round_trips: 2,
            took_ms,
        };
        let mut offline = peer("tn", "offline", 0, None);
        offline.refused = vec![Refused {
            reason: "bad-signature".into(),
            count: 2,
        }];
        let nobody = SyncAnswer {
            peers: Vec::new(),
            equal: false,
        };
        let waited = Duration::from_secs(7);
        assert_eq!(in_vain(&nobody, waited), None);
        // A suspended agency is trusted, and is no peer: what is said must hold for it as well.
        insta::assert_snapshot!(render(&plain(), &nobody), @"No agency is pinned, so there is none to sync with. `diwan trust list` shows which are unverified, suspended or blocked; `diwan trust add` takes another agency's card.");
        let answer = SyncAnswer {
            peers: vec![peer("ma", "equal", 1204, Some(1830)), offline],
            equal: false,
        };
        insta::assert_snapshot!(render(&plain(), &answer), @"
        ma  complete  1204 sent  3 received  1204 of 1204 stored by the peer  ↑ 4.2 MB ↓ 812 B  1.8 s
        tn  offline   0 sent     3 received  0 of 1204 stored by the peer     ↑ 4.2 MB ↓ 812 B
        tn: 2 refused (bad-signature)
        ");
        assert_eq!(in_vain(&answer, waited), Some(7));
    }
}
