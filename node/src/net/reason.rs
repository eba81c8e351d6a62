//! Short words for why a peer is offline, for an officer rather than for a programmer.

use std::error::Error;
use std::io::{self, ErrorKind};

use libp2p::TransportError;
use libp2p::swarm::{ConnectionError, DialError};

/// Longest text of a library that is passed on when no shorter word fits, in characters.
const MAX_TEXT: usize = 160;

/// A peer that refuses this node says nothing: it completes the handshake, sees the key, and hangs
/// up.
pub(crate) const NOT_ADMITTED: &str =
    "closed by the peer before a link: it may not trust this node";

/// Why a dial came to nothing: one reason per address at most, each once.
pub(crate) fn of_dial(error: &DialError) -> String {
    match error {
        DialError::NoAddresses => "no address to dial".to_owned(),
        DialError::WrongPeerId { .. } => "another node answers at this address".to_owned(),
        DialError::LocalPeerId { .. } => "the address is this node's own".to_owned(),
        DialError::Denied { .. } => "refused by this node: too many connections".to_owned(),
        DialError::Aborted => "the attempt was given up".to_owned(),
        DialError::DialPeerConditionFalse(_) => "another attempt is under way".to_owned(),
        DialError::Transport(failures) => {
            let mut reasons: Vec<String> = Vec::new();
            for (_, failure) in failures {
                let reason = match failure {
                    TransportError::MultiaddrNotSupported(_) => "unusable address".to_owned(),
                    TransportError::Other(error) => of_io(error),
                };
                if !reasons.contains(&reason) {
                    reasons.push(reason);
                }
            }
            reasons.join(", ")
        }
    }
}

/// Why a connection ended. `used` tells whether it carried a link.
pub(crate) fn of_connection(cause: Option<&ConnectionError>, used: bool, dialer: bool) -> String {
    match cause {
        None => "closed on this side".to_owned(),
        Some(ConnectionError::KeepAliveTimeout) => "no link was opened in time".to_owned(),
        Some(ConnectionError::IO(_)) if !used && dialer => NOT_ADMITTED.to_owned(),
        Some(ConnectionError::IO(error)) => of_io(error),
    }
}

/// The deepest kind that says something, or else the library's text.
fn of_io(error: &io::Error) -> String {
    if let Some(word) = by_kind(error) {
        return word.to_owned();
    }
    let text = error.to_string();
    by_text(&text).map_or_else(|| text.chars().take(MAX_TEXT).collect(), str::to_owned)
}

fn by_kind(error: &io::Error) -> Option<&'static str> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        let word = error
            .downcast_ref::<io::Error>()
            .and_then(|error| match error.kind() {
                ErrorKind::ConnectionRefused => Some("connection refused"),
                ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => Some("connection reset"),
                ErrorKind::ConnectionAborted | ErrorKind::UnexpectedEof => {
                    Some("closed by the peer")
                }
                ErrorKind::TimedOut => Some("timed out"),
                ErrorKind::HostUnreachable => Some("host unreachable"),
                ErrorKind::NetworkUnreachable => Some("network unreachable"),
                ErrorKind::AddrNotAvailable => Some("no such address from here"),
                _ => None,
            });
        if word.is_some() {
            return word;
        }
        // An io::Error that wraps another error does not show it as its source.
        next = error
            .downcast_ref::<io::Error>()
            .and_then(|error| error.get_ref().map(|inner| inner as &(dyn Error + 'static)))
            .or_else(|| error.source());
    }
    None
}

/// The transports turn some causes into text before anyone can match on them.
fn by_text(text: &str) -> Option<&'static str> {
    const WORDS: [(&str, &str); 9] = [
        ("refused", "connection refused"),
        ("timeout", "timed out"),
        ("timed out", "timed out"),
        ("reset", "connection reset"),
        ("unreachable", "host unreachable"),
        ("no record", "name not found"),
        ("name servers", "no name server"),
        ("aborted by peer", "closed by the peer"),
        ("closed", "closed by the peer"),
    ];
    let text = text.to_lowercase();
    WORDS
        .iter()
        .find_map(|(part, word)| text.contains(part).then_some(*word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transport(error: io::Error) -> DialError {
        let address = "/ip4/127.0.0.1/tcp/1".parse().unwrap();
        DialError::Transport(vec![(address, TransportError::Other(error))])
    }

    #[test]
    fn a_wrapped_cause_is_found() {
        let inner = io::Error::from(ErrorKind::ConnectionRefused);
        let outer = io::Error::other(io::Error::other(inner));
        assert_eq!(of_dial(&transport(outer)), "connection refused");
    }

    #[test]
    fn a_cause_in_words_is_found() {
        let error = io::Error::other("Timeout has been reached");
        assert_eq!(of_dial(&transport(error)), "timed out");
    }

    #[test]
    fn the_same_reason_at_two_addresses_is_told_once() {
        let address: libp2p::Multiaddr = "/ip4/127.0.0.1/tcp/1".parse().unwrap();
        let refused = || TransportError::Other(io::Error::from(ErrorKind::ConnectionRefused));
        let late = || TransportError::Other(io::Error::from(ErrorKind::TimedOut));
        let error = DialError::Transport(vec![
            (address.clone(), refused()),
            (address.clone(), late()),
            (address, refused()),
        ]);
        assert_eq!(of_dial(&error), "connection refused, timed out");
    }

    #[test]
    fn a_long_text_is_cut() {
        let error = io::Error::other("x".repeat(10_000));
        assert_eq!(of_dial(&transport(error)).len(), MAX_TEXT);
    }
}
