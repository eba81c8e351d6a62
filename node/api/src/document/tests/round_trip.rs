//! What is exported comes back the same.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::super::{ExportError, JsonlExport, MarkdownExport, export_jsonl, export_markdown};
use super::Import;
use crate::types::{Draft, FieldValue, FieldValues, Record, RecordLink, Texts};

fn record(id: &str, title: Texts, body: Texts) -> Record {
    Record {
        record: id.to_owned(),
        group: "01".repeat(32),
        kind: "guideline".to_owned(),
        origin: "fr".to_owned(),
        origin_agency: "02".repeat(32),
        editors: vec!["fr".to_owned()],
        tlp: "AMBER+STRICT".to_owned(),
        hcode: Some("H1".to_owned()),
        title,
        summary: Texts::new(),
        body,
        themes: vec!["cybercrime".to_owned()],
        tags: vec!["1".to_owned(), "a: b".to_owned(), "true".to_owned()],
        fields: FieldValues::from([
            ("edition".to_owned(), FieldValue::Line("2: b".to_owned())),
            (
                "countries".to_owned(),
                FieldValue::Lines(vec!["FR".to_owned(), "NO".to_owned()]),
            ),
            (
                "audience".to_owned(),
                FieldValue::Texts(texts(&[("ar", "محققون"), ("fr", "Enquêteurs\n\n- un")])),
            ),
        ]),
        links: vec![RecordLink {
            rel: "need".to_owned(),
            record: "03".repeat(32),
        }],
        attachments: Vec::new(),
        translations: Vec::new(),
        annotations: Vec::new(),
        parts: Vec::new(),
        total_minutes: None,
        credits: Vec::new(),
        linked: Vec::new(),
        version: "04".repeat(32),
        created: "2026-01-02T03:04:05Z".to_owned(),
        updated: "2026-01-02T03:04:05Z".to_owned(),
        import_key: Some("05".repeat(16)),
        labels: crate::types::Labels::new(),
        group_name: None,
        stored: None,
        proof: None,
    }
}

fn texts(entries: &[(&str, &str)]) -> Texts {
    entries
        .iter()
        .map(|(lang, text)| ((*lang).to_owned(), (*text).to_owned()))
        .collect()
}

/// The content of a record as an import would write it.
fn draft(record: &Record) -> Draft {
    Draft {
        kind: Some(record.kind.clone()),
        title: record.title.clone(),
        summary: record.summary.clone(),
        body: record.body.clone(),
        themes: record.themes.clone(),
        tags: record.tags.clone(),
        tlp: Some(record.tlp.clone()),
        hcode: record.hcode.clone(),
        fields: record.fields.clone(),
        links: record.links.clone(),
        file_name: None,
        override_reason: None,
        record: Some(record.record.clone()),
        import_key: record.import_key.clone(),
    }
}

fn exported(records: &[Record]) -> Import {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    assert_eq!(
        export_markdown(records.iter().cloned(), &out).unwrap(),
        records.len() as u64
    );
    Import::all(&out)
}

/// The drafts of an import, but for the names of the files that they were read from.
fn drafts(import: &Import) -> Vec<Draft> {
    let nameless = |draft: &Draft| Draft {
        file_name: None,
        ..draft.clone()
    };
    import.drafts().map(nameless).collect()
}

fn assert_unchanged(records: &[Record]) {
    let import = exported(records);
    assert_eq!(import.skipped(), Vec::<&super::Skipped>::new());
    let mut found = drafts(&import);
    let mut expected: Vec<Draft> = records.iter().map(draft).collect();
    found.sort_by(|a, b| a.record.cmp(&b.record));
    expected.sort_by(|a, b| a.record.cmp(&b.record));
    assert_eq!(found, expected);
}

#[test]
fn records_come_back_as_they_were() {
    let body = "\n  # Not the title\n\n---\ntitle: no\n---\n\ttext \"'`\n\n\n";
    let english =
        "This sentence is plainly English whatever language it is filed under. ".repeat(20);
    let mut plain = record(
        &"12345678".repeat(8),
        texts(&[
            ("fr", "Saisie : « à froid »"),
            ("ar", "- ضبط الأدلة"),
            ("pt-BR", "---"),
        ]),
        texts(&[("fr", body), ("ar", "نص"), ("und", "x"), ("tr", &english)]),
    );
    plain.summary = texts(&[("fr", "|\n  &a *b*\n---\nno: yes"), ("it", "null")]);
    let mut bare = record("0e12345678901234", texts(&[("en", "1e3")]), Texts::new());
    (bare.hcode, bare.import_key, bare.links, bare.tags) = (None, None, Vec::new(), Vec::new());
    // A record that was never imported gets the key of its path, and nothing else changes.
    let import = exported(&[bare.clone()]);
    let mut found = drafts(&import).remove(0);
    assert!(found.import_key.take().is_some());
    assert_eq!(found, draft(&bare));
    assert_unchanged(&[plain]);
}

