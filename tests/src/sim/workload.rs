//! What officers and admins do: new records, edits, comments, imports, groups, trust. Each job goes
//! through the same step of the engine as a request of the API would.

use std::collections::{BTreeMap, BTreeSet};

use diwan_core::group::{Member, Role};
use diwan_core::id::{AgencyId, GroupId, RecordId};
use diwan_core::record::{Content, Edit, Editors, Version};
use diwan_core::trust::TrustState;
use diwan_core::verify;
use diwan_node::engine::{EngineError, MemberChange, RecordDraft};

use super::network::{Event, NodeId};
use super::node::{Node, Order};
use super::task::{Done, Task, entry};
use super::world::World;
use crate::kit::Random;

/// The first letter that marks an edit: each mark is one letter that no other text has, so that no
/// merge can tear it.
const FIRST_MARK: u32 = 0x4e00;
/// How the name of every group begins; a token follows.
pub const GROUP_NAME: &str = "groupe ";
const WORDS: &[&str] = &[
    "enquête",
    "preuve",
    "réseau",
    "saisie",
    "analyse",
    "frontière",
    "échange",
    "شرطة",
    "تحقيق",
    "دليل",
    "تعاون",
    "evidence",
    "border",
    "training",
    "phishing",
    "wallet",
];
const KINDS: &[&str] = &["guideline", "experience", "practice", "training", "need"];

/// A page that an officer looks at: what is written later builds on it.
#[derive(Clone, Debug)]
struct Page {
    node: NodeId,
    record: RecordId,
    version: Version,
    content: Content,
}

/// The officers of all nodes.
#[derive(Debug)]
pub struct Officers {
    random: Random,
    marks: u32,
    pages: Vec<Page>,
    suspended: Vec<(NodeId, AgencyId)>,
    /// Jobs that are still to come in this round.
    pub left: u64,
    /// Jobs that were done.
    pub done: u64,
    /// Jobs that were refused.
    pub refused: BTreeMap<String, u64>,
}

impl Officers {
    /// Officers who have done nothing.
    #[must_use]
    pub fn new(random: Random) -> Self {
        Self {
            random,
            marks: 0,
            pages: Vec::new(),
            suspended: Vec::new(),
            left: 0,
            done: 0,
            refused: BTreeMap::new(),
        }
    }

    fn mark(&mut self) -> char {
        self.marks += 1;
        char::from_u32(FIRST_MARK + self.marks % 20_000).unwrap_or('一')
    }

    fn sentence(&mut self, words: u64) -> String {
        let word = |_| *self.random.pick(WORDS).unwrap_or(&"mot");
        let words: Vec<&str> = (0..words).map(word).collect();
        words.join(" ")
    }

    fn draft(&mut self, token: &str, mark: char, kind: &str) -> RecordDraft {
        let mut content = Content::default();
        let title = format!("{token} {}", self.sentence(3));
        content.texts.insert("title.fr".to_owned(), title);
        let mut body = format!("{token} {mark} {}\n\n", self.sentence(8));
        for _ in 0..self.random.below(3) {
            let length = self.random.between(3, 14);
            body.push_str(&self.sentence(length));
            body.push_str("\n\n");
        }
        content.texts.insert("body.fr".to_owned(), body);
        if self.random.percent(30) {
            let summary = self.sentence(5);
            content.texts.insert("summary.ar".to_owned(), summary);
        }
        let theme = ["themes.cybercrime", "themes.drugs", "tags.a"];
        content
            .sets
            .extend(self.random.pick(&theme).map(|t| (*t).to_owned()));
        RecordDraft {
            kind: kind.to_owned(),
            content,
            editors: Editors::Group,
            record: None,
            file_name: None,
        }
    }
}

