//! Cards and the trust list.

use serde::{Deserialize, Serialize};

/// What a card says. `GET /v1/card`, `POST /v1/card/inspect`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardInfo {
    /// Agency id, hexadecimal.
    pub agency: String,
    /// Full name.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Short name, as typed in commands.
    pub short: String,
    /// Fingerprint, eight groups of five digits.
    pub fingerprint: String,
    /// Multiaddrs of the agency's nodes.
    pub addresses: Vec<String>,
}

/// A card with its text, as it is handed over. `GET /v1/card`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// The file's text.
    pub text: String,
    /// What it says.
    pub info: CardInfo,
}

/// `POST /v1/card/inspect`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CardText {
    /// The file's text.
    pub text: String,
}

/// One agency of the trust list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedAgency {
    /// Agency id, hexadecimal.
    pub agency: String,
    /// Short name.
    pub short: String,
    /// Full name.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// `unverified`, `pinned`, `suspended` or `blocked`.
    pub state: String,
    /// Whether an admin compared the fingerprint.
    pub verified: bool,
    /// When the fingerprint was compared, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<String>,
    /// The admin who compared it: a local uid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_by: Option<String>,
    /// Fingerprint of the card that was added.
    pub fingerprint: String,
    /// Multiaddrs of its nodes, from its newest chain.
    pub addresses: Vec<String>,
}

/// `GET /v1/trust`, and the answer of every change of the trust list (the agencies concerned).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustList {
    /// The agencies, by short name.
    pub agencies: Vec<TrustedAgency>,
}

/// `POST /v1/trust`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TrustAdd {
    /// The card's text.
    pub card: String,
    /// The fingerprint that the admin heard from the agency; without it the agency stays
    /// `unverified`: known, but neither dialled nor let in.
    #[serde(default)]
    pub fingerprint: Option<String>,
}

/// `POST /v1/trust/{agency}/verify`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TrustVerify {
    /// The fingerprint that the admin heard from the agency.
    pub fingerprint: String,
}
