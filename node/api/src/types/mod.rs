//! Requests and responses, by subject. Field names are the contract of `CLI.md`: `--json` prints
//! these types as they are.

mod agency;
mod govern;
mod group;
mod history;
mod import;
mod needs;
mod publish;
mod record;
mod search;
mod status;
mod sync;
mod translation;
mod vocabulary;
mod watch;

pub use agency::*;
pub use govern::*;
pub use group::*;
pub use history::*;
pub use import::*;
pub use needs::*;
pub use publish::*;
pub use record::*;
pub use search::*;
pub use status::*;
pub use sync::*;
pub use translation::*;
pub use vocabulary::*;
pub use watch::*;

use std::collections::BTreeMap;

/// A multilingual text: BCP 47 tag to text.
pub type Texts = BTreeMap<String, String>;
