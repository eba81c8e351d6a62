//! The demonstration: three national nodes as real processes on this machine, one knowledge base.
//!
//! It uses nothing that others could not use: nodes are made and run by this program's own commands,
//! and everything after that goes through their sockets, as officers' commands do. What it claims it
//! has checked; the first thing that does not hold ends it, with the step's name.

mod after;
mod compare;
mod documents;
mod fault;
mod find;
mod meet;
mod merge;
mod node;
mod passages;
mod place;
mod report;
mod share;
mod tell;
mod wait;

use std::path::PathBuf;

use diwan_api::error::{ApiError, ErrorCode, Exit};
use diwan_api::message::Catalogue;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use documents::Documents;
use fault::DemoError;
use node::{Deaths, Node, Trio};
use place::Place;
use report::Verified;
use tell::Teller;

/// What is asked of a demonstration.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Directory of the homes, which then stay; a fresh one, removed at the end, where none is said.
    pub dir: Option<PathBuf>,
    /// File or folder to import instead of the sample.
    pub import: Option<PathBuf>,
    /// End when all has been shown, instead of staying up.
    pub exit: bool,
    /// Print one JSON document of what was verified on the standard output, and the rest on the
    /// standard error.
    pub json: bool,
}

/// Shows it all. Ends when it was asked to, at a signal, or when something does not hold; the three
/// nodes end with it.
///
/// # Errors
/// [`ErrorCode::DemoFailed`] with the step; [`ErrorCode::InvalidValue`] and the like before anything
/// began.
pub fn run(request: &Request, catalogue: &Catalogue) -> Result<Exit, ApiError> {
    let documents = Documents::find(request.import.as_deref())?;
    let place = Place::make(request.dir.as_deref())?;
    let mut teller = Teller::new(catalogue, request.json);
    let runtime = Runtime::new().map_err(internal)?;
    let outcome = runtime.block_on(perform(request, &documents, &place, &mut teller));
    // Whoever did not stop in time is killed with it, so that nobody writes where we remove.
    drop(runtime);
    let outcome = outcome.map_err(|error| {
        ApiError::new(ErrorCode::DemoFailed)
            .with("step", teller.step_title())
            .with("detail", error.words(&teller))
    });
    leave(&place, outcome.is_ok(), &teller);
    outcome
}

/// Shows, stays up where that was asked, and stops the nodes whatever came of it.
async fn perform(
    request: &Request,
    documents: &Documents,
    place: &Place,
    teller: &mut Teller<'_>,
) -> Result<Exit, DemoError> {
    let mut nodes = Vec::new();
    let (deaths, mut died) = watch::channel(None);
    let mut stop = Stop::listen().map_err(DemoError::file(place.dir()))?;
    let outcome = tokio::select! {
        outcome = show_and_stay(request, documents, place, teller, &mut nodes, &deaths) => outcome,
        shown = stop.asked() => Ok(shown),
        died = death(&mut died) => Err(died),
    };
    let outcome = match outcome {
        // Staying up is meant to be ended like this.
        Ok(Exit::Interrupted) if teller.all_shown() => Ok(Exit::Done),
        other => other,
    };
    if !nodes.is_empty() {
        teller.space();
        teller.plain("demo-stopping", &[]);
    }
    futures::future::join_all(nodes.into_iter().map(Node::stop)).await;
    outcome
}

async fn show_and_stay(
    request: &Request,
    documents: &Documents,
    place: &Place,
    teller: &mut Teller<'_>,
    nodes: &mut Vec<Node>,
    deaths: &Deaths,
) -> Result<Exit, DemoError> {
    let verified = show(documents, place, teller, nodes, deaths).await?;
    if request.json {
        verified.print().map_err(DemoError::file(place.dir()))?;
    }
    if !request.exit
        && let Some(trio) = Trio::of(nodes)
    {
        after::invite(teller, trio, &verified);
        teller.end("demo-staying-up");
        return std::future::pending().await;
    }
    Ok(Exit::Done)
}

/// The steps, in order.
async fn show(
    documents: &Documents,
    place: &Place,
    teller: &mut Teller<'_>,
    nodes: &mut Vec<Node>,
    deaths: &Deaths,
) -> Result<Verified, DemoError> {
    let dir = place.dir().display().to_string();
    teller.plain("demo-title", &[("dir", dir.into())]);
    let trio = meet::start(teller, place, nodes, deaths).await?;
    meet::exchange_cards(teller, place, trio).await?;
    share::create_group(teller, trio).await?;
    let report = share::import(teller, place, documents, trio).await?;
    share::spread(teller, trio, &report).await?;
    let shelf = find::Shelf::read(trio.ma).await?;
    let found = find::search(teller, documents, &report, &shelf, trio).await?;
    find::prove_origin(teller, &found, trio).await?;
    let subject = merge::choose(&found, &shelf, trio).await?;
    merge::edit_apart(teller, place, &subject, trio).await?;
    let merged = merge::come_together(teller, subject, trio).await?;
    compare::exports(teller, place, trio).await?;
    teller.space();
    teller.plain("demo-all-shown", &[]);
    Ok(Verified::of(trio, &report, &shelf, found, merged))
}

/// Says where the homes are, or removes them. After a failure they stay: their logs are needed.
fn leave(place: &Place, good: bool, teller: &Teller<'_>) {
    let dir = [("dir", place.dir().display().to_string().into())];
    if !good {
        return teller.plain("demo-logs", &dir);
    }
    if !place.is_passing() {
        return teller.plain("demo-kept", &dir);
    }
    match place.remove() {
        Ok(()) => teller.plain("demo-removed", &dir),
        Err(_) => teller.plain("demo-kept", &dir),
    }
}

/// What a user or a system sends to end a program.
struct Stop([Signal; 3]);

impl Stop {
    fn listen() -> std::io::Result<Self> {
        Ok(Self([
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ]))
    }

    async fn asked(&mut self) -> Exit {
        let Self([interrupt, terminate, hangup]) = self;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
        Exit::Interrupted
    }
}

/// Waits until a node's process ends although nobody stopped it.
async fn death(died: &mut watch::Receiver<Option<(&'static str, String)>>) -> DemoError {
    match died.wait_for(Option::is_some).await.as_deref() {
        Ok(Some((short, status))) => DemoError::Ended {
            short,
            status: status.clone(),
        },
        // The sender lives as long as the demonstration.
        Ok(None) | Err(_) => std::future::pending().await,
    }
}

fn internal(error: std::io::Error) -> ApiError {
    ApiError::new(ErrorCode::Internal).with("detail", error)
}
