//! What words are called in other languages, kept up to date behind the store: by the vocabularies, and by
//! what the multilingual records teach. In its own time, on a thread of low priority: searches use what is
//! known by then.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use diwan_core::id::{AgencyId, GroupId};
use diwan_core::record::{Content, TEXT_FIELDS, TRANSLATION};
use diwan_core::replica::Replica;
use tokio::sync::watch;
use tokio::time::Instant;

use super::indexer::{NICENESS, READ_TOGETHER, quiet, wish};
use super::{Engine, EngineError, State};
use crate::index::{Expansions, Learner, Parallel, Thesaurus};
use crate::store::{Reading, RecordState, StoreError};
use crate::vocabulary::{Concept, Source, THEMES, glossary, is_of_vocabulary};

/// Translations that are annotations and that teach.
const TRANSLATIONS_MAX: usize = 20_000;
/// The newest records that are looked at.
const RECORDS: usize = 200_000;
/// How long it rests at least between two times.
const REST: Duration = Duration::from_secs(10);
/// How many times as long as it worked it rests, unless somebody waits.
const REST_BY_WORK: u32 = 20;

/// The running follower. Cheap to clone.
#[derive(Clone)]
pub struct Expander {
    known: watch::Receiver<Known>,
    /// The newest store sequence that somebody waits for.
    wanted: watch::Sender<u64>,
}

#[derive(Clone, Default)]
struct Known {
    seq: u64,
    expansions: Arc<Expansions>,
}

impl Expander {
    /// Starts following. The follower ends when the engine does.
    #[must_use]
    pub fn start(engine: Engine) -> Self {
        let (publish, known) = watch::channel(Known::default());
        let (wanted, wishes) = watch::channel(0);
        tokio::spawn(follow(engine, publish, wishes));
        Self { known, wanted }
    }

    /// What is known by now.
    #[must_use]
    pub fn expansions(&self) -> Arc<Expansions> {
        self.known.borrow().expansions.clone()
    }

    /// Waits until searches are widened by all that a store sequence covers; the follower does not rest meanwhile. False
    /// where it has ended.
    pub async fn wait_for(&self, seq: u64) -> bool {
        wish(&self.wanted, seq);
        let mut known = self.known.clone();
        known.wait_for(|known| known.seq >= seq).await.is_ok()
    }

    /// The store sequence that it covers.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.known.borrow().seq
    }
}

/// Whose records count: this agency's groups, without the agencies that it blocked.
type Audience = (BTreeSet<GroupId>, BTreeSet<AgencyId>);

fn audience(replica: &Replica) -> Audience {
    let me = replica.me().agency;
    let groups = replica.groups().iter();
    let own = groups.filter(|(_, group)| group.chain.role(&me).is_some());
    let blocked = replica.agencies().keys();
    let blocked = blocked.filter(|agency| replica.trust().is_blocked(agency));
    (own.map(|(id, _)| *id).collect(), blocked.copied().collect())
}

async fn follow(engine: Engine, publish: watch::Sender<Known>, mut wishes: watch::Receiver<u64>) {
    let mut state = engine.watch();
    let mut done: Option<(u64, Audience)> = None;
    loop {
        let now = state.borrow_and_update().clone();
        let wanted = (now.store_seq, audience(&now.replica));
        if done.as_ref() != Some(&wanted) {
            quiet(&mut state, |now: &Arc<State>| now.store_seq, Instant::now()).await;
            let began = Instant::now();
            let engine = engine.clone();
            match apart(move || learn(&engine)).await {
                Some(Ok((seq, known))) => {
                    let expansions = Arc::new(known);
                    publish.send_replace(Known { seq, expansions });
                    done = Some((seq, audience(&state.borrow().replica)));
                }
                Some(Err(error)) => {
                    tracing::error!(%error, "learning what words are in other languages failed");
                    done = Some(wanted);
                }
                None => return,
            }
            let rest = REST.max(began.elapsed() * REST_BY_WORK);
            if let Some((seq, _)) = &done
                && *seq > 0
            {
                tokio::select! {
                    () = tokio::time::sleep(rest) => {}
                    Ok(_) = wishes.wait_for(|wanted| wanted > seq) => {}
                }
            }
        } else if state.changed().await.is_err() {
            return;
        }
        if publish.is_closed() {
            return;
        }
    }
}

/// Runs work on a thread of its own, of low priority. None where it broke.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (done, outcome) = tokio::sync::oneshot::channel();
    // Without a name it would have that of the thread that starts it, one of those that serve.
    let thread = std::thread::Builder::new().name("learner".to_owned());
    let started = thread.spawn(move || {
        if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
            tracing::warn!(%error, "learning runs at the priority of everything else");
        }
        let _ = done.send(work());
    });
    if let Err(error) = started {
        tracing::warn!(%error, "no thread to learn on");
    }
    outcome.await.ok()
}

