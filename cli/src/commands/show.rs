//! `show`: one record, with its proof, its languages and what others said about it.

use diwan_api::error::Exit;
use diwan_api::types::{AnnotationInfo, FieldValue, Record};

use crate::context::Context;
use crate::error::CliError;
use crate::output::{Table, View, block};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(value_name = "ID")]
    id: String,
    #[arg(long, value_name = "LANG")]
    lang: Option<String>,
    #[arg(long, value_name = "VERSION")]
    at: Option<String>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let record = context.client().show(&args.id, args.at.as_deref()).await?;
    let human = |view: &View| render(view, &record, args.lang.as_deref());
    context.out().result(&record, human).await?;
    Ok(Exit::Done)
}

/// The label stands first and last: whoever sees one page of a printed record sees it.
fn render(view: &View, record: &Record, lang: Option<&str>) -> String {
    let label = view.tlp(&record.tlp);
    let mut text = format!(
        "{label}\n{}\n\n",
        view.bold(&view.title(&record.title, lang))
    );
    if let Some(FieldValue::Line(day)) = record.fields.get("withdrawn") {
        let reason = match record.fields.get("withdrawn-reason") {
            Some(FieldValue::Line(reason)) => reason.as_str(),
            _ => "",
        };
        let values = [("day", day.as_str().into()), ("reason", reason.into())];
        let said = view.warn(&view.say("show-withdrawn", &values));
        text.push_str(&format!("{}\n\n", said.trim_end()));
    }
    text.push_str(&facts(view, record).render(""));
    let summary = view.say("show-summary", &[]);
    let sections = [(summary.as_str(), &record.summary), ("", &record.body)];
    let of_kind = record
        .fields
        .iter()
        .filter_map(|(name, value)| match value {
            FieldValue::Texts(texts) => Some((name.as_str(), texts)),
            FieldValue::Line(_) | FieldValue::Lines(_) => None,
        });
    for (heading, texts) in sections.into_iter().chain(of_kind) {
        let Some((shown, content)) = view.pick(texts, lang) else {
            continue;
        };
        if content.trim().is_empty() {
            continue;
        }
        text.push('\n');
        if !heading.is_empty() {
            text.push_str(&view.dim(&view.name(heading)));
            text.push('\n');
        }
        if lang.is_some_and(|wanted| !shown.starts_with(wanted)) {
            let missing = view.say("show-other-language", &[("lang", shown.into())]);
            text.push_str(&format!("{}\n", view.warn(&missing)));
        }
        text.push_str(block(content).trim_end());
        text.push('\n');
    }
    text.push_str(&render_parts(view, record));
    if !record.annotations.is_empty() {
        let count = record.annotations.len();
        let heading = view.say("show-annotations", &[("count", count.into())]);
        text.push_str(&format!("\n{}\n", view.bold(&heading)));
        for annotation in &record.annotations {
            text.push_str(&render_annotation(view, annotation, lang));
        }
    }
    text.push_str(&format!("\n{label}\n"));
    text
}

/// The parts of a package in their order, and how long they take together.
fn render_parts(view: &View, record: &Record) -> String {
    let Some(total) = record.total_minutes else {
        return String::new();
    };
    let counts = [
        ("count", record.parts.len().into()),
        ("minutes", total.into()),
    ];
    let mut table = Table::default();
    for (at, part) in record.parts.iter().enumerate() {
        let minutes = part.minutes.map(|minutes| [("minutes", minutes.into())]);
        let title = match part.title.is_empty() {
            true => view.warn(&view.say("show-part-missing", &[])),
            false => view.title(&part.title, None),
        };
        table.row([
            format!("{}.", at + 1).into(),
            view.id(&part.record).into(),
            minutes
                .map(|values| view.say("show-minutes", &values))
                .unwrap_or_default()
                .into(),
            title.into(),
        ]);
    }
    let heading = view.bold(&view.say("show-parts", &counts));
    format!("\n{heading}\n{}", table.render("  "))
}

