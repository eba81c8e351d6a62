//! Who calls: the uid that the kernel names, and whether it is an officer's.

use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::serve::IncomingStream;
use diwan_api::error::{ApiError, ErrorCode};
use tokio::net::UnixListener;

use super::answer::Refusal;
use crate::engine::Engine;
use crate::store::OfficerRole;

/// The local users who may call, and what each may do.
#[derive(Clone)]
pub struct Officers {
    engine: Engine,
    own_uid: u32,
}

impl Officers {
    /// The officers that the engine knows. The node's own user, who could read the store's file as well,
    /// is an admin unless something else was said about it; root is nobody special.
    #[must_use]
    pub fn new(engine: Engine, own_uid: u32) -> Self {
        Self { engine, own_uid }
    }

    fn admit(&self, caller: Caller) -> Result<Officer, ApiError> {
        let known = caller.uid.and_then(|uid| {
            let state = self.engine.state();
            let role = match state.officers.get(&uid) {
                Some(row) => row.role,
                None => (uid == self.own_uid).then_some(OfficerRole::Admin),
            };
            Some(Officer { uid, role: role? })
        });
        known.ok_or_else(|| {
            let uid = caller.uid.map_or("?".to_owned(), |uid| uid.to_string());
            ApiError::new(ErrorCode::NotAnOfficer).with("uid", uid)
        })
    }
}

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    /// None where the kernel does not say, which no officer's program meets.
    uid: Option<u32>,
}

impl Connected<IncomingStream<'_, UnixListener>> for Caller {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        let uid = stream.io().peer_cred().ok().map(|cred| cred.uid());
        Self { uid }
    }
}

/// A caller who was let in. Handlers that write down who decided take it as an argument.
#[derive(Clone, Copy, Debug)]
pub(super) struct Officer {
    pub(super) uid: u32,
    pub(super) role: OfficerRole,
}

impl Officer {
    /// Whether the officer may do what a role is needed for.
    pub(super) fn may(self, needed: OfficerRole) -> Result<(), ApiError> {
        match self.role.may(needed) {
            true => Ok(()),
            false => Err(ApiError::new(ErrorCode::RoleNeeded)
                .with("role", self.role.name())
                .with("needed", needed.name())),
        }
    }
}

/// Stands before the paths of a role.
pub(super) async fn only(
    State(needed): State<OfficerRole>,
    officer: Officer,
    request: Request,
    next: Next,
) -> Response {
    match officer.may(needed) {
        Ok(()) => next.run(request).await,
        Err(error) => {
            tracing::warn!(%error, uid = officer.uid, "an officer was refused");
            Refusal::from(error).into_response()
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Officer {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let officer = parts.extensions.get::<Officer>().copied();
        officer.ok_or_else(|| {
            let missing = ApiError::new(ErrorCode::Internal).with("detail", "no caller is known");
            missing.into()
        })
    }
}

/// Stands before every path, unknown ones too.
pub(super) async fn gate(
    State(officers): State<Officers>,
    ConnectInfo(caller): ConnectInfo<Caller>,
    mut request: Request,
    next: Next,
) -> Response {
    match officers.admit(caller) {
        Ok(officer) => {
            request.extensions_mut().insert(officer);
            next.run(request).await
        }
        Err(error) => {
            tracing::warn!(%error, "a caller who is no officer was turned away");
            Refusal::from(error).into_response()
        }
    }
}
