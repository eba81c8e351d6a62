//! What replaces tokio and libp2p: it gives sessions what happened and fulfils their wishes, in the
//! order in which `engine::peers` does, and lets the writer commit.

use diwan_core::id::{GroupId, Writer};
use diwan_core::limits;
use diwan_core::sync::{Input, Message, Session, Wish};
use diwan_node::engine::{EngineError, Machine, Step, Taken, compared, served};

use super::disk::Trouble;
use super::network::{Event, LinkId, NodeId};
use super::node::{Live, Order};
use super::task::{Done, Task};
use super::world::World;

/// Bytes that wait for a peer that does not read: then the session ends, as in the node itself.
pub(super) const QUEUED_BYTES: usize = 32 * 1024 * 1024;
/// Bytes under way above which no further range is read: two batches, as in the node itself.
const BATCHES_AHEAD_BYTES: usize = 2 * limits::BATCH_TARGET_BYTES;

/// What became of an order.
enum Answer {
    Taken(LinkId, Input),
    Done(Task, Result<Done, EngineError>),
}

impl World {
    /// Two nodes try to meet: both must run, trust each other and reach each other.
    pub(super) fn dial(&mut self, a: NodeId, b: NodeId) {
        if self.network.link_between(a, b).is_some() || !self.network.has_road(a, b) {
            return;
        }
        let now = self.time.now_ms();
        if !(self.talks_to(a, b) && self.talks_to(b, a) && self.network.is_clear(a, b)) {
            let pause = self.network.pause(a, b);
            self.schedule.at(now + pause, Event::Dial(a, b));
            return;
        }
        let Some(link) = self.network.connect(a, b, now) else {
            return;
        };
        self.say(a, format_args!("link {link} with {}", self.name(b)));
        for (at, peer) in [(a, b), (b, a)] {
            self.older_links_end(at, peer, link);
            let (key, agency) = (self.nodes[peer].me.node, self.nodes[peer].agency);
            let now_ms = self.nodes[at].machine.elapsed_ms();
            let live = Live::new(Session::new(key, agency, now_ms), peer, key);
            self.nodes[at].sessions.insert(link, live);
        }
        self.pump(a, link);
        self.pump(b, link);
    }

    fn older_links_end(&mut self, at: NodeId, peer: NodeId, newest: LinkId) {
        let sessions = self.nodes[at].sessions.iter();
        let older = sessions.filter(|(link, live)| live.peer == peer && **link != newest);
        for link in older.map(|(link, _)| *link).collect::<Vec<_>>() {
            self.session_ends(link, at, "a new link replaces it");
        }
    }

    /// Whether a node runs and would talk to another one.
    pub(super) fn talks_to(&self, at: NodeId, peer: NodeId) -> bool {
        let key = self.nodes[peer].me.node;
        self.nodes[at]
            .state()
            .is_some_and(|state| state.replica.may_talk_to(&key))
    }

    /// A session is over at one end.
    pub(super) fn session_ends(&mut self, link: LinkId, at: NodeId, why: &str) {
        if self.nodes[at].sessions.remove(&link).is_none() {
            return;
        }
        self.say(at, format_args!("link {link} over: {why}"));
        let now = self.time.now_ms();
        let Some(other) = self.network.other(link, at) else {
            return;
        };
        let pause = self.network.close((link, at), now, &mut self.schedule);
        if let Some(pause) = pause {
            self.schedule.at(now + pause, Event::Dial(at, other));
        }
        if !self.nodes[other].sessions.contains_key(&link) {
            self.network.forget(link);
        }
    }

    /// A frame reaches a node.
    pub(super) fn arrive(&mut self, link: LinkId, to: NodeId, frame: Vec<u8>) {
        if self.nodes[to].byzantine {
            self.mallory.overhear(&frame);
        }
        match self.nodes[to].sessions.get_mut(&link) {
            Some(live) => live.frames.push_back(frame),
            None => return,
        }
        self.pump(to, link);
    }

    /// Lets a session go on until it waits.
    pub(super) fn pump(&mut self, node: NodeId, link: LinkId) {
        loop {
            let Some(state) = self.nodes[node].state() else {
                return;
            };
            let at = &mut self.nodes[node];
            let now_ms = at.machine.elapsed_ms();
            let sessions = &mut at.sessions;
            let Some(live) = sessions.get_mut(&link).filter(|live| !live.waits()) else {
                return;
            };
            if let Some(wish) = live.wishes.pop_front() {
                self.fulfil(node, link, wish);
                continue;
            }
            let Some((input, bytes)) = live.next_input(&mut self.random) else {
                return;
            };
            let wishes = live.session.handle(input, &state.replica, now_ms);
            let peer = live.peer;
            self.network.taken(link, node, bytes);
            self.judge_wishes((node, peer), &state.replica, &wishes);
            if let Some(live) = self.nodes[node].sessions.get_mut(&link) {
                live.wishes = wishes.into();
            }
        }
    }