fn facts(view: &View, record: &Record) -> Table {
    let mut table = Table::default();
    let mut fact = |key: &str, value: String| {
        if !value.is_empty() {
            table.row([view.say(key, &[]).into(), value.into()]);
        }
    };
    fact("show-id", view.name(&record.record));
    fact("show-kind", view.name(&record.kind));
    let group = record.group_name.as_deref();
    fact(
        "show-group",
        group.map_or_else(|| view.id(&record.group), |name| view.name(name)),
    );
    fact("show-origin", origin(view, record));
    if let Some(proof) = &record.proof {
        let values = [
            ("node", proof.node.as_str().into()),
            ("seq", proof.seq.into()),
            ("entry", view.id(&proof.entry).into()),
        ];
        fact("show-signed", view.say("show-signed-by", &values));
        let key = if proof.verified {
            "show-compared"
        } else {
            "show-not-compared"
        };
        let fingerprint = [("fingerprint", proof.fingerprint.as_str().into())];
        let said = view.say(key, &fingerprint);
        fact(
            "show-fingerprint",
            if proof.verified {
                said
            } else {
                view.warn(&said)
            },
        );
    }
    if let Some(stored) = &record.stored {
        let counts = [("by", stored.by.into()), ("of", stored.of.into())];
        fact("show-stored", view.say("show-stored-by", &counts));
    }
    fact("show-editors", view.name(&record.editors.join(" ")));
    fact("show-credits", view.name(&record.credits.join(" ")));
    fact(
        "show-hcode",
        view.name(record.hcode.as_deref().unwrap_or_default()),
    );
    fact("show-languages", languages(view, record));
    fact(
        "show-themes",
        called(view, record, "themes", &record.themes),
    );
    fact("show-tags", called(view, record, "tags", &record.tags));
    for (name, value) in &record.fields {
        // What the languages and the list of parts tell already.
        if name.starts_with("translates-") || (name == "order" && !record.parts.is_empty()) {
            continue;
        }
        let value = match value {
            FieldValue::Line(line) => called(view, record, "countries", std::slice::from_ref(line)),
            FieldValue::Lines(lines) => called(view, record, "countries", lines),
            FieldValue::Texts(_) => continue,
        };
        let name = called(view, record, "fields", std::slice::from_ref(name));
        table.row([name.into(), value.into()]);
    }
    let mut fact = |key: &str, value: String| {
        table.row([view.say(key, &[]).into(), value.into()]);
    };
    for link in &record.links {
        fact(
            "show-link",
            format!("{} {}", view.name(&link.rel), view.id(&link.record)),
        );
    }
    for linked in &record.linked {
        let title = view.title(&linked.title, None);
        let words = [
            view.name(&linked.rel),
            view.name(&linked.kind),
            view.id(&linked.record),
            title,
        ];
        fact("show-linked", words.join(" "));
    }
    for file in &record.attachments {
        fact(
            "show-attachment",
            format!("{} · {}", view.name(&file.name), view.bytes(file.bytes)),
        );
    }
    fact("show-version", view.id(&record.version));
    fact("show-updated", view.time(&record.updated));
    fact("show-created", view.time(&record.created));
    table
}

/// Words of a record by what they are called in the reader's language, each with itself beside: that is
/// what is typed.
fn called(view: &View, record: &Record, vocabulary: &str, words: &[String]) -> String {
    let labels = record.labels.get(vocabulary);
    let each = words
        .iter()
        .map(|word| match labels.and_then(|labels| labels.get(word)) {
            Some(labels) => format!("{} ({})", view.called(word, Some(labels)), view.name(word)),
            None => view.name(word),
        });
    each.collect::<Vec<_>>().join(", ")
}

fn origin(view: &View, record: &Record) -> String {
    match &record.proof {
        Some(proof) => format!(
            "{} ({})",
            view.name(&proof.agency_name),
            view.name(&record.origin)
        ),
        None => view.name(&record.origin),
    }
}

/// The languages, those marked whose source has moved on since.
fn languages(view: &View, record: &Record) -> String {
    let each = record.translations.iter().map(|translation| {
        let lang = translation.lang.as_str();
        let told = if translation.stale {
            view.warn(&view.say("show-stale", &[("lang", lang.into())]))
        } else {
            view.name(lang)
        };
        match &translation.annotation {
            Some(annotation) => {
                let values = [
                    ("lang", told.into()),
                    ("annotation", view.id(annotation).into()),
                ];
                view.say("show-translated-apart", &values)
            }
            None => told,
        }
    });
    each.collect::<Vec<_>>().join(" ")
}

