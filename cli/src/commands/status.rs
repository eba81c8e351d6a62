//! `status`: the node, its peers, and what its admin must look at.

use diwan_api::error::Exit;
use diwan_api::types::{PeerStatus, Status};

use crate::context::Context;
use crate::error::CliError;
use crate::output::{Cell, Table, View};

pub(crate) async fn run(context: &Context) -> Result<Exit, CliError> {
    let status = context.client().status().await?;
    context
        .out()
        .result(&status, |view| render(view, &status))
        .await?;
    Ok(Exit::Done)
}

fn render(view: &View, status: &Status) -> String {
    let heading = format!(
        "{} · {} · {}",
        view.name(&status.name),
        view.name(&status.short),
        view.name(&status.country)
    );
    let mut text = format!("{}\n", view.bold(&heading));
    for alarm in &status.alarms {
        text.push_str(&view.warn(&format!("! {}", said_alarm(view, alarm))));
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&facts(view, status).render("  "));
    text.push('\n');
    if status.peers.is_empty() {
        text.push_str(&view.say("status-no-peers", &[]));
        text.push('\n');
    } else {
        text.push_str(&view.bold(&view.say("status-peers", &[])));
        text.push('\n');
        text.push_str(&peers(view, &status.peers).render("  "));
    }
    text
}

fn facts(view: &View, status: &Status) -> Table {
    let mut table = Table::default();
    let mut fact = |key: &str, value: String| table.row([view.say(key, &[]).into(), value.into()]);
    fact("status-records", status.records.to_string());
    fact("status-entries", status.entries.to_string());
    fact("status-attachments", status.attachments.to_string());
    fact("status-groups", status.groups.to_string());
    let index = if status.index.lag == 0 {
        view.say("status-index-current", &[])
    } else {
        view.say("status-index-behind", &[("count", status.index.lag.into())])
    };
    fact("status-index", index);
    if status.quarantined > 0 {
        fact("status-quarantined", status.quarantined.to_string());
    }
    for address in &status.listen {
        fact("status-listening", view.name(address));
    }
    fact("status-peer-id", view.name(&status.peer_id));
    fact("status-version", view.name(&status.version));
    table
}

fn peers(view: &View, peers: &[PeerStatus]) -> Table {
    let mut table = Table::default();
    for peer in peers {
        let state = view.word("state", &peer.state);
        let styled = if peer.state == "connected" {
            state.clone()
        } else {
            view.warn(&state)
        };
        let since = peer.since.as_deref().map_or_else(String::new, |since| {
            view.say("since", &[("time", view.time(since).into())])
        });
        table.row([
            view.name(&peer.short).into(),
            Cell::styled(state, styled),
            since.into(),
            view.name(peer.reason.as_deref().unwrap_or_default()).into(),
        ]);
    }
    table
}

/// An alarm is a key of the catalogue and a detail behind it.
fn said_alarm(view: &View, alarm: &str) -> String {
    let (key, detail) = alarm.split_once([' ', ':']).unwrap_or((alarm, ""));
    if view.has(key) {
        view.say(key, &[("detail", detail.trim().into())])
    } else {
        view.name(alarm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::plain;
    use diwan_api::types::IndexStatus;

    pub(super) fn sample() -> Status {
        let peer = |short: &str, state: &str, reason: Option<&str>| PeerStatus {
            agency: "aa".into(),
            short: short.into(),
            peer_id: "12D3KooWPeer".into(),
            state: state.into(),
            since: Some("2026-11-23T22:40:38Z".into()),
            reason: reason.map(str::to_owned),
        };
        Status {
            agency: "11".into(),
            short: "tn".into(),
            name: "Police judiciaire".into(),
            country: "TN".into(),
            peer_id: "12D3KooWSelf".into(),
            incarnation: "0a".into(),
            listen: vec!["/ip4/127.0.0.1/tcp/7431".into()],
            records: 1204,
            entries: 1330,
            attachments: 0,
            peers: vec![
                peer("fr", "connected", None),
                peer("ma", "offline", Some("connection refused\u{1b}[2J")),
            ],
            groups: 2,
            index: IndexStatus {
                seq: 7,
                lag: 3,
                learned: 7,
            },
            store_seq: 10,
            quarantined: 1,
            alarms: vec!["equivocation ma".into()],
            version: "0.1.0".into(),
        }
    }

    #[test]
    fn status_at_a_glance() {
        insta::assert_snapshot!(render(&plain(), &sample()), @"
        Police judiciaire · tn · TN
        ! equivocation ma

          records       1204
          entries       1330
          attachments   0
          groups        2
          search        3 changes behind
          quarantined   1
          listening on  /ip4/127.0.0.1/tcp/7431
          peer id       12D3KooWSelf
          version       0.1.0

        Agencies
          fr  connected  since 2026-11-23 22:40 UTC
          ma  offline    since 2026-11-23 22:40 UTC  connection refused�[2J
        ");
    }

    #[test]
    fn a_node_alone_says_what_to_do() {
        let alone = Status {
            peers: Vec::new(),
            alarms: Vec::new(),
            quarantined: 0,
            ..sample()
        };
        insta::assert_snapshot!(render(&plain(), &alone), @"
        Police judiciaire · tn · TN

          records       1204
          entries       1330
          attachments   0
          groups        2
          search        3 changes behind
          listening on  /ip4/127.0.0.1/tcp/7431
          peer id       12D3KooWSelf
          version       0.1.0

        No agency is trusted yet. `diwan card export` writes your card, `diwan trust add` takes another agency's, `diwan trust verify` pins it once its fingerprint was compared; `diwan trust list` shows which wait for that.
        ");
    }
}
