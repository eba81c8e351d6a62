//! Addresses as operators write them: the part of the multiaddr syntax that our transports speak.
//!
//! ```text
//! /ip4/203.0.113.7/tcp/4001              TCP with TLS
//! /ip6/2001:db8::7/udp/4001/quic-v1      QUIC
//! /dns/diwan.example.org/tcp/4001        to announce only; dns4 and dns6 for one family
//! ```

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Longest host name, in bytes (RFC 1035, section 2.3.4, without the closing dot).
const HOST_NAME_MAX_BYTES: usize = 253;
/// Longest part of a host name between two dots, in bytes.
const HOST_LABEL_MAX_BYTES: usize = 63;

/// An address whose form has been checked. Whether somebody answers there is another matter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address(String);

/// What is wrong with an address. The strings are the parts at fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressFault {
    /// It does not begin with `/`, as with `203.0.113.7:4001`.
    NotAMultiaddr,
    /// Its first part is none of ip4, ip6, dns, dns4, dns6.
    UnknownFamily(String),
    /// The value after ip4, ip6 or dns is no such thing.
    BadHost(String),
    /// What follows the host is neither tcp nor udp.
    UnknownTransport(String),
    /// The port is not a number up to 65535.
    BadPort(String),
    /// UDP without `/quic-v1` behind the port.
    UdpWithoutQuic,
    /// Something follows a complete address, such as `/p2p/…`, which the node adds by itself.
    TrailingParts(String),
    /// A name under `listen`: a node listens on addresses of its own machine.
    NameToListenOn(String),
    /// `0.0.0.0` or `::` under `announce`: nobody can dial that.
    UnspecifiedToDial,
    /// Port 0 under `announce`: nobody can dial that.
    PortZeroToDial,
}

/// The parts that the two uses of an address judge differently.
struct Parts<'a> {
    host: Host<'a>,
    port: u16,
}

enum Host<'a> {
    Ip(IpAddr),
    Name(&'a str),
}

impl Address {
    /// Checks an address to listen on.
    ///
    /// # Errors
    /// The first [`AddressFault`] from the left.
    pub fn listen(text: &str) -> Result<Self, AddressFault> {
        match split(text)?.host {
            Host::Ip(_) => Ok(Self(text.to_owned())),
            Host::Name(name) => Err(AddressFault::NameToListenOn(name.to_owned())),
        }
    }

    /// Checks an address to tell to peers.
    ///
    /// # Errors
    /// The first [`AddressFault`] from the left.
    pub fn announce(text: &str) -> Result<Self, AddressFault> {
        let parts = split(text)?;
        match parts.host {
            Host::Ip(ip) if ip.is_unspecified() => Err(AddressFault::UnspecifiedToDial),
            _ if parts.port == 0 => Err(AddressFault::PortZeroToDial),
            _ => Ok(Self(text.to_owned())),
        }
    }

    /// For the defaults, which a test checks.
    pub(super) fn unchecked(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The address as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn split(text: &str) -> Result<Parts<'_>, AddressFault> {
    let mut parts = text
        .strip_prefix('/')
        .ok_or(AddressFault::NotAMultiaddr)?
        .split('/');
    let mut next = || parts.next().unwrap_or_default();

    let (family, host) = (next(), next());
    let host = match family {
        "ip4" => host.parse::<Ipv4Addr>().ok().map(|ip| Host::Ip(ip.into())),
        "ip6" => host.parse::<Ipv6Addr>().ok().map(|ip| Host::Ip(ip.into())),
        "dns" | "dns4" | "dns6" => is_host_name(host).then_some(Host::Name(host)),
        other => return Err(AddressFault::UnknownFamily(other.to_owned())),
    }
    .ok_or_else(|| AddressFault::BadHost(host.to_owned()))?;

    let (transport, port) = (next(), next());
    if !matches!(transport, "tcp" | "udp") {
        return Err(AddressFault::UnknownTransport(transport.to_owned()));
    }
    let port = parse_port(port).ok_or_else(|| AddressFault::BadPort(port.to_owned()))?;
    if transport == "udp" && next() != "quic-v1" {
        return Err(AddressFault::UdpWithoutQuic);
    }

    let rest: Vec<&str> = parts.collect();
    match rest.is_empty() {
        true => Ok(Parts { host, port }),
        false => Err(AddressFault::TrailingParts(format!("/{}", rest.join("/")))),
    }
}

fn parse_port(digits: &str) -> Option<u16> {
    // `parse` alone would take a plus sign.
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())
        .flatten()
}

fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=HOST_LABEL_MAX_BYTES).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= HOST_NAME_MAX_BYTES && name.split('.').all(is_label)
}

impl AddressFault {
    /// The fault's stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAMultiaddr => "not-a-multiaddr",
            Self::UnknownFamily(_) => "unknown-family",
            Self::BadHost(_) => "bad-host",
            Self::UnknownTransport(_) => "unknown-transport",
            Self::BadPort(_) => "bad-port",
            Self::UdpWithoutQuic => "udp-without-quic",
            Self::TrailingParts(_) => "trailing-parts",
            Self::NameToListenOn(_) => "name-to-listen-on",
            Self::UnspecifiedToDial => "unspecified-to-dial",
            Self::PortZeroToDial => "port-zero-to-dial",
        }
    }

    /// The part at fault, where there is one.
    pub fn part(&self) -> Option<&str> {
        match self {
            Self::UnknownFamily(part)
            | Self::BadHost(part)
            | Self::UnknownTransport(part)
            | Self::BadPort(part)
            | Self::TrailingParts(part)
            | Self::NameToListenOn(part) => Some(part),
            Self::NotAMultiaddr
            | Self::UdpWithoutQuic
            | Self::UnspecifiedToDial
            | Self::PortZeroToDial => None,
        }
    }
}

impl fmt::Display for AddressFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAMultiaddr => write!(f, "it does not begin with /ip4, /ip6 or /dns"),
            Self::UnknownFamily(part) => write!(f, "it begins with {part:?}, not ip4, ip6 or dns"),
            Self::BadHost(part) => write!(f, "{part:?} is no such address"),
            Self::UnknownTransport(part) => {
                write!(f, "{part:?} stands where tcp or udp is expected")
            }
            Self::BadPort(part) => write!(f, "{part:?} is not a port from 0 to 65535"),
            Self::UdpWithoutQuic => write!(f, "/quic-v1 is missing behind the UDP port"),
            Self::TrailingParts(part) => write!(f, "{part:?} must be left out"),
            Self::NameToListenOn(part) => write!(
                f,
                "{part:?} is a name: listen on an address of this machine, announce the name"
            ),
            Self::UnspecifiedToDial => write!(f, "peers cannot dial an unspecified address"),
            Self::PortZeroToDial => write!(f, "peers cannot dial port 0"),
        }
    }
}
