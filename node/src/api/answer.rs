//! From HTTP to typed requests and back: what does not read becomes a typed refusal.

use axum::body::{Bytes, HttpBody};
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use diwan_api::error::{ApiError, ErrorBody, ErrorCode};
use diwan_api::types::REQUEST_BYTES_MAX;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::engine::EngineError;
use crate::store::StoreError;

/// What a handler gives: an answer as JSON, or the reason why there is none.
pub(super) type Answer<T> = Result<Json<T>, Refusal>;

/// A failure on its way out.
#[derive(Debug)]
pub(super) struct Refusal(ApiError);

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Self {
        Self(error.into())
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        EngineError::from(error).into()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(error) = self;
        let status = StatusCode::from_u16(error.code.http_status())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if status.is_server_error() {
            tracing::error!(%error, "a request failed");
        }
        (status, axum::Json(ErrorBody { error })).into_response()
    }
}

/// A JSON body, of a request or of an answer.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        // Said at once, before the body is sent.
        if request.body().size_hint().lower() > REQUEST_BYTES_MAX as u64 {
            return Err(too_large().into());
        }
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|error| unread_body(&error))?;
        let value = serde_json::from_slice(&bytes)
            .map_err(|error| ApiError::invalid("request", "JSON", &error.to_string()))?;
        Ok(Self(value))
    }
}

fn unread_body(error: &BytesRejection) -> ApiError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return too_large();
    }
    ApiError::invalid("request", "", &error.body_text())
}

fn too_large() -> ApiError {
    ApiError::new(ErrorCode::TooLarge)
        .with("field", "request")
        .with("bytes", format_args!("more than {REQUEST_BYTES_MAX}"))
        .with("limit", REQUEST_BYTES_MAX)
}

/// The query string.
#[derive(Debug)]
pub(super) struct Asked<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let asked = Query::from_request_parts(parts, state).await;
        let refused = |error: QueryRejection| {
            let query = parts.uri.query().unwrap_or_default();
            ApiError::invalid("query", query, &error.body_text())
        };
        let Query(asked) = asked.map_err(refused)?;
        Ok(Self(asked))
    }
}

/// The named parts of the path, percent-decoded.
#[derive(Debug)]
pub(super) struct Named<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Named<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let named = Path::from_request_parts(parts, state).await;
        let refused =
            |error: PathRejection| ApiError::invalid("path", &parts.uri, &error.body_text());
        let Path(named) = named.map_err(refused)?;
        Ok(Self(named))
    }
}

/// Whatever is no path of this API, or not with this method.
pub(super) async fn unknown_path(uri: Uri) -> Refusal {
    ApiError::new(ErrorCode::UnknownPath)
        .with("path", uri.path())
        .into()
}

/// Runs work that reads a lot on a thread where it may block.
pub(super) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
) -> Result<T, Refusal> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => Ok(outcome?),
        Err(error) => Err(ApiError::new(ErrorCode::Internal)
            .with("detail", error)
            .into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bad_json_is_refused_with_its_place() {
        #[derive(Debug, serde::Deserialize)]
        struct Wanted {
            #[serde(rename = "group")]
            _group: String,
        }
        let request = Request::new("{\n\"group\": 7}".into());
        let refusal = Json::<Wanted>::from_request(request, &()).await;
        let Err(Refusal(error)) = refusal else {
            panic!("accepted")
        };
        assert_eq!(error.code, ErrorCode::InvalidValue);
        assert!(error.args["expected"].contains("line 2"), "{error}");
    }
}
