//! Works a [`Score`] out for the records of one segment, some hundred of them at a time.
//!
//! Each node of the expression adds its value to a column of numbers, one for each record of the window, and says
//! which records match: terms where their postings say so, the others by adding, comparing and multiplying whole
//! columns, which the compiler turns into instructions on several numbers at once, or the few records that match.
//! So a record costs a few nanoseconds for each term that it has and each node that is at work near it, whatever the
//! nesting; windows that no term reaches cost nothing. ("Vectorized query evaluation", Boncz, Zukowski and Nes,
//! "MonetDB/X100: Hyper-Pipelining Query Execution", 2005.)

use std::sync::Arc;

use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::BlockSegmentPostings;
use tantivy::query::{EnableScoring, Scorer};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, SegmentReader, TERMINATED, Term};

use super::bits::{Bits, WORD};
use super::column::{Column, Mask, NOTHING, add, better, end_of, gain, gain_where};
use super::error::IndexError;
use super::score::{self, Lengths, Score};
use super::statistics::{K1, Statistics};

/// Records of a block of postings (tantivy's).
const BLOCK: usize = 128;

/// An expression over the postings of one segment.
pub(super) struct Evaluation(Option<Node>);

impl Evaluation {
    /// Opens the postings of all terms that a segment, by its number, has.
    pub(super) fn open(
        score: &Score,
        segment: usize,
        statistics: &Statistics<'_>,
    ) -> Result<Self, IndexError> {
        let Some(reader) = statistics.searcher.segment_readers().get(segment) else {
            return Ok(Self(None));
        };
        let opening = Opening {
            segment,
            reader,
            statistics,
        };
        Ok(Self(opening.node(score)?))
    }

    /// Gives the scores of records and which of them match, a window at a time, with the number of the word of bits that
    /// it begins at. Windows without a match may be left out.
    pub(super) fn each_window(mut self, mut visit: impl FnMut(u32, &Column, &Mask)) {
        let Some(root) = &mut self.0 else {
            return;
        };
        let mut next = root.next();
        while next < TERMINATED {
            let from = next - next % WORD;
            let (scores, matching) = root.scores(from);
            visit(from / WORD, &scores, &matching);
            next = root.next().max(end_of(from));
        }
    }

    /// What one record scores; zero where it does not match.
    pub(super) fn at(mut self, record: DocId) -> f32 {
        let place = record % WORD;
        let scores = self.0.as_mut().map(|root| root.scores(record - place).0);
        let score = scores.and_then(|scores| scores.get(place as usize).copied());
        score.unwrap_or(0.0)
    }

    /// All records that match.
    pub(super) fn matches(self, records: u32) -> Bits {
        let mut found = Bits::none(records);
        self.each_window(|first, _, matching| {
            for (word, bits) in (first..).zip(matching.words()) {
                found.insert_all(word, bits);
            }
        });
        found
    }
}

/// A node of the expression, as far as the segment has what it asks for.
enum Node {
    Text {
        parts: Vec<Part>,
        weight: f32,
    },
    Flat {
        postings: Box<Postings>,
        value: f32,
    },
    Engine {
        scorer: Box<dyn Scorer>,
        weight: f32,
    },
    Sum(Vec<Node>),
    Best(Vec<Node>),
    All(Vec<Node>),
    Whole(Vec<Node>, f32),
    Covering(Vec<Node>, f32),
    Also(Box<Node>, Box<Node>),
}

impl Node {
    /// No record before this one matches and was not yet passed.
    fn next(&self) -> DocId {
        let each = |nodes: &Vec<Self>| nodes.iter().map(Self::next).min().unwrap_or(TERMINATED);
        match self {
            Self::Text { parts, .. } => {
                let each = parts.iter().map(|part| part.postings.record());
                each.min().unwrap_or(TERMINATED)
            }
            Self::Flat { postings, .. } => postings.record(),
            Self::Engine { scorer, .. } => scorer.doc(),
            Self::Sum(nodes)
            | Self::Best(nodes)
            | Self::Whole(nodes, _)
            | Self::Covering(nodes, _) => each(nodes),
            Self::All(nodes) => nodes.iter().map(Self::next).max().unwrap_or(TERMINATED),
            Self::Also(must, _) => must.next(),
        }
    }