    fn fulfil(&mut self, node: NodeId, link: LinkId, wish: Wish) {
        match wish {
            Wish::Send(frame) => match self.nodes[node].byzantine {
                true => self.send_tampered(node, link, frame),
                false => self.send(node, link, frame),
            },
            Wish::Read {
                group,
                writer,
                from,
            } => {
                let read = Event::Read {
                    node,
                    life: self.nodes[node].life,
                    link,
                    group,
                    writer,
                    from,
                };
                let at = self.time.now_ms() + self.random.between(0, 3);
                self.schedule.at(at, read);
            }
            Wish::Submit(incoming) => {
                let at = &mut self.nodes[node];
                let key = at.sessions.get(&link).map(|live| live.key);
                let state = at.state();
                let agency = key.and_then(|key| state?.replica.agency_of(&key));
                let Some(from) = agency else {
                    return self.session_ends(link, node, "the peer lost its place");
                };
                if let Some(live) = at.sessions.get_mut(&link) {
                    live.submits(&incoming, &mut self.random);
                }
                self.order(
                    node,
                    Order::Incoming {
                        link,
                        from,
                        incoming,
                    },
                );
            }
            Wish::Compare {
                group,
                writer,
                points,
            } => {
                let answer = self.nodes[node].read_for(|state, reading| {
                    let message = compared(state, reading, (group, writer), &points)?;
                    Ok(message.into_iter().collect())
                });
                self.answered(node, link, group, answer);
            }
            Wish::Serve { group, entries } => {
                let answer = self.nodes[node]
                    .read_for(|state, reading| served(state, reading, group, &entries));
                self.answered(node, link, group, answer);
            }
            Wish::Close(reason) => {
                self.judge_close((node, link), &reason);
                self.session_ends(link, node, &reason.to_string());
            }
        }
    }

    fn answered(
        &mut self,
        node: NodeId,
        link: LinkId,
        group: GroupId,
        answer: Result<Vec<Message>, String>,
    ) {
        match answer {
            Ok(messages) => {
                if let Some(live) = self.nodes[node].sessions.get_mut(&link) {
                    live.inputs.push_front(Input::Answer { group, messages });
                }
            }
            Err(error) => self.session_ends(link, node, &error),
        }
    }

    /// Sends a frame as it is.
    pub(super) fn send(&mut self, node: NodeId, link: LinkId, frame: Vec<u8>) {
        let waiting = self.network.under_way(link, node) + frame.len();
        self.judges.waiting_bytes(waiting);
        if waiting > QUEUED_BYTES {
            return self.session_ends(link, node, "the peer asks and does not read the answers");
        }
        if self.trace.is_wanted() {
            let to = self.network.other(link, node).unwrap_or(node);
            let what = super::report::frame_in_words(&frame);
            self.say(node, format_args!("to n{to} on {link}: {what}"));
        }
        // Types 6 and 7 only ask whether somebody is there.
        if frame.first().is_some_and(|kind| *kind < 6) {
            self.network.sent += 1;
        }
        let now = self.time.now_ms();
        self.network.send(
            (link, node),
            frame,
            (now, &mut self.random),
            &mut self.schedule,
        );
    }

    /// Reads a range for a session, as soon as there is room for it.
    pub(super) fn read(
        &mut self,
        node: NodeId,
        link: LinkId,
        (group, writer, from): (GroupId, Writer, u64),
    ) {
        let at = &self.nodes[node];
        if !at.sessions.contains_key(&link) {
            return;
        }
        if self.network.under_way(link, node) > BATCHES_AHEAD_BYTES {
            let again = Event::Read {
                node,
                life: at.life,
                link,
                group,
                writer,
                from,
            };
            return self.schedule.at(self.time.now_ms() + 20, again);
        }
        let Some(committer) = &at.committer else {
            return;
        };
        let state = committer.state();
        let log = state.logs.get(&(group, writer)).copied();
        let found = state.replica.group(&group);
        let end = found.and_then(|found| state.replica.end_of_log(found, &writer));
        let last_valid = end.map(|end| end.last.seq);
        let range = log.map(|log| {
            let reading = committer.store().read()?;
            reading.range(log, from, limits::BATCH_TARGET_BYTES, last_valid)
        });
        match range.transpose() {
            Ok(range) => {
                if let Some(live) = self.nodes[node].sessions.get_mut(&link) {
                    live.read = Some((group, writer, range.flatten()));
                }
                self.pump(node, link);
            }
            Err(error) => self.session_ends(link, node, &error.to_string()),
        }
    }

    /// Gives the writer a job.
    pub(super) fn order(&mut self, node: NodeId, order: Order) {
        let at = &mut self.nodes[node];
        if at.committer.is_none() {
            return;
        }
        at.queue.push_back(order);
        self.commit_soon(node);
    }

