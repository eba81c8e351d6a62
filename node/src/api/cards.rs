//! Cards: the own one, and what another one says.

use axum::extract::State;
use diwan_api::error::{ApiError, ErrorCode};
use diwan_api::types::{Card, CardInfo, CardText};
use diwan_core::identity::{self, AgencyChain, Fingerprint};
use diwan_core::verify::{self, Verified};

use super::Api;
use super::answer::{Answer, Json, apart};

/// `GET /v1/card`.
pub(super) async fn own(State(api): State<Api>) -> Answer<Card> {
    let state = api.engine.state();
    let me = state.replica.me().agency;
    let chain = state.replica.agency(&me).cloned();
    let missing = || ApiError::new(ErrorCode::Internal).with("detail", "the own chain is missing");
    let card = identity::Card {
        chain: chain.ok_or_else(missing)?,
    };
    Ok(Json(Card {
        text: card.render(),
        info: info(&card.chain),
    }))
}

/// `POST /v1/card/inspect`. Nothing is stored.
pub(super) async fn inspect(Json(card): Json<CardText>) -> Answer<CardInfo> {
    let card = apart(move || Ok(verified(&card.text)?)).await?;
    Ok(Json(info(&card.chain)))
}

/// A card whose chain and readable lines hold.
pub(super) fn verified(text: &str) -> Result<Verified<identity::Card>, ApiError> {
    verify::card(text).map_err(|error| ApiError::new(ErrorCode::DamagedCard).with("detail", error))
}

/// What a chain says of its agency.
fn info(chain: &AgencyChain) -> CardInfo {
    let genesis = chain.genesis();
    CardInfo {
        agency: chain.id().to_string(),
        name: genesis.name.clone(),
        country: genesis.country.clone(),
        short: genesis.short.clone(),
        fingerprint: Fingerprint::of(&chain.id()).to_string(),
        addresses: chain.addresses(),
    }
}
