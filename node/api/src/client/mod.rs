//! The client of the local API: HTTP/1.1 over the node's Unix socket, one connection a request (a
//! local connection costs less than keeping one alive would cost in care).
//!
//! Answers are bounded like everything that comes from elsewhere, and no wait is endless: a node that
//! falls silent gives [`ErrorCode::Unreachable`] with the socket, as a missing one does.

mod bundles;
mod endpoints;
pub mod import;
mod path;
#[cfg(test)]
mod tests;

pub use endpoints::TrustStep;

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Method, Request, Response, header};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::error::{ApiError, ErrorBody, ErrorCode};
use crate::types::REQUEST_BYTES_MAX;

/// Largest answer in bytes that is read as one document.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Longest line in bytes of a streamed answer: one record with its texts.
pub const LINE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// How long the node may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the node may take to begin its answer, and to continue it, unless the request says more.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

/// A node, as its officers' programs reach it.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
    patience: Duration,
}

impl Client {
    /// The node that listens on this Unix socket; nothing is connected yet.
    #[must_use]
    pub fn unix(socket: impl Into<PathBuf>) -> Self {
        Self {
            socket: socket.into(),
            patience: ANSWER_TIMEOUT,
        }
    }

    /// The same node, given so long to begin an answer instead of two minutes.
    #[must_use]
    pub fn with_patience(&self, patience: Duration) -> Self {
        Self {
            socket: self.socket.clone(),
            patience,
        }
    }

    /// The socket's path.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// `GET path`, which begins with `/v1/`, its parts percent-encoded already.
    ///
    /// # Errors
    /// What the node answered, or [`ErrorCode::Unreachable`].
    pub async fn get<R: DeserializeOwned>(&self, path: &str) -> Result<R, ApiError> {
        self.call(Method::GET, path, None::<&()>).await
    }

    /// `POST path` with a JSON body.
    ///
    /// # Errors
    /// As [`Client::get`]; [`ErrorCode::TooLarge`] for a body beyond [`REQUEST_BYTES_MAX`].
    pub async fn post<T, R>(&self, path: &str, body: &T) -> Result<R, ApiError>
    where
        T: Serialize + Sync + ?Sized,
        R: DeserializeOwned,
    {
        self.call(Method::POST, path, Some(body)).await
    }

    /// `PATCH path` with a JSON body.
    ///
    /// # Errors
    /// As [`Client::post`].
    pub async fn patch<T, R>(&self, path: &str, body: &T) -> Result<R, ApiError>
    where
        T: Serialize + Sync + ?Sized,
        R: DeserializeOwned,
    {
        self.call(Method::PATCH, path, Some(body)).await
    }

    /// `GET path`, answered line by line.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn lines(&self, path: &str) -> Result<Lines, ApiError> {
        let response = self.send(Method::GET, path, None::<&()>).await?;
        let status = response.status();
        let mut body = self.body(response);
        if !status.is_success() {
            return Err(refusal(&body.collect().await?, status.as_u16()));
        }
        Ok(Lines {
            body,
            buffer: Vec::new(),
            taken: 0,
            searched: 0,
        })
    }

    async fn call<T, R>(&self, method: Method, path: &str, body: Option<&T>) -> Result<R, ApiError>
    where
        T: Serialize + Sync + ?Sized,
        R: DeserializeOwned,
    {
        let response = self.send(method, path, body).await?;
        let status = response.status();
        let bytes = self.body(response).collect().await?;
        if !status.is_success() {
            return Err(refusal(&bytes, status.as_u16()));
        }
        serde_json::from_slice(&bytes).map_err(|error| internal(&error))
    }

    async fn send<T>(
        &self,
        method: Method,
        path: &str,
        body: Option<&T>,
    ) -> Result<Response<Incoming>, ApiError>
    where
        T: Serialize + Sync + ?Sized,
    {
        let body = match body {
            Some(body) => serde_json::to_vec(body).map_err(|error| internal(&error))?,
            None => Vec::new(),
        };
        if body.len() > REQUEST_BYTES_MAX {
            return Err(ApiError::new(ErrorCode::TooLarge)
                .with("field", "request")
                .with("bytes", body.len())
                .with("limit", REQUEST_BYTES_MAX));
        }
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "diwan")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| internal(&error))?;
        let stream = timeout(CONNECT_TIMEOUT, UnixStream::connect(&self.socket))
            .await
            .map_err(|_| self.silent(CONNECT_TIMEOUT))?
            .map_err(|error| self.unreachable(&error))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| self.unreachable(&error))?;
        // It ends by itself when the answer is read or dropped; its error is the request's too.
        tokio::spawn(connection);
        timeout(self.patience, sender.send_request(request))
            .await
            .map_err(|_| self.silent(self.patience))?
            .map_err(|error| self.unreachable(&error))
    }

    fn body(&self, response: Response<Incoming>) -> Body {
        Body {
            incoming: response.into_body(),
            node: self.with_patience(ANSWER_TIMEOUT),
        }
    }

    fn unreachable(&self, detail: &dyn Display) -> ApiError {
        ApiError::new(ErrorCode::Unreachable)
            .with("socket", self.socket.display())
            .with("detail", detail)
    }

    fn silent(&self, waited: Duration) -> ApiError {
        self.unreachable(&format_args!("no answer in {} s", waited.as_secs()))
    }
}