    fn commit_soon(&mut self, node: NodeId) {
        let at = &mut self.nodes[node];
        if at.committing || at.queue.is_empty() {
            return;
        }
        at.committing = true;
        let commit = Event::Commit {
            node,
            life: at.life,
        };
        let (low, high) = at.commit_ms;
        let due = self.time.now_ms() + self.random.between(low, high);
        self.schedule.at(due, commit);
    }

    /// The writer takes what waits into one durable commit; only then is anybody answered.
    pub(super) fn commit(&mut self, node: NodeId) {
        self.nodes[node].committing = false;
        let orders = self.nodes[node].next_orders();
        let Some(committer) = self.nodes[node].committer.as_mut() else {
            return;
        };
        let sessions: Vec<LinkId> = orders.iter().filter_map(waiting_session).collect();
        let before = committer.state().clone();
        let outcome = committer.run(|step| {
            let answers = orders.into_iter().map(|order| perform(step, order));
            answers.collect::<Result<Vec<_>, _>>()
        });
        match (self.nodes[node].disk.trouble(), &outcome) {
            (Trouble::Off, _) => return self.power_goes(node),
            // The commit is durable, and nobody hears of it.
            (Trouble::PowerAt(_), Ok(_)) if self.random.percent(50) => {
                return self.power_goes(node);
            }
            _ => {}
        }
        match outcome {
            Ok(answers) => {
                self.model.committed(&self.nodes[node], &before);
                self.judge_commit(node);
                self.answer(node, answers);
            }
            Err(error) => {
                self.say(node, format_args!("commit failed: {error}"));
                self.commit_failed(node, &sessions, &error.to_string());
            }
        }
        self.commit_soon(node);
    }

    fn answer(&mut self, node: NodeId, answers: Vec<Answer>) {
        let at = &mut self.nodes[node];
        for live in at.sessions.values_mut() {
            live.changed = true;
        }
        for answer in answers {
            match answer {
                Answer::Taken(link, input) => {
                    if self.trace.is_wanted() {
                        self.say_refused(node, link, &input);
                    }
                    if let Some(live) = self.nodes[node].sessions.get_mut(&link) {
                        live.submitted -= 1;
                        live.inputs.push_back(input);
                    }
                }
                Answer::Done(task, done) => self.officer_hears(node, &task, done),
            }
        }
        self.follow_trust(node);
        let links: Vec<LinkId> = self.nodes[node].sessions.keys().copied().collect();
        for link in links {
            self.pump(node, link);
        }
    }

    fn say_refused(&mut self, node: NodeId, link: LinkId, input: &Input) {
        if let Input::Submitted { stored, refused } = input {
            let codes: Vec<&str> = refused.iter().map(|item| item.code).collect();
            if *stored > 0 || !codes.is_empty() {
                self.say(
                    node,
                    format_args!("stored {stored} from {link}, refused {codes:?}"),
                );
            }
        }
    }

    fn commit_failed(&mut self, node: NodeId, sessions: &[LinkId], why: &str) {
        self.nodes[node].sick = true;
        for link in sessions {
            self.session_ends(*link, node, why);
        }
        self.supervise(node);
    }

    /// Links to whom a node no longer talks end at once; those to whom it talks again are dialled.
    fn follow_trust(&mut self, node: NodeId) {
        let now = self.time.now_ms();
        for (a, b) in self.network.roads() {
            let peer = match (a == node, b == node) {
                (true, _) => b,
                (_, true) => a,
                _ => continue,
            };
            if self.talks_to(node, peer) {
                continue;
            }
            let sessions = self.nodes[node].sessions.iter();
            let gone = sessions.filter(|(_, live)| live.peer == peer);
            for link in gone.map(|(link, _)| *link).collect::<Vec<_>>() {
                self.session_ends(link, node, "no longer trusted");
            }
            if self.network.link_between(a, b).is_none() && !self.is_dialling(a, b) {
                self.schedule.at(now + 1_000, Event::Dial(a, b));
            }
        }
    }

    fn is_dialling(&self, a: NodeId, b: NodeId) -> bool {
        self.schedule.any(
            |event| matches!(event, Event::Dial(x, y) if (*x, *y) == (a, b) || (*x, *y) == (b, a)),
        )
    }
}

fn waiting_session(order: &Order) -> Option<LinkId> {
    match order {
        Order::Incoming { link, .. } => Some(*link),
        Order::Officer(_) => None,
    }
}

/// One job of a commit. What is refused is an answer; a store that fails ends the commit.
fn perform(step: &mut Step<'_, '_>, order: Order) -> Result<Answer, EngineError> {
    match order {
        Order::Incoming {
            link,
            from,
            incoming,
        } => {
            let Taken {
                stored, refused, ..
            } = step.take_incoming(&from, incoming)?;
            Ok(Answer::Taken(link, Input::Submitted { stored, refused }))
        }
        Order::Officer(task) => match task.perform(step) {
            Err(EngineError::Store(error)) => Err(error.into()),
            done => Ok(Answer::Done(task, done)),
        },
    }
}