fn render_annotation(view: &View, annotation: &AnnotationInfo, lang: Option<&str>) -> String {
    let about = [
        view.name(&annotation.origin),
        view.name(&annotation.kind),
        view.time(&annotation.created),
        view.id(&annotation.record),
        match annotation.state.as_deref() {
            Some("accepted") => view.say("show-accepted", &[]),
            Some("declined") => view.say("show-declined", &[]),
            Some(_) => view.say("show-open", &[]),
            None => String::new(),
        },
    ];
    let about = about.into_iter().filter(|word| !word.is_empty());
    let about = about.collect::<Vec<_>>();
    let mut text = format!("\n  {}\n", view.dim(&about.join(" · ")));
    if let Some((_, title)) = view.pick(&annotation.title, lang) {
        text.push_str(&format!("  {}\n", view.bold(&view.name(title))));
    }
    for (name, value) in &annotation.fields {
        let value = match value {
            FieldValue::Line(line) => view.name(line),
            FieldValue::Lines(lines) => view.name(&lines.join(", ")),
            FieldValue::Texts(texts) => match view.pick(texts, lang) {
                Some((_, text)) => view.name(text),
                None => continue,
            },
        };
        text.push_str(&format!("  {}: {value}\n", view.dim(&view.name(name))));
    }
    if let Some((_, body)) = view.pick(&annotation.body, lang) {
        for line in block(body).trim_end().lines() {
            text.push_str(format!("  {line}").trim_end());
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::output::plain;
    use diwan_api::types::{LinkedRecord, Proof, RecordLink, Stored, Texts, TranslationState};

    fn texts(pairs: &[(&str, &str)]) -> Texts {
        pairs
            .iter()
            .map(|(l, t)| ((*l).to_owned(), (*t).to_owned()))
            .collect()
    }

    fn record() -> Record {
        Record {
            record: "0123456789abcdef0123456789abcdef".into(),
            group: "9f8e7d6c5b4a39281706".into(),
            kind: "guideline".into(),
            origin: "tn".into(),
            origin_agency: "1f2e3d".into(),
            editors: vec!["tn".into(), "fr".into()],
            tlp: "AMBER".into(),
            hcode: Some("H1".into()),
            title: texts(&[("ar", "ضبط الهواتف (TLP)"), ("fr", "Saisie de téléphones")]),
            summary: texts(&[("fr", "Ce qu’il faut faire.")]),
            body: texts(&[
                ("ar", "# قبل الضبط\n"),
                ("fr", "# Avant\n\nCouper le réseau.\u{1b}[2J\n"),
            ]),
            themes: vec!["cybercrime".into()],
            tags: Vec::new(),
            fields: BTreeMap::from([
                ("edition".to_owned(), FieldValue::Line("2".to_owned())),
                (
                    "countries".to_owned(),
                    FieldValue::Lines(vec!["FR".to_owned(), "TN".to_owned()]),
                ),
                (
                    "audience".to_owned(),
                    FieldValue::Texts(texts(&[("fr", "Enquêteurs.")])),
                ),
            ]),
            links: vec![RecordLink {
                rel: "need".into(),
                record: "fedcba9876543210".into(),
            }],
            attachments: Vec::new(),
            translations: vec![
                TranslationState {
                    lang: "ar".into(),
                    stale: true,
                    annotation: None,
                },
                TranslationState {
                    lang: "fr".into(),
                    stale: false,
                    annotation: None,
                },
                TranslationState {
                    lang: "en".into(),
                    stale: false,
                    annotation: Some("dddddddddddddddd".into()),
                },
            ],
            parts: Vec::new(),
            total_minutes: None,
            credits: Vec::new(),
            linked: vec![LinkedRecord {
                rel: "action".into(),
                record: "eeeeeeeeeeeeeeee".into(),
                kind: "training".into(),
                origin: "fr".into(),
                title: texts(&[("ar", "تدريب"), ("fr", "Stage")]),
            }],
            annotations: vec![AnnotationInfo {
                record: "aaaaaaaaaaaaaaaa".into(),
                kind: "comment".into(),
                origin: "fr".into(),
                title: Texts::new(),
                body: texts(&[("fr", "Appliqué à Paris.\nUtile.")]),
                fields: BTreeMap::from([(
                    "result".to_owned(),
                    FieldValue::Line("helped".to_owned()),
                )]),
                state: None,
                created: "2026-11-24T08:00:00Z".into(),
            }],
            version: "bbbbbbbbbbbbbbbbbbbb".into(),
            created: "2026-11-20T08:00:00Z".into(),
            updated: "2026-11-23T22:40:38Z".into(),
            import_key: None,
            labels: diwan_api::types::Labels::new(),
            group_name: Some("cyber".into()),
            stored: Some(Stored { by: 2, of: 3 }),
            proof: Some(Proof {
                agency_name: "Police judiciaire".into(),
                fingerprint: "12345 67890 12345 67890 12345 67890 12345 67890".into(),
                node: "12D3KooWNode".into(),
                seq: 7,
                entry: "cccccccccccccccccc".into(),
                verified: true,
            }),
        }
    }

    #[test]
    fn a_record_that_was_withdrawn_says_so_above_all() {
        let line = |text: &str| FieldValue::Line(text.to_owned());
        let mut record = record();
        record.fields.insert("withdrawn".into(), line("2026-11-28"));
        record
            .fields
            .insert("withdrawn-reason".into(), line("replaced"));
        let text = render(&plain(), &record, Some("fr"));
        let third = text.lines().nth(3).unwrap();
        assert_eq!(third, "Withdrawn on 2026-11-28. replaced");
    }

    #[test]
    fn a_record_in_the_readers_language() {
        insta::assert_snapshot!(render(&plain(), &record(), None), @"
        TLP:AMBER
        Saisie de téléphones

        id                0123456789abcdef0123456789abcdef
        kind              guideline
        group             cyber
        written by        Police judiciaire (tn)
        signed by         12D3KooWNode, entry 7 of its log (cccccccccccc)
        fingerprint       12345 67890 12345 67890 12345 67890 12345 67890 (compared by your admin)
        stored            by 2 of 3 agencies
        may be edited by  tn fr
        handling code     H1
        languages         ar (older than its source) fr en (beside it: dddddddddddd)
        themes            cybercrime
        countries         FR, TN
        edition           2
        link              need fedcba987654
        linked from       action training eeeeeeeeeeee Stage
        version           bbbbbbbbbbbb
        updated           2026-11-23 22:40 UTC
        created           2026-11-20 08:00 UTC

        Summary
        Ce qu’il faut faire.

        # Avant

        Couper le réseau.�[2J

        audience
        Enquêteurs.

        1 annotation

          fr · comment · 2026-11-24 08:00 UTC · aaaaaaaaaaaa
          result: helped
          Appliqué à Paris.
          Utile.

        TLP:AMBER
        ");
    }

    #[test]
    fn a_record_in_arabic_from_an_agency_nobody_compared() {
        let mut record = record();
        record.annotations.clear();
        if let Some(proof) = &mut record.proof {
            proof.verified = false;
        }
        insta::assert_snapshot!(render(&plain(), &record, Some("ar")), @"
        TLP:AMBER
        \u{2068}ضبط الهواتف (TLP)\u{2069}

        id                0123456789abcdef0123456789abcdef
        kind              guideline
        group             cyber
        written by        Police judiciaire (tn)
        signed by         12D3KooWNode, entry 7 of its log (cccccccccccc)
        fingerprint       12345 67890 12345 67890 12345 67890 12345 67890 (never compared by your admin)
        stored            by 2 of 3 agencies
        may be edited by  tn fr
        handling code     H1
        languages         ar (older than its source) fr en (beside it: dddddddddddd)
        themes            cybercrime
        countries         FR, TN
        edition           2
        link              need fedcba987654
        linked from       action training eeeeeeeeeeee Stage
        version           bbbbbbbbbbbb
        updated           2026-11-23 22:40 UTC
        created           2026-11-20 08:00 UTC

        Summary
        Not in the language asked for; this is fr.
        Ce qu’il faut faire.

        # قبل الضبط

        audience
        Not in the language asked for; this is fr.
        Enquêteurs.

        TLP:AMBER
        ");
    }

    #[test]
    fn the_label_is_on_the_first_line_and_on_the_last() {
        let text = render(&plain(), &record(), None);
        assert_eq!(text.lines().next(), Some("TLP:AMBER"));
        assert_eq!(text.lines().last(), Some("TLP:AMBER"));
    }
}