/// Case 36.
#[test]
fn hostile_records_stay_inside_the_folder_and_apart() {
    let title = |text: &str| texts(&[("en", text), ("xyz", "unknown language"), ("it", "it")]);
    let mut records = Vec::new();
    for (i, text) in [
        "../../../etc/passwd",
        "/etc/passwd",
        ".hidden",
        "same",
        "same",
    ]
    .iter()
    .enumerate()
    {
        // The first eight digits of all ids are equal.
        let mut hostile = record(
            &format!("aaaaaaaa{}", format!("{i:08}").repeat(7)),
            title(text),
            Texts::new(),
        );
        hostile.import_key = Some(format!("{i:032}"));
        records.push(hostile);
    }
    records[4].kind = "../../it".to_owned();
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("deep/out");
    export_markdown(records.iter().cloned(), &out).unwrap();
    let outside: Vec<_> = fs::read_dir(dir.path().join("deep"))
        .unwrap()
        .flatten()
        .collect();
    assert_eq!(outside.len(), 1);
    let found = drafts(&Import::all(&out));
    assert_eq!(found.len(), records.len());
    for record in records.iter().take(4) {
        assert!(found.contains(&draft(record)), "{}", record.record);
    }
}

#[test]
fn an_export_does_not_follow_links() {
    let dir = tempfile::tempdir().unwrap();
    let (out, target) = (dir.path().join("out"), dir.path().join("target"));
    fs::create_dir_all(&out).unwrap();
    fs::create_dir_all(&target).unwrap();
    std::os::unix::fs::symlink(&target, out.join("en")).unwrap();
    let one = record(&"ab".repeat(32), texts(&[("en", "T")]), Texts::new());
    let error = export_markdown([one], &out).unwrap_err();
    assert!(matches!(error, ExportError::NotAFolder { .. }), "{error}");
    assert_eq!(fs::read_dir(&target).unwrap().count(), 0);
}

#[test]
fn exporting_again_replaces_and_leaves_no_temporary_file() {
    let dir = tempfile::tempdir().unwrap();
    let one = |body: &str| {
        record(
            &"ab".repeat(32),
            texts(&[("en", "T")]),
            texts(&[("en", body)]),
        )
    };
    export_markdown([one("old")], dir.path()).unwrap();
    export_markdown([one("new")], dir.path()).unwrap();
    let folder = dir.path().join("en/guideline");
    let names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(names, ["t-abababab.md"]);
    assert!(
        Import::all(dir.path())
            .drafts()
            .all(|draft| draft.body["en"] == "new")
    );
}

#[test]
fn json_lines_keep_every_byte_and_appear_when_complete() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.jsonl");
    let all = [
        record(
            &"ab".repeat(32),
            texts(&[("fr", "T")]),
            texts(&[("fr", "Corps\n")]),
        ),
        record(&"cd".repeat(32), texts(&[("ar", "ع")]), Texts::new()),
    ];
    let lines: String = all
        .iter()
        .map(|record| serde_json::to_string(record).unwrap() + "\n")
        .collect();
    assert_eq!(export_jsonl(lines.as_bytes(), &path).unwrap(), 2);
    assert_eq!(fs::read_to_string(&path).unwrap(), lines);
    let found: Vec<Draft> = Import::all(&path).drafts().cloned().collect();
    assert_eq!(found, all.iter().map(draft).collect::<Vec<_>>());

    let mut interrupted = JsonlExport::create(&path).unwrap();
    interrupted.write(b"{}\n").unwrap();
    drop(interrupted);
    assert_eq!(fs::read_to_string(&path).unwrap(), lines);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    assert!(JsonlExport::create(Path::new("/")).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_texts_come_back(
        title in "[a-z:#&*'\"|>%@`{}\\[\\]?!,~ é-]{1,30}", summary in "[a-z:#&*'\" \n-]{1,40}", body in "[a-z#\n\t -]{1,60}"
    ) {
        prop_assume!(!title.trim().is_empty() && !summary.trim().is_empty() && !body.trim().is_empty());
        let mut one = record(&"ab".repeat(32), texts(&[("fr", &title)]), texts(&[("fr", &body)]));
        one.summary = texts(&[("fr", &summary)]);
        assert_unchanged(&[one]);
    }
}

/// Texts that no head has room for are left out, so that the file is still one of the record.
#[test]
fn fields_that_are_too_long_for_a_head_are_told_and_stay() {
    let title = texts(&[("fr", "Titre")]);
    let mut long = record(&"0a".repeat(32), title.clone(), Texts::new());
    let outcome = texts(&[("fr", &"a".repeat(70_000)), ("ar", "قصير")]);
    let outcome = FieldValue::Texts(outcome);
    long.fields.insert("outcome".to_owned(), outcome);
    let dir = tempfile::tempdir().unwrap();
    let mut export = MarkdownExport::create(&dir.path().join("out")).unwrap();
    export.write(&long).unwrap();
    assert_eq!((export.written(), export.shortened()), (1, 1));
    let import = exported(&[long.clone()]);
    let draft = import.drafts().next().expect("one record");
    assert_eq!(draft.record.as_deref(), Some(long.record.as_str()));
    assert_eq!(draft.title, title);
    let FieldValue::Texts(outcome) = &draft.fields["outcome"] else {
        panic!("texts by language");
    };
    assert_eq!(outcome.keys().collect::<Vec<_>>(), ["ar"]);
}
