//! One mutant at the real gate, and the laws that it is held to.

use std::time::Duration;

use automerge::{Automerge, ROOT, ReadDoc};
use diwan_core::id::EntryHash;
use diwan_core::record::{
    AuthoredChange, ChangeReason, Content, Edit, Gate, Materialised, change_payloads, document,
    materialise,
};

use super::meter::{Memory, cpu, panics_of};
use super::scene::{self, Scene};
use super::{Mutant, Stand};
use crate::kit::Random;

/// A refusal that takes longer is measured again.
const SUSPICIOUS: Duration = Duration::from_millis(1);

/// Growth of memory, in mebibytes, that is measured again: the honest changes of a long text alone
/// take more.
const NOTABLE_MB: f64 = 16.0;

/// What became of a mutant.
#[derive(Clone, Debug, Default)]
pub(super) struct Verdict {
    /// Why it was refused; none where it was applied.
    pub(super) refused: Option<ChangeReason>,
    /// Panics, those inside the gate included.
    pub(super) panics: u64,
    /// The record's document would not load again, or not as the same.
    pub(super) is_unreloadable: bool,
    /// Two orders of arrival gave two records.
    pub(super) is_divergent: bool,
    /// An honest change of somebody else was refused because of it.
    pub(super) is_harmful: bool,
    /// The record can no longer be edited.
    pub(super) is_stuck: bool,
    /// Peak memory beyond what the honest changes take.
    pub(super) growth_mb: f64,
    /// Peak memory of the process.
    pub(super) peak_mb: f64,
    /// CPU time that a refused one took, beyond what the honest changes take.
    pub(super) refusal: Duration,
}

/// Tries a mutant in the place of an honest change, then among all honest changes.
pub(super) fn judge(scene: &Scene, stand: &Stand, mutant: &Mutant, random: &mut Random) -> Verdict {
    let mutant = scene::authored(stand.writer, mutant.payload.clone());
    let mut changes = stand.before.clone();
    changes.push(mutant.clone());
    let mut verdict = Verdict::default();
    let memory = Memory::start();
    let (first, mut panics) = panics_of(|| timed(scene, &changes));
    verdict.growth_mb = memory.growth_mb();
    verdict.peak_mb = Memory::peak_mb();
    if verdict.growth_mb > NOTABLE_MB {
        verdict.growth_mb = growth_beyond_honest(scene, stand, &changes, verdict.growth_mb);
    }
    let (first, took) = first.unwrap_or_else(|| (nothing(scene), Duration::ZERO));
    verdict.refused = reason(&first, &mutant.entry);
    verdict.is_harmful |= harms(&first, stand, &changes, &mutant);
    if verdict.refused.is_some() {
        verdict.refusal = took.saturating_sub(stand.honest_cost(scene));
        if verdict.refusal >= SUSPICIOUS {
            verdict.refusal = refusal_cost(scene, stand, &mutant, took);
        }
    }
    changes.reverse();
    // What is no change at all is refused before any order matters: a sample of those will do.
    let is_read = !matches!(
        verdict.refused,
        Some(ChangeReason::Malformed | ChangeReason::ChunkType | ChangeReason::TooLarge)
    );
    if is_read || random.below(8) == 0 {
        let (second, more) = panics_of(|| materialise(&scene.genesis, &scene.record, &changes));
        panics += more;
        verdict.is_divergent |= second.as_ref() != Some(&first);
    }
    // Among all honest changes, those behind the one whose place it takes included.
    if verdict.refused.is_none() || random.below(8) == 0 {
        let mut all = [stand.rest.as_slice(), &changes].concat();
        let (one, more) = panics_of(|| materialise(&scene.genesis, &scene.record, &all));
        panics += more;
        let by = random.below(all.len() as u64) as usize;
        all.rotate_left(by);
        let (other, more) = panics_of(|| materialise(&scene.genesis, &scene.record, &all));
        panics += more;
        verdict.is_divergent |= one != other || one.is_none();
        verdict.is_harmful |= one.is_some_and(|one| harms(&one, stand, &all, &mutant));
    }
    if verdict.refused.is_none() {
        let (sound, more) = panics_of(|| reloads(scene, &changes, &first.content));
        panics += more;
        verdict.is_unreloadable = sound != Some(true);
        let (edited, more) = panics_of(|| can_be_edited(scene, &changes));
        panics += more;
        verdict.is_stuck = edited != Some(true);
    }
    verdict.panics = panics;
    verdict
}

fn timed(scene: &Scene, changes: &[AuthoredChange]) -> (Materialised, Duration) {
    let before = cpu();
    let made = materialise(&scene.genesis, &scene.record, changes);
    (made, cpu() - before)
}

