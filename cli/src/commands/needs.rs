//! `needs`: capacity gaps by country and theme, and what answers each.

use diwan_api::error::Exit;
use diwan_api::types::{NeedsAnswer, NeedsQuery};

use crate::context::Context;
use crate::error::CliError;
use crate::output::{Table, View};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(long, value_name = "THEME")]
    theme: Option<String>,
    #[arg(long, value_name = "COUNTRY")]
    country: Option<String>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let query = NeedsQuery {
        theme: args.theme,
        country: args.country,
    };
    let needs = context.client().needs(&query).await?;
    context
        .out()
        .result(&needs, |view| render(view, &needs))
        .await?;
    Ok(Exit::Done)
}

/// A country's name stands before its first theme; a cell without an open need is told by its colour
/// and by its word.
fn render(view: &View, needs: &NeedsAnswer) -> String {
    if needs.rows.is_empty() {
        return view.say("needs-none", &[]) + "\n";
    }
    let mut table = Table::default();
    let heads = [
        "needs-country",
        "needs-theme",
        "needs-needs",
        "needs-open",
        "needs-actions",
        "needs-trainings",
        "needs-endorsements",
    ];
    table.row(heads.map(|head| view.dim(&view.say(head, &[])).into()));
    let mut before = "";
    for row in &needs.rows {
        let country = match row.country == before {
            true => String::new(),
            false => view.bold(&called(view, needs, "countries", &row.country)),
        };
        before = &row.country;
        let theme = match row.theme.is_empty() {
            true => "–".to_owned(),
            false => called(view, needs, "themes", &row.theme),
        };
        let open = match row.open {
            0 => view.say("needs-closed", &[]),
            open => view.warn(&open.to_string()),
        };
        table.row([
            country.into(),
            theme.into(),
            row.needs.to_string().into(),
            open.into(),
            row.actions.to_string().into(),
            row.trainings.to_string().into(),
            row.endorsements.to_string().into(),
        ]);
    }
    let short = match needs.is_short {
        true => view.warn(&view.say("needs-short", &[])) + "\n",
        false => String::new(),
    };
    table.render("") + &short
}

fn called(view: &View, needs: &NeedsAnswer, vocabulary: &str, word: &str) -> String {
    let labels = needs.labels.get(vocabulary);
    view.called(word, labels.and_then(|words| words.get(word)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::plain;
    use diwan_api::types::NeedsRow;

    #[test]
    fn a_table_by_country_and_theme() {
        let row = |country: &str, theme: &str, counts: [u64; 5]| {
            let [needs, open, actions, trainings, endorsements] = counts;
            NeedsRow {
                country: country.to_owned(),
                theme: theme.to_owned(),
                needs,
                open,
                actions,
                trainings,
                endorsements,
            }
        };
        let needs = NeedsAnswer {
            rows: vec![
                row("MA", "", [1, 1, 0, 0, 0]),
                row("TN", "cybercrime", [2, 0, 1, 3, 1]),
                row("TN", "digital-evidence", [1, 1, 1, 0, 0]),
            ],
            labels: [(
                "themes".to_owned(),
                [(
                    "cybercrime".to_owned(),
                    [("en".to_owned(), "Cybercrime".to_owned())].into(),
                )]
                .into(),
            )]
            .into(),
            is_short: true,
        };
        insta::assert_snapshot!(render(&plain(), &needs), @"
        country  theme             needs  open    actions  trainings  endorsements
        MA       –                 1      1       0        0          0
        TN       Cybercrime        2      closed  1        3          1
                 digital-evidence  1      1       1        0          0
        There is more than was looked at: the counts are too small.
        ");
    }
}
