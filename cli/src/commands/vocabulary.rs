//! `vocabulary`: the concept schemes that there are, and the concepts of one.

use std::collections::{BTreeMap, BTreeSet};

use clap::Subcommand;
use diwan_api::error::Exit;
use diwan_api::types::{ConceptInfo, VocabularyAnswer, VocabularyInfo, VocabularyList};

use crate::context::Context;
use crate::error::CliError;
use crate::output::{Table, View};

/// Concepts below concepts that are set in further; more stand as far in as the last.
const DEPTH_MAX: usize = 8;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    List,
    Show {
        #[arg(value_name = "NAME")]
        vocabulary: String,
    },
}

pub(crate) async fn run(verb: Verb, context: &Context) -> Result<Exit, CliError> {
    let (client, out) = (context.client(), context.out());
    match verb {
        Verb::List => {
            let list = client.vocabularies().await?;
            out.result(&list, |view| render_list(view, &list)).await?;
        }
        Verb::Show { vocabulary } => {
            let answer = client.vocabulary(&vocabulary).await?;
            out.result(&answer, |view| render(view, &answer)).await?;
        }
    }
    Ok(Exit::Done)
}

fn render_list(view: &View, list: &VocabularyList) -> String {
    let mut table = Table::default();
    for vocabulary in &list.vocabularies {
        table.row([
            name(view, vocabulary).into(),
            vocabulary.concepts.to_string().into(),
            from(view, vocabulary).into(),
            view.title(&vocabulary.title, None).into(),
        ]);
    }
    table.render("")
}

/// By what it is asked for: the beginning of an id, where it has no notation.
fn name(view: &View, vocabulary: &VocabularyInfo) -> String {
    match vocabulary.record.as_ref() == Some(&vocabulary.name) {
        true => view.id(&vocabulary.name),
        false => view.name(&vocabulary.name),
    }
}

fn from(view: &View, vocabulary: &VocabularyInfo) -> String {
    match (&vocabulary.origin, &vocabulary.group_name) {
        (Some(origin), Some(group)) => format!("{} / {}", view.name(origin), view.name(group)),
        _ => view.dim(&view.say("vocabulary-shipped", &[])),
    }
}

/// The concepts as a tree, each with what records name it by.
fn render(view: &View, answer: &VocabularyAnswer) -> String {
    let title = view.bold(&view.title(&answer.vocabulary.title, None));
    let from = from(view, &answer.vocabulary);
    let mut table = Table::default();
    let tree = Tree::of(&answer.concepts);
    for (concept, depth) in tree.in_order(&answer.concepts) {
        let notation = concept.notation.as_deref();
        let own = concept.record.as_deref().map(|id| view.id(id));
        let indent = "  ".repeat(depth.min(DEPTH_MAX));
        let title = view.title(&concept.title, None);
        let others = view.pick(&concept.alternative, None);
        let others = others.map(|(_, labels)| labels.lines().collect::<Vec<_>>().join(", "));
        let means = view
            .pick(&concept.definition, None)
            .map(|(_, text)| text.to_owned());
        let from = concept.origin.as_ref().zip(concept.group_name.as_ref());
        let from = from.filter(|_| answer.vocabulary.record.is_none());
        let from =
            from.map(|(origin, group)| format!("{} / {}", view.name(origin), view.name(group)));
        table.row([
            notation
                .map(|name| format!("{indent}{}", view.name(name)))
                .unwrap_or_else(|| format!("{indent}{}", own.clone().unwrap_or_default()))
                .into(),
            title.into(),
            view.dim(&view.name(&others.or(means).unwrap_or_default()))
                .into(),
            view.dim(&from.unwrap_or_default()).into(),
        ]);
    }
    format!("{title} · {from}\n\n{}", table.render(""))
}

/// What is below what, by places in the list of concepts.
struct Tree {
    roots: Vec<usize>,
    below: BTreeMap<usize, Vec<usize>>,
}

impl Tree {
    fn of(concepts: &[ConceptInfo]) -> Self {
        let mut places = BTreeMap::new();
        for (at, concept) in concepts.iter().enumerate() {
            for name in [&concept.notation, &concept.record].into_iter().flatten() {
                places.entry(name.as_str()).or_insert(at);
            }
        }
        let (mut roots, mut below) = (Vec::new(), BTreeMap::<usize, Vec<usize>>::new());
        for (at, concept) in concepts.iter().enumerate() {
            let mut above = concept
                .broader
                .iter()
                .filter_map(|name| places.get(name.as_str()));
            match above.find(|above| **above != at) {
                Some(above) => below.entry(*above).or_default().push(at),
                None => roots.push(at),
            }
        }
        Self { roots, below }
    }

    /// Each concept once with its depth; those of a circle, which no root leads to, come last.
    fn in_order<'c>(&self, concepts: &'c [ConceptInfo]) -> Vec<(&'c ConceptInfo, usize)> {
        let mut order = Vec::new();
        let mut seen = BTreeSet::new();
        let starts = self.roots.iter().copied().chain(0..concepts.len());
        for start in starts {
            let mut next = vec![(start, 0)];
            while let Some((at, depth)) = next.pop() {
                if !seen.insert(at) {
                    continue;
                }
                order.extend(concepts.get(at).map(|concept| (concept, depth)));
                let below = self.below.get(&at).into_iter().flatten().rev();
                next.extend(below.map(|below| (*below, depth + 1)));
            }
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::plain;

    fn concept(notation: &str, title: &str, broader: &[&str]) -> ConceptInfo {
        ConceptInfo {
            notation: Some(notation.to_owned()),
            title: [("en".to_owned(), title.to_owned())].into(),
            alternative: BTreeMap::new(),
            definition: BTreeMap::new(),
            broader: broader.iter().map(|name| (*name).to_owned()).collect(),
            record: None,
            group_name: None,
            origin: None,
        }
    }

    fn shipped(name: &str) -> VocabularyInfo {
        VocabularyInfo {
            name: name.to_owned(),
            title: [("en".to_owned(), "Themes".to_owned())].into(),
            concepts: 4,
            record: None,
            group_name: None,
            origin: None,
        }
    }

    #[test]
    fn a_vocabulary_is_a_tree() {
        let mut malware = concept("malware", "Malware", &["cybercrime"]);
        malware.alternative = [("en".to_owned(), "virus\ntrojan".to_owned())].into();
        let answer = VocabularyAnswer {
            vocabulary: shipped("themes"),
            concepts: vec![
                concept("drugs", "Drugs", &[]),
                concept("ransomware", "Ransomware", &["malware"]),
                malware,
                concept("cybercrime", "Cybercrime", &[]),
                concept("a", "A", &["b"]),
                concept("b", "B", &["a"]),
            ],
        };
        insta::assert_snapshot!(render(&plain(), &answer), @"
        Themes · shipped with the program

        drugs           Drugs
        cybercrime      Cybercrime
          malware       Malware     virus, trojan
            ransomware  Ransomware
        a               A
          b             B
        ");
    }

    #[test]
    fn a_list_says_where_each_is_from() {
        let id = "ab".repeat(32);
        let record = VocabularyInfo {
            name: id.clone(),
            record: Some(id),
            group_name: Some("med".to_owned()),
            origin: Some("fr".to_owned()),
            ..shipped("")
        };
        let list = VocabularyList {
            vocabularies: vec![shipped("themes"), record],
        };
        insta::assert_snapshot!(render_list(&plain(), &list), @"
        themes        4  shipped with the program  Themes
        abababababab  4  fr / med                  Themes
        ");
    }
}
