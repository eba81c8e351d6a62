//! The local API: HTTP and JSON on the node's Unix socket, for its officers.
//!
//! Handlers answer with the types of `diwan_api`. They read a consistent view of the last commit,
//! and write only through the engine: nothing here touches the store's writing side. Who calls is
//! known from the socket's peer credentials, before a byte of a body is read.

mod answer;
mod ask;
mod cards;
mod chain;
mod diff;
mod drafts;
mod export;
mod fields;
mod gate;
mod govern;
mod groups;
mod guarding;
mod history;
mod holders;
mod list;
mod names;
mod needs;
mod officers;
mod proposals;
mod publish;
mod rebase;
mod records;
mod search;
mod show;
mod status;
mod sync;
#[cfg(test)]
mod tests;
mod time;
mod translations;
mod trust;
mod view;
mod vocabularies;
mod watches;
mod words;

use std::future::Future;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, patch, post};
use diwan_api::error::{ApiError, ErrorCode};
use diwan_api::types::REQUEST_BYTES_MAX;
use tokio::net::UnixListener;
use tokio::sync::{Mutex, watch};

use crate::engine::{Engine, Expander, Indexer, Peers};
use crate::guard::Guard;
use crate::store::OfficerRole;

pub use gate::Officers;

/// Who may connect at all: the owner and the group of the socket's directory.
const SOCKET_MODE: u32 = 0o660;
/// How long requests that are under way when the node stops may still take.
const GRACE: Duration = Duration::from_secs(5);

/// What the API answers from. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    /// Chains, records, and the only way to write.
    pub engine: Engine,
    /// Search.
    pub indexer: Indexer,
    /// What words are in other languages.
    pub expander: Expander,
    /// Connections and syncing.
    pub peers: Peers,
    /// What stands before every way into a shared group.
    pub guard: Arc<Guard>,
    /// Held while a record is published.
    pub publishing: Arc<Mutex<()>>,
}

