//! Who calls: the uid that the kernel names, and whether it is an officer's.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::serve::IncomingStream;
use diwan_api::error::{ApiError, ErrorCode};
use tokio::net::UnixListener;

use super::answer::Refusal;

/// The local users who may call: in general the node's own uid and that of the admin who made it.
#[derive(Clone, Debug)]
pub struct Officers(Arc<BTreeSet<u32>>);

impl Officers {
    /// These uids and no other, root neither.
    pub fn new(uids: impl IntoIterator<Item = u32>) -> Self {
        Self(Arc::new(uids.into_iter().collect()))
    }

    fn admit(&self, caller: Caller) -> Result<Officer, ApiError> {
        match caller.uid {
            Some(uid) if self.0.contains(&uid) => Ok(Officer { uid }),
            uid => Err(ApiError::new(ErrorCode::NotAnOfficer)
                .with("uid", uid.map_or("?".to_owned(), |uid| uid.to_string()))),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_uids_are_officers() {
        let officers = Officers::new([1000, 1001]);
        let admit = |uid| officers.admit(Caller { uid });
        assert_eq!(admit(Some(1001)).unwrap().uid, 1001);
        let error = admit(Some(0)).unwrap_err();
        assert_eq!(error.code, ErrorCode::NotAnOfficer);
        assert_eq!(error.args["uid"], "0");
        assert_eq!(admit(None).unwrap_err().code, ErrorCode::NotAnOfficer);
    }
}
