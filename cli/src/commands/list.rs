//! `list`: records by their fields, newest first.

use diwan_api::error::Exit;
use diwan_api::types::{ListQuery, RecordList, RecordSummary};

use crate::context::Context;
use crate::error::CliError;
use crate::output::{Table, View};
use crate::values::tlp;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    #[arg(long, value_name = "AGENCY")]
    origin: Option<String>,
    #[arg(long, value_name = "THEME")]
    theme: Option<String>,
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
    #[arg(long, value_name = "LABEL", value_parser = tlp)]
    tlp: Option<String>,
    #[arg(long, value_name = "LANG")]
    lang: Option<String>,
    #[arg(long, value_name = "DAY", num_args = 0..=1, default_missing_value = "today")]
    due: Option<String>,
    #[arg(long, value_name = "LANG")]
    stale_translations: Option<String>,
    #[arg(long = "field", value_name = "NAME=VALUE", value_parser = named_value)]
    with_field: Vec<String>,
    #[arg(long)]
    withdrawn: bool,
    #[arg(long, value_name = "N", value_parser = limit)]
    limit: Option<usize>,
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
    #[arg(long, conflicts_with = "json")]
    jsonl: bool,
}

fn named_value(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => Ok(text.to_owned()),
        _ => Err("expected-named-value".to_owned()),
    }
}

fn limit(value: &str) -> Result<usize, String> {
    let number = value
        .parse()
        .ok()
        .filter(|number| (1..=1000).contains(number));
    number.ok_or_else(|| "expected-list-limit".to_owned())
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let mut query = ListQuery {
        group: args.group,
        kind: args.kind,
        origin: args.origin,
        theme: args.theme,
        tag: args.tag,
        tlp: args.tlp,
        lang: args.lang,
        due: args.due,
        stale: args.stale_translations,
        fields: (!args.with_field.is_empty()).then(|| args.with_field.join("\n")),
        withdrawn: args.withdrawn,
        limit: args.limit,
        after: args.after,
    };
    if args.jsonl {
        // A stream has no page to stop at, unless its reader wants so many.
        let all = args.limit.is_none();
        loop {
            let page = context.client().list(&query).await?;
            for record in &page.records {
                context.out().json_line(record)?;
            }
            match page.next {
                Some(next) if all => query.after = Some(next),
                _ => return Ok(Exit::Done),
            }
        }
    }
    let list = context.client().list(&query).await?;
    let human = |view: &View| render(view, &list, query.lang.as_deref());
    context.out().result(&list, human).await?;
    Ok(Exit::Done)
}

/// The languages, those marked whose source has moved on since.
fn languages(view: &View, record: &RecordSummary) -> String {
    let each = record.languages.iter().map(|lang| {
        if record.stale.contains(lang) {
            view.warn(&view.say("list-stale", &[("lang", lang.as_str().into())]))
        } else {
            view.name(lang)
        }
    });
    each.collect::<Vec<_>>().join(" ")
}

/// The days on which a record is to be reviewed and expires, as they stand behind its title.
fn due(view: &View, record: &RecordSummary) -> String {
    let days = [
        ("list-review", record.review.as_ref()),
        ("list-expires", record.expires.as_ref()),
        ("list-label-review", record.label_review.as_ref()),
    ];
    let said = days.into_iter().filter_map(|(key, day)| {
        let day = view.name(day?);
        Some(format!(" · {}", view.say(key, &[("day", day.into())])))
    });
    said.collect()
}

fn render(view: &View, list: &RecordList, lang: Option<&str>) -> String {
    if list.records.is_empty() {
        return view.say("list-empty", &[]) + "\n";
    }
    let mut table = Table::default();
    for record in &list.records {
        let RecordSummary {
            kind, origin, tlp, ..
        } = record;
        table.row([
            view.id(&record.record).into(),
            view.day(&record.updated).into(),
            view.name(origin).into(),
            view.name(kind).into(),
            format!("TLP:{}", view.name(tlp)).into(),
            languages(view, record).into(),
            format!("{}{}", view.title(&record.title, lang), due(view, record)).into(),
        ]);
    }
    let mut text = table.render("");
    if let Some(next) = &list.next {
        text.push_str(&view.dim(&view.say("next-page", &[("cursor", next.as_str().into())])));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::plain;

    fn summary(record: &str, titles: &[(&str, &str)]) -> RecordSummary {
        RecordSummary {
            record: record.into(),
            group: "aa".into(),
            group_name: "cyber".into(),
            kind: "practice".into(),
            origin: "tn".into(),
            tlp: "GREEN".into(),
            title: titles
                .iter()
                .map(|(l, t)| ((*l).to_owned(), (*t).to_owned()))
                .collect(),
            languages: titles.iter().map(|(l, _)| (*l).to_owned()).collect(),
            stale: Vec::new(),
            themes: vec!["cybercrime".into()],
            review: None,
            label_review: None,
            expires: None,
            version: "v".into(),
            updated: "2026-11-23T22:40:38Z".into(),
        }
    }

    #[test]
    fn records_one_a_line_in_the_readers_language() {
        let list = RecordList {
            records: vec![
                summary(
                    "0123456789abcdef",
                    &[("ar", "ضبط الهواتف"), ("fr", "Saisie de téléphones")],
                ),
                RecordSummary {
                    stale: vec!["ar".into()],
                    ..summary("1123456789abcdef", &[("ar", "دليل TLP")])
                },
                RecordSummary {
                    review: Some("2027-01-01".into()),
                    expires: Some("2028-01-01".into()),
                    ..summary("2123456789abcdef", &[("en", "Two\nlines\u{1b}[31m")])
                },
            ],
            next: Some("c2".into()),
        };
        insta::assert_snapshot!(render(&plain(), &list, None), @"
        0123456789ab  2026-11-23  tn  practice  TLP:GREEN  ar fr       Saisie de téléphones
        1123456789ab  2026-11-23  tn  practice  TLP:GREEN  ar (stale)  \u{2068}دليل TLP\u{2069}
        2123456789ab  2026-11-23  tn  practice  TLP:GREEN  en          Two lines�[31m · review 2027-01-01 · expires 2028-01-01
        More: --after c2
        ");
        assert!(render(&plain(), &list, Some("ar")).contains("\u{2068}ضبط الهواتف\u{2069}"));
    }

    #[test]
    fn an_empty_list_says_so() {
        let list = RecordList {
            records: Vec::new(),
            next: None,
        };
        insta::assert_snapshot!(render(&plain(), &list, None), @"No record fits.");
    }
}