    /// Adds to a column what the records from `from` on score, and says which of them match; what does not match it
    /// leaves as it is. Windows begin at a word of bits, are asked for in rising order, and do not overlap.
    fn add(&mut self, from: DocId, to: &mut Column) -> Mask {
        let mut matching = Mask::NONE;
        match self {
            Self::Text { parts, weight } => {
                for part in parts {
                    part.add(from, *weight, to, &mut matching);
                }
            }
            Self::Flat { postings, value } => postings.each_block(from, |records, _| {
                for record in records {
                    gain(to, record - from, *value);
                    matching.insert(record - from);
                }
            }),
            Self::Engine { scorer, weight } => {
                if scorer.doc() < from {
                    scorer.seek(from);
                }
                while scorer.doc() < end_of(from) {
                    let at = scorer.doc() - from;
                    gain(to, at, scorer.score() * *weight);
                    matching.insert(at);
                    scorer.advance();
                }
            }
            Self::Sum(nodes) => {
                for node in reaching(nodes, from) {
                    matching.unite(node.add(from, to));
                }
            }
            Self::Best(nodes) => {
                let mut reaching = reaching(nodes, from).peekable();
                let Some(first) = reaching.next() else {
                    return matching;
                };
                if reaching.peek().is_none() {
                    return first.add(from, to);
                }
                let mut best = NOTHING;
                matching = first.add(from, &mut best);
                for node in reaching {
                    let (scores, of_node) = node.scores(from);
                    better(&mut best, &scores);
                    matching.unite(of_node);
                }
                add(to, &best);
            }
            Self::All(nodes) => {
                let mut sum = NOTHING;
                matching = Mask::ALL;
                for node in nodes {
                    matching.retain(node.add(from, &mut sum));
                    if matching.is_empty() {
                        return matching;
                    }
                }
                gain_where(matching, to, &sum, |sum| sum);
            }
            Self::Whole(nodes, more) => {
                let (mut sum, mut whole) = (NOTHING, Mask::ALL);
                for node in nodes {
                    let of_node = node.add(from, &mut sum);
                    matching.unite(of_node);
                    whole.retain(of_node);
                }
                add(to, &sum);
                gain_where(whole, to, &sum, |sum| sum * *more);
            }
            Self::Covering(nodes, value) => {
                let mut sum = NOTHING;
                for node in reaching(nodes, from) {
                    matching.unite(node.add(from, &mut sum));
                }
                gain_where(matching, to, &sum, |sum| sum * (sum / *value).min(1.0));
            }
            Self::Also(must, may) => {
                let mut sum = NOTHING;
                matching = must.add(from, &mut sum);
                if !matching.is_empty() {
                    may.add(from, &mut sum);
                    gain_where(matching, to, &sum, |sum| sum);
                }
            }
        }
        matching
    }

    /// What the records from `from` on score, and which of them match.
    fn scores(&mut self, from: DocId) -> (Column, Mask) {
        let mut scores = NOTHING;
        let matching = self.add(from, &mut scores);
        (scores, matching)
    }
}

/// Nodes that may match in a window.
fn reaching(nodes: &mut [Node], from: DocId) -> impl Iterator<Item = &mut Node> {
    let nodes = nodes.iter_mut();
    nodes.filter(move |node| node.next() < end_of(from))
}

/// A word in one part of a record.
struct Part {
    postings: Postings,
    /// The code of each record's length.
    codes: FieldNormReader,
    lengths: Arc<Lengths>,
}

impl Part {
    /// Adds to a column what the word gives.
    fn add(&mut self, from: DocId, weight: f32, to: &mut Column, matching: &mut Mask) {
        if self.postings.record() >= end_of(from) {
            return;
        }
        let Self { codes, lengths, .. } = self;
        self.postings.each_block(from, |records, often| {
            let mut scores = [0.0; BLOCK];
            for ((score, record), often) in scores.iter_mut().zip(records).zip(often) {
                let code = usize::from(codes.fieldnorm_id(*record));
                let once = lengths.get(code).copied().unwrap_or(0.0);
                *score = once * *often as f32;
            }
            // By itself, so that several are divided at once.
            for often in scores.iter_mut().take(records.len()) {
                *often = weight * (*often / (*often + K1));
            }
            for (record, score) in records.iter().zip(scores) {
                gain(to, record - from, score);
                matching.insert(record - from);
            }
        });
    }
}

/// The records of a term, in rising order.
struct Postings {
    blocks: BlockSegmentPostings,
    /// Place in the block.
    at: usize,
}