/// Puts a mark between two words of one line, and now and then takes a word out or changes one.
fn rewrite(body: &str, mark: char, random: &mut Random) -> String {
    let mut lines: Vec<String> = body.split('\n').map(str::to_owned).collect();
    let at = random.index(lines.len().max(1));
    let Some(line) = lines.get_mut(at) else {
        return format!("{body} {mark} ");
    };
    let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    let is_mark = |word: &str| word.chars().any(|c| u32::from(c) >= FIRST_MARK);
    let place = random.index(words.len());
    if words.len() > 2 && !is_mark(&words[place]) && !words[place].contains("tk-") {
        match random.below(4) {
            0 => {
                words.remove(place);
            }
            1 => words[place] = (*random.pick(WORDS).unwrap_or(&"mot")).to_owned(),
            _ => {}
        }
    }
    let place = random.index(words.len() + 1);
    words.insert(place, mark.to_string());
    *line = words.join(" ");
    lines.join("\n")
}

impl World {
    /// The admins compared fingerprints: everybody is on everybody's list.
    pub(super) fn pin_each_other(&mut self) -> Result<(), String> {
        let cards: Result<Vec<_>, String> = self.nodes.iter().map(card).collect();
        let cards = cards?;
        for (at, node) in self.nodes.iter_mut().enumerate() {
            let Some(committer) = node.committer.as_mut() else {
                continue;
            };
            for (of, text) in cards.iter().enumerate() {
                if of != at {
                    let card = verify::card(text).map_err(|error| error.to_string())?;
                    committer
                        .run(|step| step.trust_card(&card, entry(TrustState::Pinned)))
                        .map_err(|error| error.to_string())?;
                }
            }
        }
        Ok(())
    }

    /// The groups of the plan are founded, by honest owners. The last group is without the nodes
    /// that were broken into.
    pub(super) fn found_groups(&mut self) {
        let honest: Vec<NodeId> = (0..self.nodes.len())
            .filter(|id| !self.nodes[*id].byzantine)
            .collect();
        for number in 0..self.plan.groups {
            let Some(owner) = self.officers.random.pick(&honest).copied() else {
                return;
            };
            let closed = number > 0 && number + 1 == self.plan.groups;
            let mut members = Vec::new();
            for (id, node) in self.nodes.iter().enumerate() {
                let invited = number == 0 || self.officers.random.percent(60);
                if id != owner && invited && !(closed && node.byzantine) {
                    let role = match self.officers.random.below(6) {
                        0 => Role::Reader,
                        1 => Role::Curator,
                        _ => Role::Contributor,
                    };
                    let agency = node.agency;
                    members.push(Member { agency, role });
                }
            }
            let name = format!("{GROUP_NAME}{}", self.officers.token());
            let task = Task::Found(name, members);
            self.give(owner, task);
        }
    }

    fn give(&mut self, node: NodeId, task: Task) {
        if self.nodes[node].is_up() {
            self.say(node, format_args!("officer: {}", task.word()));
            self.order(node, Order::Officer(task));
        }
    }

    /// An officer somewhere does something.
    pub(super) fn officer_acts(&mut self) {
        if self.calm || self.officers.left == 0 {
            return;
        }
        self.officers.left -= 1;
        let node = self.officers.random.index(self.nodes.len());
        let task = match self.officers.random.below(20) {
            0 | 1 => self.change_of_trust(node),
            2 | 3 => self.change_of_member(),
            4 => {
                let port = self.officers.random.below(60_000);
                let addresses = vec![format!("/ip4/10.0.0.{node}/tcp/{port}")];
                Some((node, Task::Announce(addresses)))
            }
            5 | 6 => self.import(node),
            7..=11 => self.new_record(node),
            _ => self.edit(node),
        };
        if let Some((node, task)) = task {
            self.give(node, task);
        }
    }