fn learn(engine: &Engine) -> Result<(u64, Expansions), EngineError> {
    let reading = engine.read()?;
    let (groups, blocked) = audience(&engine.state().replica);
    let counts =
        |group: &GroupId, origin: &AgencyId| groups.contains(group) && !blocked.contains(origin);
    let mut thesaurus = Thesaurus::default();
    let vocabulary = engine.vocabularies().at(&reading)?;
    let sees = |source: &Source| counts(&source.group, &source.origin);
    let themes = vocabulary.concepts(THEMES, &sees);
    let themes: BTreeSet<&str> = themes.filter_map(|one| one.notation.as_deref()).collect();
    let mut learner = Learner::default();
    for labels in glossary() {
        let preferred = labels.clone().filter(|(.., preferred)| *preferred);
        let preferred = preferred.map(|(lang, label, _)| (lang.to_owned(), label.to_owned()));
        learner.take_labels(&preferred.collect());
        thesaurus.add_term(labels);
    }
    for concept in vocabulary.all_concepts(&sees) {
        learner.take_labels(&concept.title);
        let notation = concept.notation.as_deref();
        thesaurus.add(
            labels(concept),
            notation.filter(|name| themes.contains(name)),
        );
    }
    let seq = reading.store_seq()?;
    drop(reading);
    let mut lessons = Lessons {
        learner,
        parallel: Parallel::default(),
        translations: Vec::new(),
    };
    let (mut before, mut looked_at) = (u64::MAX, 0);
    while looked_at < RECORDS && !lessons.learner.is_full() {
        let Some(last) = lessons.take_records(engine, before, &counts)? else {
            break;
        };
        before = last;
        looked_at += READ_TOGETHER;
    }
    lessons.take_pairs(engine, &counts)?;
    let lexicon = lessons.learner.learn();
    tracing::debug!(
        concepts = thesaurus.len(),
        words = lexicon.len(),
        "words across languages"
    );
    Ok((seq, Expansions { thesaurus, lexicon }))
}

/// What records teach.
struct Lessons {
    learner: Learner,
    /// Records of one language each.
    parallel: Parallel,
    /// A translation that is an annotation, the record that it is about, and the language that it is from.
    translations: Vec<(u64, u64, String)>,
}

impl Lessons {
    /// Takes the records below a number, the newest first; gives the last number that was looked at, if any.
    fn take_records(
        &mut self,
        engine: &Engine,
        before: u64,
        counts: &dyn Fn(&GroupId, &AgencyId) -> bool,
    ) -> Result<Option<u64>, EngineError> {
        let reading = engine.read()?;
        let (mut last, mut count) = (None, 0);
        reading.newest_records(before, |num, row| {
            if count == READ_TOGETHER {
                return Ok(ControlFlow::Break(()));
            }
            count += 1;
            last = Some(num);
            let is_seen = counts(&row.group, &row.origin) && row.state != RecordState::Hidden;
            if is_seen && !is_of_vocabulary(&row.kind) {
                let content = reading.content(num, &row)?.unwrap_or_default();
                self.take(&reading, num, &row.kind, &content)?;
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(last)
    }

    fn take(
        &mut self,
        reading: &Reading,
        num: u64,
        kind: &str,
        content: &Content,
    ) -> Result<(), StoreError> {
        if kind == TRANSLATION {
            let about = content.about().map(|about| reading.record_num(&about));
            let about = about.transpose()?;
            if let (Some(about), Some(from)) = (about.flatten(), content.value("from"))
                && self.translations.len() < TRANSLATIONS_MAX
            {
                self.translations.push((num, about, from.to_owned()));
            }
            return Ok(());
        }
        let languages = content.languages();
        match (languages.len(), languages.first()) {
            (1, Some(only)) => {
                let texts: Vec<&str> = content.texts.values().map(String::as_str).collect();
                self.parallel.take(num, only, &texts);
            }
            _ => self.take_texts(content),
        }
        Ok(())
    }

    fn take_texts(&mut self, content: &Content) {
        for field in TEXT_FIELDS {
            self.learner.take(&content.texts_of(field));
        }
    }

    /// Takes the pairs of records that are translations of each other.
    fn take_pairs(
        &mut self,
        engine: &Engine,
        counts: &dyn Fn(&GroupId, &AgencyId) -> bool,
    ) -> Result<(), EngineError> {
        let reading = engine.read()?;
        let texts = |num: u64| -> Result<Content, StoreError> {
            let row = reading.record(num)?;
            let row = row.filter(|row| counts(&row.group, &row.origin));
            let content = row.map(|row| reading.content(num, &row)).transpose()?;
            Ok(content.flatten().unwrap_or_default())
        };
        for (translation, about, from) in std::mem::take(&mut self.translations) {
            let (mut content, source) = (texts(translation)?, texts(about)?);
            for field in TEXT_FIELDS {
                let mut of_field = source.texts_of(field);
                of_field.retain(|lang, _| *lang == from);
                content.set_texts(field, &of_field);
            }
            self.take_texts(&content);
        }
        for (one, other) in self.parallel.pairs() {
            let mut content = texts(one)?;
            content.texts.extend(texts(other)?.texts);
            self.take_texts(&content);
        }
        Ok(())
    }
}

/// The labels of a concept with their languages, preferred ones first.
fn labels(concept: &Concept) -> impl Iterator<Item = (&str, &str, bool)> {
    let preferred = concept
        .title
        .iter()
        .map(|(lang, label)| (lang, label, true));
    let others = [&concept.alternative, &concept.hidden]
        .into_iter()
        .flatten();
    let others = others.flat_map(|(lang, labels)| labels.lines().map(move |label| (lang, label)));
    preferred
        .map(|(lang, label, preferred)| (lang.as_str(), label.as_str(), preferred))
        .chain(others.map(|(lang, label)| (lang.as_str(), label, false)))
}
