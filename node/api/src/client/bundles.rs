//! Importing STIX bundles, MISP files and vocabularies. The objects of all bundles become records first; when their ids are known, the
//! relationships between them become links.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::Client;
use super::import::{BATCH_BYTES, Gathering, Import, ImportError, Outcome, SkippedFor, apart};
use crate::document::{Bundle, BundleForm, Format, Item, ScanError, SkipReason, read_bundle};
use crate::error::{ApiError, ErrorCode};
use crate::types::{Draft, IMPORT_BATCH_DRAFTS, ImportBatch, ImportOutcome, RecordLink};

/// Bytes of one bundle.
const BUNDLE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Folders below a folder that was named.
const DEPTH_MAX: usize = 16;
/// Bundles of one import.
const BUNDLES_MAX: usize = 10_000;

/// The bundles among the paths, and the paths that are none.
pub(super) fn bundles(request: &Import) -> Result<(Vec<PathBuf>, Vec<PathBuf>), ImportError> {
    let is_bundle = |path: &Path| BundleForm::of(path).is_some();
    match request.options.format {
        Format::Auto => {
            let named = request.paths.iter().cloned();
            Ok(named.partition(|path| path.is_file() && is_bundle(path)))
        }
        Format::Bundles => {
            let mut found = Vec::new();
            for path in &request.paths {
                let metadata = fs::metadata(path).map_err(|error| match error.kind() {
                    std::io::ErrorKind::NotFound => ScanError::Missing { path: told(path) },
                    _ => ScanError::Unreadable {
                        path: told(path),
                        detail: error.to_string(),
                    },
                })?;
                if metadata.is_dir() {
                    below(path, 0, &mut found);
                } else {
                    found.push(path.clone());
                }
            }
            if found.is_empty() {
                return Err(nothing(request).into());
            }
            Ok((found, Vec::new()))
        }
        Format::Markdown | Format::JsonLines => Ok((Vec::new(), request.paths.clone())),
    }
}

fn nothing(request: &Import) -> ScanError {
    ScanError::NothingFound {
        path: request
            .paths
            .first()
            .map(|path| told(path))
            .unwrap_or_default(),
    }
}

fn told(path: &Path) -> String {
    path.display().to_string()
}

/// Such files below a folder in the order of their names; links are not followed.
fn below(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let Ok(metadata) = fs::symlink_metadata(&path) else {
            continue;
        };
        if metadata.is_dir() && depth < DEPTH_MAX {
            below(&path, depth + 1, found);
        } else if metadata.is_file() && BundleForm::of(&path).is_some() && found.len() < BUNDLES_MAX
        {
            found.push(path);
        }
    }
}

/// An object, the bundle that it is from, and what became of it.
struct Taken {
    source: String,
    object: Item,
    record: Option<(String, Outcome)>,
}