    fn change_of_trust(&mut self, node: NodeId) -> Option<(NodeId, Task)> {
        let officers = &mut self.officers;
        if !officers.suspended.is_empty() && officers.random.percent(60) {
            let at = officers.random.index(officers.suspended.len());
            let (node, agency) = officers.suspended.remove(at);
            return Some((node, Task::Trust(agency, TrustState::Pinned)));
        }
        let others = self.nodes.iter().map(|node| node.agency);
        let others: Vec<AgencyId> = others.filter(|a| *a != self.nodes[node].agency).collect();
        let agency = *officers.random.pick(&others)?;
        let state = match officers.random.percent(75) {
            true => TrustState::Suspended,
            false => TrustState::Blocked,
        };
        officers.suspended.push((node, agency));
        Some((node, Task::Trust(agency, state)))
    }

    fn change_of_member(&mut self) -> Option<(NodeId, Task)> {
        let groups = self.model.shared_groups();
        let officers = &mut self.officers;
        let group = *officers.random.pick(&groups)?;
        let owner = self.model.owner(&group)?;
        let state = self.nodes[owner].state()?;
        let chain = &state.replica.group(&group)?.chain;
        let candidates: Vec<NodeId> = (0..self.nodes.len()).filter(|id| *id != owner).collect();
        let agency = self.nodes[*officers.random.pick(&candidates)?].agency;
        let role = *officers
            .random
            .pick(&[Role::Reader, Role::Contributor, Role::Curator])?;
        let member = Member { agency, role };
        let change = match chain.role(&agency) {
            None => MemberChange::Add(member),
            Some(_) if officers.random.percent(50) => MemberChange::Remove(agency),
            Some(_) => MemberChange::SetRole(member),
        };
        Some((owner, Task::Member(group, change)))
    }

    /// A group in which a node may write, and the token of that group's texts.
    fn group_to_write(&mut self, node: NodeId) -> Option<(GroupId, String)> {
        let state = self.nodes[node].state()?;
        let agency = self.nodes[node].agency;
        let may_write = state
            .replica
            .groups()
            .iter()
            .filter(|(_, group)| group.chain.role(&agency) >= Some(Role::Contributor));
        let groups: Vec<GroupId> = may_write.map(|(id, _)| *id).collect();
        let group = *self.officers.random.pick(&groups)?;
        let token = self.model.token(&group)?;
        Some((group, token))
    }

    fn new_record(&mut self, node: NodeId) -> Option<(NodeId, Task)> {
        let (group, token) = self.group_to_write(node)?;
        let about = self.some_record(node, &group);
        let officers = &mut self.officers;
        let mark = officers.mark();
        let comment = officers.random.percent(25);
        let kind = match (comment, &about) {
            (true, Some(_)) => "comment",
            _ => officers.random.pick(KINDS)?,
        };
        let mut draft = officers.draft(&token, mark, kind);
        if let Some(about) = about.filter(|_| comment) {
            draft.content.add_link("about", &about);
        }
        if officers.random.percent(10) {
            draft.editors = Editors::Listed(Vec::new());
        }
        Some((node, Task::New(group, Box::new(draft), mark)))
    }

    fn import(&mut self, node: NodeId) -> Option<(NodeId, Task)> {
        let (group, token) = self.group_to_write(node)?;
        let officers = &mut self.officers;
        let mut drafts = Vec::new();
        for _ in 0..officers.random.between(2, 6) {
            let mark = officers.mark();
            let mut draft = officers.draft(&token, mark, "guideline");
            let key = format!("{node}/{}.md", officers.marks);
            draft.content.values.insert("import_key".to_owned(), key);
            drafts.push((draft, mark));
        }
        Some((node, Task::Import(group, drafts)))
    }

    /// A record of a group that a node shows.
    fn some_record(&mut self, node: NodeId, group: &GroupId) -> Option<RecordId> {
        let reading = self.nodes[node].committer.as_ref()?.store().read().ok()?;
        let mut found = Vec::new();
        for (id, num) in reading.records_by_id().ok()? {
            let row = reading.record(num).ok()??;
            if row.group == *group {
                found.push(id);
            }
        }
        self.officers.random.pick(&found).copied()
    }