impl Postings {
    /// The next one that was not passed.
    fn record(&self) -> DocId {
        let next = self.blocks.docs().get(self.at);
        next.copied().unwrap_or(TERMINATED)
    }

    /// Gives the records of a window and, where that was read, how often each has the term, and passes them.
    fn each_block(&mut self, from: DocId, mut give: impl FnMut(&[DocId], &[u32])) {
        if self.record() < from {
            self.at = self.blocks.seek(from);
        }
        let end = end_of(from);
        loop {
            let records = self.blocks.docs().get(self.at..).unwrap_or_default();
            let often = self.blocks.freqs().get(self.at..).unwrap_or_default();
            let inside = records.partition_point(|record| *record < end);
            give(records.get(..inside).unwrap_or_default(), often);
            self.at += inside;
            if inside == 0 || inside < records.len() {
                return;
            }
            self.blocks.advance();
            self.at = 0;
        }
    }
}

/// What nodes are made of.
struct Opening<'o> {
    segment: usize,
    reader: &'o SegmentReader,
    statistics: &'o Statistics<'o>,
}

impl Opening<'_> {
    /// The node of an expression; none where no record of the segment can match.
    fn node(&self, score: &Score) -> Result<Option<Node>, IndexError> {
        Ok(match score {
            Score::Text { parts, weight } => {
                let mut found = Vec::with_capacity(parts.len());
                for score::Part { term, lengths } in parts {
                    if let Some(postings) = self.postings(term, IndexRecordOption::WithFreqs)? {
                        found.push(Part {
                            postings,
                            codes: self.reader.get_fieldnorms_reader(term.field())?,
                            lengths: lengths.clone(),
                        });
                    }
                }
                let weight = *weight * (K1 + 1.0);
                (!found.is_empty()).then_some(Node::Text {
                    parts: found,
                    weight,
                })
            }
            Score::Flat { term, value } => {
                let postings = self.postings(term, IndexRecordOption::Basic)?;
                let value = *value;
                postings.map(|postings| Node::Flat {
                    postings: Box::new(postings),
                    value,
                })
            }
            Score::Engine { query, weight } => {
                let searcher = self.statistics.searcher;
                let scoring =
                    EnableScoring::enabled_from_statistics_provider(self.statistics, searcher);
                let scorer = query.weight(scoring)?.scorer(self.reader, 1.0)?;
                Some(Node::Engine {
                    scorer,
                    weight: *weight,
                })
            }
            Score::Sum(parts) => some_of(self.nodes(parts)?, Node::Sum),
            Score::Best(parts) => some_of(self.nodes(parts)?, Node::Best),
            Score::All(parts) => all_of(self.nodes(parts)?, parts, Node::All),
            Score::Whole(parts, more) => {
                let nodes = self.nodes(parts)?;
                match nodes.len() == parts.len() {
                    true => all_of(nodes, parts, |nodes| Node::Whole(nodes, *more)),
                    false => some_of(nodes, Node::Sum),
                }
            }
            Score::Covering(parts, value) => {
                let nodes = self.nodes(parts)?;
                (!nodes.is_empty()).then_some(Node::Covering(nodes, *value))
            }
            Score::Also(must, may) => match (self.node(must)?, self.node(may)?) {
                (Some(must), Some(may)) => Some(Node::Also(Box::new(must), Box::new(may))),
                (must, _) => must,
            },
        })
    }

    fn nodes(&self, parts: &[Score]) -> Result<Vec<Node>, IndexError> {
        let mut nodes = Vec::with_capacity(parts.len());
        for part in parts {
            nodes.extend(self.node(part)?);
        }
        Ok(nodes)
    }

    fn postings(
        &self,
        term: &Term,
        option: IndexRecordOption,
    ) -> Result<Option<Postings>, IndexError> {
        let blocks = self.statistics.postings(self.segment, term, option)?;
        Ok(blocks.map(|blocks| Postings { blocks, at: 0 }))
    }
}

/// Any of the nodes; one alone stands for itself.
fn some_of(mut nodes: Vec<Node>, of: impl FnOnce(Vec<Node>) -> Node) -> Option<Node> {
    match nodes.len() {
        0 | 1 => nodes.pop(),
        _ => Some(of(nodes)),
    }
}

/// All of the nodes, where all parts have one.
fn all_of(nodes: Vec<Node>, parts: &[Score], of: impl FnOnce(Vec<Node>) -> Node) -> Option<Node> {
    (!nodes.is_empty() && nodes.len() == parts.len()).then(|| of(nodes))
}