/// Imports bundles.
pub(super) async fn import(
    client: &Client,
    request: &Import,
    bundles: Vec<PathBuf>,
    gathering: &mut Gathering<'_>,
) -> Result<(), ImportError> {
    let mut objects: Vec<Taken> = Vec::new();
    let mut places = BTreeMap::<String, usize>::new();
    let mut links = BTreeMap::<(String, String, String), String>::new();
    for path in bundles {
        let source = path.display().to_string();
        match apart(move || read(&path)).await? {
            Err(reason) => gathering.skip(source, SkippedFor::Document(reason)),
            Ok(bundle) => {
                gathering.report.files += 1;
                tell(&bundle, &source, gathering);
                for link in bundle.links {
                    links.entry(link).or_insert_with(|| source.clone());
                }
                for object in bundle.objects {
                    keep(&mut objects, &mut places, object, &source);
                }
            }
        }
    }
    send(client, request, &mut objects, gathering).await?;
    let ids: BTreeMap<&str, &str> = objects
        .iter()
        .filter_map(|taken| Some((taken.object.id.as_str(), taken.record.as_ref()?.0.as_str())))
        .collect();
    let mut of = BTreeMap::<usize, BTreeSet<(String, String)>>::new();
    let mut loose = BTreeMap::<&str, u64>::new();
    for ((from, rel, to), source) in &links {
        match (
            places.get(from),
            ids.get(to.as_str()),
            ids.contains_key(from.as_str()),
        ) {
            (Some(place), Some(record), true) => {
                let link = (rel.clone(), (*record).to_owned());
                of.entry(*place).or_default().insert(link);
            }
            _ => *loose.entry(source).or_default() += 1,
        }
    }
    for (source, count) in loose {
        let reason = SkipReason::LooseLinks { count };
        gathering.skip(source.to_owned(), SkippedFor::Document(reason));
    }
    if !request.dry_run {
        link(client, request, &mut objects, of, gathering).await?;
    }
    for taken in objects {
        if let Some((record, outcome)) = taken.record {
            match outcome {
                Outcome::Created => gathering.report.created += 1,
                Outcome::Updated => gathering.report.updated += 1,
                Outcome::Unchanged => gathering.report.unchanged += 1,
            }
            gathering.imported(record, outcome, vec![name(&taken.source, &taken.object)]);
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Bundle, SkipReason> {
    let unreadable = |error: std::io::Error| SkipReason::Unreadable {
        detail: error.to_string(),
    };
    let file = File::open(path).map_err(unreadable)?;
    let bytes = file.metadata().map_err(unreadable)?.len();
    let limit = BUNDLE_BYTES_MAX;
    if bytes > limit {
        return Err(SkipReason::TooLarge { bytes, limit });
    }
    let mut content = Vec::new();
    file.take(limit)
        .read_to_end(&mut content)
        .map_err(unreadable)?;
    read_bundle(&content, BundleForm::of(path).unwrap_or(BundleForm::Json))
}

/// Says what of a bundle becomes no record.
fn tell(bundle: &Bundle, source: &str, gathering: &mut Gathering<'_>) {
    let passed_over = bundle.passed_over.iter();
    let passed_over = passed_over.map(|(kind, count)| SkipReason::NoKnowledge {
        kind: kind.clone(),
        count: *count,
    });
    for reason in bundle.bad.iter().cloned().chain(passed_over) {
        gathering.skip(source.to_owned(), SkippedFor::Document(reason));
    }
}

/// Of an object that several bundles have, the one that was changed last counts.
fn keep(
    objects: &mut Vec<Taken>,
    places: &mut BTreeMap<String, usize>,
    object: Item,
    source: &str,
) {
    let known = places
        .get(&object.id)
        .and_then(|place| objects.get_mut(*place));
    match known {
        Some(known) if known.object.modified >= object.modified => {}
        Some(known) => {
            known.object = object;
            source.clone_into(&mut known.source);
        }
        None => {
            places.insert(object.id.clone(), objects.len());
            objects.push(Taken {
                source: source.to_owned(),
                object,
                record: None,
            });
        }
    }
}

fn name(source: &str, object: &Item) -> String {
    format!("{source}:{}", object.id)
}

/// Makes records of the objects.
async fn send(
    client: &Client,
    request: &Import,
    objects: &mut [Taken],
    gathering: &mut Gathering<'_>,
) -> Result<(), ImportError> {
    let mut rest = objects;
    while !rest.is_empty() {
        let count = batch_of(rest.iter().map(|taken| &taken.object.draft));
        let (batch, others) = rest.split_at_mut(count);
        let drafts = batch.iter().map(|taken| taken.object.draft.clone());
        let outcomes = put(client, request, drafts.collect(), batch, gathering).await?;
        for (taken, outcome) in batch.iter_mut().zip(outcomes) {
            let sources = vec![name(&taken.source, &taken.object)];
            taken.record = match outcome {
                ImportOutcome::Created { record } => Some((record, Outcome::Created)),
                ImportOutcome::Updated { record } => Some((record, Outcome::Updated)),
                ImportOutcome::Unchanged { record } => Some((record, Outcome::Unchanged)),
                ImportOutcome::Skipped { error } => {
                    gathering.refuse(sources, &error);
                    None
                }
            };
        }
        rest = others;
    }
    Ok(())
}

/// Gives the records their links.
async fn link(
    client: &Client,
    request: &Import,
    objects: &mut [Taken],
    of: BTreeMap<usize, BTreeSet<(String, String)>>,
    gathering: &mut Gathering<'_>,
) -> Result<(), ImportError> {
    let linked: Vec<(usize, Draft)> = of
        .into_iter()
        .filter_map(|(place, links)| {
            let taken = objects.get(place)?;
            let links = links
                .into_iter()
                .map(|(rel, record)| RecordLink { rel, record });
            let draft = Draft {
                links: links.collect(),
                ..taken.object.draft.clone()
            };
            Some((place, draft))
        })
        .collect();
    let mut rest = linked.as_slice();
    while !rest.is_empty() {
        let count = batch_of(rest.iter().map(|(_, draft)| draft));
        let (batch, others) = rest.split_at(count);
        let drafts = batch.iter().map(|(_, draft)| draft.clone()).collect();
        let outcomes = put(client, request, drafts, &[], gathering).await?;
        for ((place, _), outcome) in batch.iter().zip(outcomes) {
            let Some(taken) = objects.get_mut(*place) else {
                continue;
            };
            match (outcome, &mut taken.record) {
                (ImportOutcome::Updated { .. }, Some((_, outcome @ Outcome::Unchanged))) => {
                    *outcome = Outcome::Updated;
                }
                (ImportOutcome::Skipped { error }, _) => {
                    gathering.refuse(vec![name(&taken.source, &taken.object)], &error);
                }
                _ => {}
            }
        }
        rest = others;
    }
    Ok(())
}

/// How many drafts one request carries.
fn batch_of<'d>(drafts: impl Iterator<Item = &'d Draft>) -> usize {
    let mut bytes = 0;
    let mut count = 0;
    for draft in drafts.take(IMPORT_BATCH_DRAFTS) {
        bytes += serde_json::to_vec(draft).map_or(0, |json| json.len());
        if count > 0 && bytes > BATCH_BYTES {
            break;
        }
        count += 1;
    }
    count
}

async fn put(
    client: &Client,
    request: &Import,
    drafts: Vec<Draft>,
    batch: &[Taken],
    gathering: &mut Gathering<'_>,
) -> Result<Vec<ImportOutcome>, ImportError> {
    let sent = drafts.len();
    let answer = client
        .import_batch(&ImportBatch {
            group: request.group.clone(),
            kind: request.kind.clone(),
            drafts,
            dry_run: request.dry_run,
            editors: request.editors.clone(),
            override_reason: request.override_reason.clone(),
        })
        .await?;
    if answer.outcomes.len() != sent {
        let detail = format!("{} outcomes for {sent} drafts", answer.outcomes.len());
        return Err(ApiError::new(ErrorCode::Internal)
            .with("detail", detail)
            .into());
    }
    let sources = batch
        .iter()
        .map(|taken| vec![name(&taken.source, &taken.object)]);
    gathering.warn(&sources.collect::<Vec<_>>(), &answer.warnings);
    gathering.report.seq = gathering.report.seq.max(answer.seq);
    Ok(answer.outcomes)
}
