//! `import`: files and folders become records.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::ValueEnum;
use diwan_api::client::import::{
    self, Import, ImportedRecord, Progress, Report, Skipped, SkippedFor,
};
use diwan_api::document::{self, Warning};
use diwan_api::error::Exit;
use diwan_api::message::{Catalogue, Value};
use diwan_api::types::Editors;
use serde::Serialize;

use crate::context::Context;
use crate::error::CliError;
use crate::output::progress::Bar;
use crate::output::{Table, View};
use crate::values::editors;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    #[arg(long, value_name = "GROUP")]
    group: String,
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    #[arg(long, value_name = "LANG")]
    lang: Option<String>,
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    format: Format,
    #[arg(long)]
    separate_languages: bool,
    #[arg(long, value_name = "WHO", value_parser = editors, default_value = "group")]
    editors: Editors,
    #[arg(long = "override", value_name = "REASON")]
    override_reason: Option<String>,
    #[arg(long)]
    dry_run: bool,
    #[arg(long, conflicts_with = "json")]
    jsonl: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Auto,
    Markdown,
    Jsonl,
    Stix,
    Misp,
    Skos,
}

impl From<Format> for document::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Auto => Self::Auto,
            Format::Markdown => Self::Markdown,
            Format::Jsonl => Self::JsonLines,
            Format::Stix | Format::Misp | Format::Skos => Self::Bundles,
        }
    }
}

/// The document of `--json`.
#[derive(Serialize)]
struct Document<'a> {
    created: u64,
    updated: u64,
    unchanged: u64,
    files: u64,
    languages: &'a BTreeMap<String, u64>,
    skipped: Vec<SkippedFile<'a>>,
    records: &'a [ImportedRecord],
    warnings: Vec<WarnedFile<'a>>,
    dry_run: bool,
}

/// Something odd about an imported file.
#[derive(Serialize)]
struct WarnedFile<'a> {
    source: &'a str,
    warning: &'static str,
    message: String,
}

/// A skipped file; its message is English, as all of `--json`.
#[derive(Serialize)]
struct SkippedFile<'a> {
    source: &'a str,
    reason: &'a str,
    message: String,
}

/// A line of `--jsonl` for a skipped file; other lines are [`ImportedRecord`]s.
#[derive(Serialize)]
struct SkippedLine<'a> {
    outcome: &'static str,
    #[serde(flatten)]
    file: SkippedFile<'a>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let out = context.out();
    // Before thousands of files are read: the node is there, and so is the group.
    context.client().group_show(&args.group).await?;
    let request = Import {
        paths: args.paths,
        group: args.group,
        kind: args.kind.clone(),
        options: document::Options {
            lang: args.lang,
            kind: args.kind,
            separate_languages: args.separate_languages,
            format: args.format.into(),
        },
        editors: args.editors,
        dry_run: args.dry_run,
        override_reason: args.override_reason,
    };
    let mut watching = Watching {
        context,
        english: english(),
        lines: args.jsonl,
        bar: None,
        total: 0,
        failed: Ok(()),
    };
    let report = import::import(context.client(), &request, &mut |event| {
        watching.see(&event);
    })
    .await;
    watching.finish()?;
    let report = report?;

    if !args.jsonl {
        let document = document_of(&report, args.dry_run);
        let human = |view: &View| render(view, &report, args.dry_run);
        out.result(&document, human).await?;
    }
    if !report.imported_any() {
        return Err(CliError::NothingImported);
    }
    Ok(Exit::Done)
}

/// Follows an import: the bar for people, the lines for programs.
struct Watching<'c> {
    context: &'c Context,
    english: View,
    lines: bool,
    bar: Option<Bar>,
    total: usize,
    failed: Result<(), CliError>,
}

impl Watching<'_> {
    fn see(&mut self, event: &Progress<'_>) {
        let out = self.context.out();
        match event {
            Progress::Found { documents, bytes } => {
                self.total = *documents;
                self.bar = Some(Bar::bytes(out.view(), "progress-import", *bytes));
            }
            Progress::Batch { documents, bytes } => {
                let values = [("done", (*documents).into()), ("total", self.total.into())];
                if let Some(bar) = &self.bar {
                    bar.advance(*bytes, out.view().say("progress-documents", &values));
                }
            }
            Progress::Imported(record) if self.lines => self.keep(out.json_line(record)),
            Progress::Skipped(skipped) if self.lines => {
                let file = skipped_file(skipped, &self.english);
                self.keep(out.json_line(&SkippedLine {
                    outcome: "skipped",
                    file,
                }));
            }
            Progress::Imported(_) | Progress::Skipped(_) => {}
        }
    }

    /// The first failure to print is the one to report; the import itself goes on.
    fn keep(&mut self, printed: Result<(), CliError>) {
        if self.failed.is_ok() {
            self.failed = printed;
        }
    }

    fn finish(self) -> Result<(), CliError> {
        if let Some(bar) = self.bar {
            bar.finish();
        }
        self.failed
    }
}

fn english() -> View {
    View::new(Catalogue::english(), "en", false)
}

fn document_of(report: &Report, dry_run: bool) -> Document<'_> {
    let english = english();
    Document {
        created: report.created,
        updated: report.updated,
        unchanged: report.unchanged,
        files: report.files,
        languages: &report.languages,
        skipped: report
            .skipped
            .iter()
            .map(|s| skipped_file(s, &english))
            .collect(),
        records: &report.records,
        warnings: report
            .warnings
            .iter()
            .map(|warned| WarnedFile {
                source: &warned.source,
                warning: warned.warning.code(),
                message: warning(&english, &warned.warning),
            })
            .collect(),
        dry_run,
    }
}