/// What a refused change costs by itself: the gate is brought to where the honest changes passed,
/// and judges this one alone; the middle of three. The difference of two whole calls, with the change and
/// without, says no such thing of a long text: there it is one part in hundreds of either, less than what
/// else the machine does to both.
fn refusal_cost(
    scene: &Scene,
    stand: &Stand,
    mutant: &AuthoredChange,
    first: Duration,
) -> Duration {
    let mut alone: Vec<Option<Duration>> = (0..3)
        .map(|_| {
            let mut gate = Gate::behind(&scene.genesis, &scene.record, &stand.before);
            let before = cpu();
            let refused = gate.refuses(mutant);
            refused.map(|_| cpu() - before)
        })
        .collect();
    alone.sort_unstable();
    // What only Automerge refuses costs the record's other changes a second time.
    let late = first.saturating_sub(stand.honest_cost(scene));
    alone.get(1).copied().flatten().unwrap_or(late)
}

/// Memory that a mutant takes beyond the honest changes: the least of three, because what the
/// allocator keeps from call to call comes and goes.
fn growth_beyond_honest(scene: &Scene, stand: &Stand, with: &[AuthoredChange], first: f64) -> f64 {
    let growth = |changes: &[AuthoredChange]| {
        let memory = Memory::start();
        let made = panics_of(|| timed(scene, changes));
        let grown = memory.growth_mb();
        drop(made);
        grown
    };
    let rounds = (0..3).map(|_| (growth(&stand.before), growth(with)));
    let rounds: Vec<_> = rounds.collect();
    let honest = rounds.iter().map(|(honest, _)| *honest).fold(0.0, f64::max);
    rounds.iter().map(|(_, with)| *with).fold(first, f64::min) - honest
}

fn reason(made: &Materialised, entry: &EntryHash) -> Option<ChangeReason> {
    let refused = made.refused.iter().find(|(refused, _)| refused == entry);
    refused.map(|(_, reason)| *reason)
}

/// Whether a change of somebody else is refused. Those that build on the mutant's rival may wait.
fn harms(
    made: &Materialised,
    stand: &Stand,
    all: &[AuthoredChange],
    mutant: &AuthoredChange,
) -> bool {
    let others = all
        .iter()
        .filter(|change| change.entry != mutant.entry && change.writer.node.0[0] != stand.writer);
    others
        .filter_map(|change| reason(made, &change.entry))
        .any(|reason| reason != ChangeReason::Waiting)
}

/// Whether the document loads again, and says the same.
fn reloads(scene: &Scene, changes: &[AuthoredChange], content: &Content) -> bool {
    let Some(saved) = document(&scene.genesis, &scene.record, changes) else {
        return false;
    };
    let Ok(doc) = Automerge::load(&saved) else {
        return false;
    };
    let Ok(again) = Automerge::load(&doc.save()) else {
        return false;
    };
    let text = |doc: &Automerge, key: &str| {
        let (_, texts) = doc.get(ROOT, "texts").ok()??;
        let (_, object) = doc.get(&texts, key).ok()??;
        doc.text(&object).ok()
    };
    // Texts that no change concerns are not in the document.
    let same_texts = content.texts.iter().all(|(key, said)| {
        let (one, two) = (text(&doc, key), text(&again, key));
        one == two && one.is_none_or(|text| text == *said)
    });
    doc.get_heads() == again.get_heads() && same_texts
}

/// Whether somebody else can write on, and is heard.
fn can_be_edited(scene: &Scene, changes: &[AuthoredChange]) -> bool {
    let mut edit = Edit::default();
    edit.texts
        .insert("title.fr".into(), Some("Un autre titre".into()));
    edit.values.insert("note".into(), Some("lu".into()));
    let writer = scene::writer(77);
    let (genesis, record) = (&scene.genesis, &scene.record);
    let Ok(written) = change_payloads(genesis, record, changes, None, &edit, &writer) else {
        return false;
    };
    let written = written
        .into_iter()
        .map(|payload| scene::authored(77, payload));
    let all: Vec<_> = changes.iter().cloned().chain(written).collect();
    let made = materialise(genesis, record, &all);
    made.content
        .texts
        .get("title.fr")
        .is_some_and(|title| title == "Un autre titre")
        && made.content.value("note") == Some("lu")
}

/// What stands where a call ended in a panic.
fn nothing(scene: &Scene) -> Materialised {
    materialise(&scene.genesis, &scene.record, &[])
}

impl Stand {
    /// CPU time of the honest changes alone; measured once.
    fn honest_cost(&self, scene: &Scene) -> Duration {
        *self.honest_cost.get_or_init(|| {
            let all = (0..5).map(|_| timed(scene, &self.before).1);
            all.min().unwrap_or_default()
        })
    }
}
