//! What the group does not let count has no effect: an entry from beyond a cut, or by somebody who
//! might not write, is in quarantine on every node that holds it.

use super::convergence::GroupDump;
use super::durable::Places;
use crate::sim::model::GroupModel;

/// The first entry that has an effect on a node and no standing in the group.
#[must_use]
pub fn without_standing(rules: &GroupModel, dump: &GroupDump, places: &Places) -> Option<String> {
    let known = GroupModel {
        // Statements that the node has not heard of cannot count there yet.
        endings: rules
            .endings
            .iter()
            .filter(|(at, _, _)| *at <= dump.height)
            .cloned()
            .collect(),
        ..rules.clone()
    };
    for (agency, writer, seq, cited) in places.values().flatten() {
        let stands = agency.is_some_and(|agency| known.stands(&agency, (writer, *seq), *cited));
        if !stands && !dump.quarantine.contains_key(&(*writer, *seq)) {
            return Some(format!(
                "entry {seq} of {} cites height {cited} and has no standing",
                writer.node.short()
            ));
        }
    }
    None
}