/// An answer's body on its way.
struct Body {
    incoming: Incoming,
    node: Client,
}

impl Body {
    /// The next piece, or nothing at the end.
    async fn piece(&mut self) -> Result<Option<Bytes>, ApiError> {
        loop {
            let Some(frame) = timeout(self.node.patience, self.incoming.frame())
                .await
                .map_err(|_| self.node.silent(self.node.patience))?
            else {
                return Ok(None);
            };
            let frame = frame.map_err(|error| self.node.unreachable(&error))?;
            if let Ok(data) = frame.into_data() {
                return Ok(Some(data));
            }
        }
    }

    async fn collect(&mut self) -> Result<Vec<u8>, ApiError> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.piece().await? {
            if bytes.len() + piece.len() > ANSWER_BYTES_MAX {
                return Err(oversize("answer", ANSWER_BYTES_MAX));
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }
}

/// A streamed answer of lines, such as the canonical export.
pub struct Lines {
    body: Body,
    buffer: Vec<u8>,
    /// Bytes of the buffer that were given out.
    taken: usize,
    /// Bytes of the buffer that hold no line's end after `taken`.
    searched: usize,
}

impl Lines {
    /// The next line, its end included so that what is written out is what came; nothing when all
    /// have come.
    ///
    /// # Errors
    /// [`ErrorCode::Unreachable`] when the node stops in between, [`ErrorCode::TooLarge`] for a line
    /// beyond [`LINE_BYTES_MAX`].
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, ApiError> {
        loop {
            let fresh = self.buffer.get(self.searched..).unwrap_or_default();
            if let Some(end) = fresh.iter().position(|byte| *byte == b'\n') {
                let end = self.searched + end + 1;
                let line = self
                    .buffer
                    .get(self.taken..end)
                    .unwrap_or_default()
                    .to_vec();
                self.taken = end;
                self.searched = end;
                return Ok(Some(line));
            }
            self.buffer.drain(..self.taken);
            self.taken = 0;
            self.searched = self.buffer.len();
            if self.buffer.len() > LINE_BYTES_MAX {
                return Err(oversize("line", LINE_BYTES_MAX));
            }
            match self.body.piece().await? {
                Some(piece) => self.buffer.extend_from_slice(&piece),
                None if self.buffer.is_empty() => return Ok(None),
                None => return Err(internal(&"the answer ends within a line")),
            }
        }
    }
}

/// The failure in the body of an answer that is none.
fn refusal(bytes: &[u8], status: u16) -> ApiError {
    match serde_json::from_slice::<ErrorBody>(bytes) {
        Ok(body) => body.error,
        Err(_) => internal(&format_args!("the node answered with HTTP status {status}")),
    }
}

fn internal(detail: &dyn Display) -> ApiError {
    ApiError::new(ErrorCode::Internal).with("detail", detail)
}

fn oversize(field: &str, limit: usize) -> ApiError {
    ApiError::new(ErrorCode::TooLarge)
        .with("field", field)
        .with("bytes", format_args!("more than {limit}"))
        .with("limit", limit)
}