    /// An officer opens a page, or writes on one that was opened before.
    fn edit(&mut self, node: NodeId) -> Option<(NodeId, Task)> {
        let old =
            (!self.officers.pages.is_empty() && self.officers.random.percent(30)).then(|| {
                let at = self.officers.random.index(self.officers.pages.len());
                self.officers.pages.remove(at)
            });
        let page = match old {
            Some(page) => page,
            None => self.open_page(node)?,
        };
        if self.officers.random.percent(15) {
            self.officers.pages.push(page.clone());
        }
        let officers = &mut self.officers;
        let mut edit = Edit::default();
        let mut mark = None;
        match (officers.random.below(10), page.content.texts.get("body.fr")) {
            (0, _) => {
                let label = *officers.random.pick(&["GREEN", "AMBER", "RED"])?;
                edit.values.insert("tlp".to_owned(), Some(label.to_owned()));
            }
            (1, _) => {
                let tag = officers.sentence(1);
                edit.sets.insert("tags".to_owned(), BTreeSet::from([tag]));
            }
            (2, _) => {
                let text = officers.sentence(4);
                edit.texts.insert("body.ar".to_owned(), Some(text));
            }
            (_, Some(body)) => {
                let new = officers.mark();
                let text = rewrite(body, new, &mut officers.random);
                edit.texts.insert("body.fr".to_owned(), Some(text));
                mark = Some(new);
            }
            _ => return None,
        }
        let task = Task::Edit(page.record, Some(page.version), Box::new(edit), mark);
        Some((page.node, task))
    }

    fn open_page(&mut self, node: NodeId) -> Option<Page> {
        let reading = self.nodes[node].committer.as_ref()?.store().read().ok()?;
        let records = reading.records_by_id().ok()?;
        let (record, num) = *self.officers.random.pick(&records)?;
        let row = reading.record(num).ok()??;
        let content = reading.content(num, &row).ok()??;
        Some(Page {
            node,
            record,
            version: row.version.into(),
            content,
        })
    }

    /// The engine answered, after the commit.
    pub(super) fn officer_hears(
        &mut self,
        node: NodeId,
        task: &Task,
        done: Result<Done, EngineError>,
    ) {
        match done {
            Ok(done) => {
                self.officers.done += 1;
                self.say(node, format_args!("done: {}", task.word()));
                if let Done::Marked(marked) = done {
                    for (record, mark) in marked {
                        self.model.acknowledged(node, record, mark);
                    }
                }
            }
            Err(error) => {
                self.say(node, format_args!("refused: {} ({error})", task.word()));
                let code = match &error {
                    EngineError::Refused(error) => format!("{:?}", error.code),
                    other => other.to_string(),
                };
                *self.officers.refused.entry(code).or_default() += 1;
            }
        }
    }

    /// Plans the jobs, faults and misbehaviours of one round.
    pub(super) fn plan_round(&mut self) {
        let (now, span) = (self.time.now_ms(), self.plan.trouble_ms);
        self.calm = false;
        self.officers.left = self.plan.jobs;
        for _ in 0..self.plan.jobs {
            let at = now + self.random.below(span);
            self.schedule.at(at, Event::Officer);
        }
        for _ in 0..self.plan.faults {
            let at = now + self.random.below(span);
            self.schedule.at(at, Event::Break);
        }
        for _ in 0..self.plan.mischief {
            let at = now + self.random.below(span);
            self.schedule.at(at, Event::Mischief);
        }
    }
}

impl Officers {
    /// A word that stands in every text of one group and nowhere else.
    pub fn token(&mut self) -> String {
        format!("tk-{:012x}", self.random.bits() >> 16)
    }
}

fn card(node: &Node) -> Result<String, String> {
    let state = node.state().ok_or("the node is down")?;
    let chain = state.replica.agency(&node.agency).cloned();
    let chain = chain.ok_or("a node without its agency")?;
    Ok(diwan_core::identity::Card { chain }.render())
}