/// Why the API cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum ApiServerError {
    /// The socket cannot be made: a right is missing, the path is too long, or something that is no
    /// socket stands there.
    #[error("the socket {path} cannot be made: {source}")]
    Bind {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The socket broke while it was served.
    #[error("the socket {path} broke: {source}")]
    Serve {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl From<ApiServerError> for ApiError {
    fn from(error: ApiServerError) -> Self {
        match error {
            ApiServerError::Bind { path, source } => ApiError::new(ErrorCode::HomeUnreadable)
                .with("path", path.display())
                .with("detail", source),
            error @ ApiServerError::Serve { .. } => {
                ApiError::new(ErrorCode::Internal).with("detail", error)
            }
        }
    }
}

/// The API on its bound socket: clients that connect from now on wait until it is served.
pub struct ApiServer {
    router: Router,
    listener: UnixListener,
    path: PathBuf,
}

impl ApiServer {
    /// Binds the socket with mode 0660. One that an earlier run left behind is removed: the home's
    /// lock, which the caller holds, says that nobody serves it. Must be called within a tokio
    /// runtime.
    ///
    /// # Errors
    /// [`ApiServerError::Bind`]; whatever stands at the path and is no socket is left alone.
    pub fn bind(api: Api, path: &Path, officers: Officers) -> Result<Self, ApiServerError> {
        let refused = |source| ApiServerError::Bind {
            path: path.to_owned(),
            source,
        };
        match std::fs::symlink_metadata(path) {
            Ok(found) if found.file_type().is_socket() => {
                std::fs::remove_file(path).map_err(refused)?;
            }
            Ok(_) => return Err(refused(io::ErrorKind::AlreadyExists.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(refused(error)),
        }
        let listener = UnixListener::bind(path).map_err(refused)?;
        let mode = std::fs::Permissions::from_mode(SOCKET_MODE);
        std::fs::set_permissions(path, mode).map_err(refused)?;
        Ok(Self {
            router: router(api, officers),
            listener,
            path: path.to_owned(),
        })
    }

    /// Serves until `shutdown` is ready, then lets requests under way end, five seconds at most,
    /// and removes the socket.
    ///
    /// # Errors
    /// [`ApiServerError::Serve`].
    pub async fn serve(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ApiServerError> {
        let Self {
            router,
            listener,
            path,
        } = self;
        let (stop, mut stopping) = watch::channel(false);
        let shutdown = async move {
            shutdown.await;
            stop.send_replace(true);
        };
        let service = router.into_make_service_with_connect_info::<gate::Caller>();
        let serving = axum::serve(listener, service).with_graceful_shutdown(shutdown);
        let out_of_patience = async {
            // An error means that the serving side has ended already.
            let _ = stopping.wait_for(|stop| *stop).await;
            tokio::time::sleep(GRACE).await;
        };
        let served = tokio::select! {
            served = serving => served,
            () = out_of_patience => Ok(()),
        };
        let removed = std::fs::remove_file(&path);
        served
            .and(removed)
            .map_err(|source| ApiServerError::Serve { path, source })
    }
}

/// Every path of the API, behind the gate.
fn router(api: Api, officers: Officers) -> Router {
    let of_role = |paths: Router<Api>, role: OfficerRole| {
        paths.route_layer(from_fn_with_state(role, gate::only))
    };
    reading()
        .merge(of_role(writing(), OfficerRole::Contributor))
        .merge(of_role(publishing(), OfficerRole::ContactPoint))
        .merge(of_role(deciding(), OfficerRole::Admin))
        .merge(of_role(auditing(), OfficerRole::Auditor))
        .fallback(answer::unknown_path)
        .method_not_allowed_fallback(answer::unknown_path)
        .with_state(api)
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .layer(from_fn_with_state(officers, gate::gate))
}

/// What every officer may ask.
fn reading() -> Router<Api> {
    Router::new()
        .route("/v1/status", get(status::status))
        .route("/v1/card", get(cards::own))
        .route("/v1/card/inspect", post(cards::inspect))
        .route("/v1/trust", get(trust::list))
        .route("/v1/trust/{agency}", get(trust::show))
        .route("/v1/groups", get(groups::list))
        .route("/v1/groups/{group}", get(groups::show))
        .route("/v1/quarantine", get(govern::quarantine))
        .route("/v1/nodes", get(govern::nodes))
        .route("/v1/records", get(list::list))
        .route("/v1/records/{record}", get(show::show))
        .route("/v1/records/{record}/history", get(history::history))
        .route("/v1/records/{record}/diff", get(diff::diff))
        .route("/v1/records/{record}/chain", get(chain::chain))
        .route("/v1/records/{record}/holders", get(holders::holders))
        .route("/v1/records/{record}/similar", get(search::similar))
        .route("/v1/needs", get(needs::needs))
        .route("/v1/vocabularies", get(vocabularies::list))
        .route("/v1/vocabularies/{name}", get(vocabularies::show))
        .route("/v1/export", get(export::export))
        .route("/v1/search", get(search::search))
        .route("/v1/watches", get(watches::list).post(watches::add))
        .route("/v1/watches/{name}", get(watches::show))
        .route("/v1/watches/{name}/seen", post(watches::seen))
        .route("/v1/watches/{name}/remove", post(watches::remove))
        .route("/v1/guard", get(guarding::rules).post(guarding::check))
}

/// What contributors write: drafts in the agency's own group. Whoever writes in a shared group needs
/// more, as the handlers see once they know the group.
fn writing() -> Router<Api> {
    Router::new()
        .route("/v1/records", post(records::create))
        .route("/v1/records/{record}", patch(records::edit))
        .route(
            "/v1/records/{record}/annotations/{kind}",
            post(records::annotate),
        )
        .route(
            "/v1/records/{record}/translations",
            post(translations::translate),
        )
        .route("/v1/records/{record}/adopt", post(translations::adopt))
        .route("/v1/records/{record}/accept", post(proposals::accept))
        .route("/v1/records/{record}/decline", post(proposals::decline))
        .route("/v1/import", post(records::import))
        .route("/v1/sync", post(sync::sync))
}

/// What contact points decide about what other agencies see.
fn publishing() -> Router<Api> {
    Router::new()
        .route("/v1/records/{record}/publish", post(publish::publish))
        .route("/v1/records/{record}/withdraw", post(publish::withdraw))
        .route("/v1/records/{record}/purge", post(govern::purge))
}

/// What admins decide about other agencies, groups, nodes and officers.
fn deciding() -> Router<Api> {
    Router::new()
        .route("/v1/trust", post(trust::add))
        .route("/v1/trust/{agency}/verify", post(trust::verify))
        .route("/v1/trust/{agency}/suspend", post(trust::suspend))
        .route("/v1/trust/{agency}/resume", post(trust::resume))
        .route("/v1/trust/{agency}/block", post(trust::block))
        .route("/v1/trust/{agency}/remove", post(trust::remove))
        .route("/v1/groups", post(groups::create))
        .route("/v1/groups/{group}/add", post(groups::add))
        .route("/v1/groups/{group}/set-role", post(groups::set_role))
        .route("/v1/groups/{group}/remove", post(groups::remove))
        .route("/v1/groups/{group}/cosign", post(groups::cosign))
        .route("/v1/groups/{group}/extend-cuts", post(groups::extend_cuts))
        .route("/v1/groups/{group}/leave", post(groups::leave))
        .route("/v1/groups/{group}/join", post(groups::join))
        .route("/v1/nodes", post(govern::certify))
        .route("/v1/nodes/{node}/revoke", post(govern::revoke))
        .route("/v1/reissue", post(govern::reissue))
        .route("/v1/officers", post(officers::add))
        .route("/v1/officers/{uid}", post(officers::set_role))
        .route("/v1/officers/{uid}/revoke", post(officers::revoke))
}

/// What auditors see besides.
fn auditing() -> Router<Api> {
    Router::new().route("/v1/officers", get(officers::list))
}
