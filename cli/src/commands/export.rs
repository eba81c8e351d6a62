//! `export`: records into files, or onto stdout.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use diwan_api::client::Lines;
use diwan_api::document::skos::{SkosExport, SkosForm};
use diwan_api::document::stix::StixExport;
use diwan_api::document::{BagitExport, BundleForm, JsonlExport, MarkdownExport};
use diwan_api::error::{ApiError, ErrorCode, Exit};
use diwan_api::types::{ExportQuery, Record};
use serde::Serialize;

use crate::context::Context;
use crate::error::CliError;
use crate::output::View;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(value_name = "PATH")]
    path: PathBuf,
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    #[arg(long, value_name = "QUERY")]
    query: Option<String>,
    #[arg(long, value_name = "FORMAT")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Markdown,
    Jsonl,
    Stix,
    Bagit,
    Skos,
}

/// The document of `--json`.
#[derive(Serialize)]
struct Exported<'a> {
    written: u64,
    path: &'a Path,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let to_stdout = args.path.as_os_str() == "-";
    if to_stdout && (args.format != Format::Jsonl || context.out().is_json()) {
        let expected = "standard output with --format jsonl and without --json";
        return Err(ApiError::invalid("PATH", "-", expected).into());
    }
    let query = ExportQuery {
        group: args.group,
        query: args.query,
    };
    let lines = context.client().export(&query).await?;
    let written = match args.format {
        Format::Jsonl if to_stdout => return print(lines, context).await,
        Format::Jsonl => jsonl(lines, &args.path).await?,
        Format::Stix => stix(lines, &args.path).await?,
        Format::Bagit => bagit(lines, &args.path).await?,
        Format::Skos => skos(lines, &args.path).await?,
        Format::Markdown => markdown(lines, &args.path, context).await?,
    };
    let document = Exported {
        written,
        path: &args.path,
    };
    context
        .out()
        .result(&document, |view| render(view, &document))
        .await?;
    Ok(Exit::Done)
}

async fn print(mut lines: Lines, context: &Context) -> Result<Exit, CliError> {
    while let Some(line) = lines.next().await? {
        context.out().raw(&line)?;
    }
    Ok(Exit::Done)
}

async fn jsonl(mut lines: Lines, path: &Path) -> Result<u64, CliError> {
    let mut export = JsonlExport::create(path)?;
    while let Some(line) = lines.next().await? {
        export.write(&line)?;
    }
    Ok(export.finish()?)
}

async fn stix(mut lines: Lines, path: &Path) -> Result<u64, CliError> {
    let mut export = StixExport::default();
    while let Some(line) = lines.next().await? {
        let record: Record = serde_json::from_slice(&line)
            .map_err(|error| ApiError::new(ErrorCode::Internal).with("detail", error))?;
        export.take(&record);
    }
    let (bundle, written) = export.finish();
    let mut file = JsonlExport::create(path)?;
    file.write(bundle.as_bytes())?;
    file.finish()?;
    Ok(written)
}

/// RDF/XML where the file's name says so, else Turtle.
async fn skos(mut lines: Lines, path: &Path) -> Result<u64, CliError> {
    let mut export = SkosExport::default();
    while let Some(line) = lines.next().await? {
        let record: Record = serde_json::from_slice(&line)
            .map_err(|error| ApiError::new(ErrorCode::Internal).with("detail", error))?;
        export.take(record);
    }
    let form = match BundleForm::of(path) {
        Some(BundleForm::RdfXml) => SkosForm::Xml,
        _ => SkosForm::Turtle,
    };
    let (document, written) = export
        .finish(form)
        .map_err(|error| ApiError::new(ErrorCode::Internal).with("detail", error))?;
    let mut file = JsonlExport::create(path)?;
    file.write(document.trim_end().as_bytes())?;
    file.finish()?;
    Ok(written)
}

async fn bagit(mut lines: Lines, path: &Path) -> Result<u64, CliError> {
    let mut export = BagitExport::create(path)?;
    while let Some(line) = lines.next().await? {
        let record: Record = serde_json::from_slice(&line)
            .map_err(|error| ApiError::new(ErrorCode::Internal).with("detail", error))?;
        export.write(&line, &record)?;
    }
    Ok(export.finish()?)
}

async fn markdown(mut lines: Lines, path: &Path, context: &Context) -> Result<u64, CliError> {
    let mut export = MarkdownExport::create(path)?;
    while let Some(line) = lines.next().await? {
        let record: Record = serde_json::from_slice(&line)
            .map_err(|error| ApiError::new(ErrorCode::Internal).with("detail", error))?;
        export.write(&record)?;
    }
    if export.shortened() > 0 {
        let count = [("count", export.shortened().into())];
        context.out().note("export-shortened", &count);
    }
    Ok(export.written())
}

fn render(view: &View, exported: &Exported<'_>) -> String {
    let path = exported.path.display().to_string();
    view.say(
        "export-done",
        &[("count", exported.written.into()), ("path", path.into())],
    ) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::plain;

    #[test]
    fn an_export_says_how_much_and_where() {
        let exported = Exported {
            written: 412,
            path: Path::new("out"),
        };
        insta::assert_snapshot!(render(&plain(), &exported), @"412 records written to out");
        let json = serde_json::to_value(exported).unwrap();
        assert_eq!(
            (json["written"].as_u64(), json["path"].as_str()),
            (Some(412), Some("out"))
        );
    }
}