fn skipped_file<'a>(skipped: &'a Skipped, english: &View) -> SkippedFile<'a> {
    SkippedFile {
        source: &skipped.source,
        reason: skipped.reason.code(),
        message: reason(english, &skipped.reason),
    }
}

/// Why a file was skipped, in words.
fn reason(view: &View, reason: &SkippedFor) -> String {
    match reason {
        SkippedFor::Document(reason) => {
            view.say(&format!("skip-{}", reason.code()), &values(&reason.args()))
        }
        SkippedFor::Node(error) => view.failure(error.code.name(), &values(&error.args)).0,
    }
}

/// What is odd about an imported file, in words.
fn warning(view: &View, warning: &Warning) -> String {
    view.say(
        &format!("warn-{}", warning.code()),
        &values(&warning.args()),
    )
}

fn values(args: &BTreeMap<String, String>) -> Vec<(&str, Value<'static>)> {
    let values = args.iter();
    values
        .map(|(name, value)| (name.as_str(), Value::from(value.clone())))
        .collect()
}

fn render(view: &View, report: &Report, dry_run: bool) -> String {
    let key = if dry_run {
        "import-would"
    } else {
        "import-did"
    };
    let values = [
        ("created", report.created.into()),
        ("updated", report.updated.into()),
        ("unchanged", report.unchanged.into()),
    ];
    let mut text = view.say(key, &values) + "\n";
    if !report.languages.is_empty() {
        let languages = report.languages.iter();
        let languages: Vec<String> = languages
            .map(|(lang, count)| format!("{} {count}", view.name(lang)))
            .collect();
        let values = [
            ("files", report.files.into()),
            ("languages", languages.join(", ").into()),
        ];
        text.push_str(&(view.say("import-from", &values) + "\n"));
    }
    if !report.skipped.is_empty() {
        let values = [("count", report.skipped.len().into())];
        text.push_str(&format!(
            "\n{}\n",
            view.warn(&view.say("import-skipped", &values))
        ));
        let mut table = Table::default();
        for skipped in &report.skipped {
            let why = reason(view, &skipped.reason);
            table.row([view.name(&skipped.source).into(), why.into()]);
        }
        text.push_str(&table.render("  "));
    }
    if !report.warnings.is_empty() {
        let values = [("count", report.warnings.len().into())];
        text.push_str(&format!("\n{}\n", view.say("import-warned", &values)));
        let mut table = Table::default();
        for warned in &report.warnings {
            let what = warning(view, &warned.warning);
            table.row([view.name(&warned.source).into(), what.into()]);
        }
        text.push_str(&table.render("  "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::plain;
    use diwan_api::client::import::Outcome;
    use diwan_api::document::{SkipReason, Warned};
    use diwan_api::error::{ApiError, ErrorCode};

    fn report() -> Report {
        let skipped = |source: &str, reason| Skipped {
            source: source.into(),
            reason,
        };
        Report {
            created: 12,
            updated: 1,
            unchanged: 3,
            files: 17,
            languages: BTreeMap::from([("ar".to_owned(), 2), ("fr".to_owned(), 16)]),
            skipped: vec![
                skipped(
                    "guide/fr/photo.md",
                    SkippedFor::Document(SkipReason::Binary),
                ),
                skipped("guide/دليل.md", SkippedFor::Document(SkipReason::Empty)),
                skipped(
                    "x.md",
                    SkippedFor::Node(ApiError::invalid("kind", "poem", "a known kind")),
                ),
            ],
            records: vec![ImportedRecord {
                record: "0123456789abcdef".into(),
                outcome: Outcome::Created,
                sources: vec!["guide/fr/a.md".into(), "guide/ar/a.md".into()],
            }],
            warnings: vec![Warned {
                source: "guide/fr/b.md".into(),
                warning: Warning::UnknownLanguage {
                    value: "xx-klingon".into(),
                },
            }],
            seq: 9,
        }
    }

    #[test]
    fn what_was_imported_and_what_was_not() {
        insta::assert_snapshot!(render(&plain(), &report(), false), @"
        12 created · 1 updated · 3 unchanged
        from 17 files · records by language: ar 2, fr 16

        3 files were not imported:
          guide/fr/photo.md  not text
          \u{2068}guide/دليل.md\u{2069}      empty
          x.md               kind: “poem” is not valid.

        1 file is imported, but look at it:
          guide/fr/b.md  unknown language “xx-klingon”
        ");
    }

    #[test]
    fn the_document_is_that_of_the_contract() {
        let report = report();
        let json = serde_json::to_value(document_of(&report, false)).unwrap();
        assert_eq!(
            (json["created"].as_u64(), json["unchanged"].as_u64()),
            (Some(12), Some(3))
        );
        assert_eq!(json["skipped"][0]["source"], "guide/fr/photo.md");
        assert_eq!(json["skipped"][0]["reason"], "binary");
        assert_eq!(json["skipped"][2]["reason"], ErrorCode::InvalidValue.name());
        assert_eq!(json["records"][0]["sources"][1], "guide/ar/a.md");
    }

    #[test]
    fn every_reason_and_warning_has_its_words_with_all_values_filled() {
        for (family, codes) in [("skip", SkipReason::CODES), ("warn", Warning::CODES)] {
            for (code, names) in codes {
                let values: Vec<_> = names.iter().map(|n| (*n, Value::from("7"))).collect();
                let key = format!("{family}-{code}");
                assert!(plain().has(&key), "{key}");
                assert!(!plain().say(&key, &values).contains("{$"), "{key}");
            }
        }
    }
}
