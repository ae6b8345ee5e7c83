//! Where to listen: `:9894`, `host:9894`, `192.0.2.1:9894` or `[::1]:9894`.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

/// An address to listen on. Its text is the form that it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenAddress {
    host: Option<String>,
    port: u16,
}

/// Why a text is not a [`ListenAddress`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListenAddressError {
    /// There is no colon with a port behind it.
    #[error("a port is missing, as in :9894 or localhost:9894")]
    NoPort,
    /// The port is no number from 0 to 65535.
    #[error("the port must be a number from 0 to 65535")]
    Port,
    /// An IPv6 address without brackets, or something else in brackets.
    #[error("an IPv6 address, and only that, stands in brackets, as in [::1]:9894")]
    Brackets,
    /// The host is neither a name nor an address.
    #[error("the host must be a name or an IP address")]
    Host,
}

impl ListenAddress {
    /// Both IP families on all interfaces.
    pub const fn any(port: u16) -> Self {
        Self { host: None, port }
    }

    /// The host name or IP address, an IPv6 one without brackets; `None` for both IP families on all interfaces.
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// The port; the system chooses one for 0.
    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl FromStr for ListenAddress {
    type Err = ListenAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (host, port) = text.rsplit_once(':').ok_or(ListenAddressError::NoPort)?;
        let host = parse_host(host)?;
        let port = parse_port(port)?;
        Ok(Self { host, port })
    }
}

fn parse_port(text: &str) -> Result<u16, ListenAddressError> {
    match text {
        "" => Err(ListenAddressError::NoPort),
        text if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse().or(Err(ListenAddressError::Port))
        }
        _ => Err(ListenAddressError::Port),
    }
}

fn parse_host(text: &str) -> Result<Option<String>, ListenAddressError> {
    if let Some(inner) = text.strip_prefix('[') {
        let address = inner.strip_suffix(']');
        let address = address.filter(|address| is_ipv6(address));
        let address = address.ok_or(ListenAddressError::Brackets)?;
        return Ok(Some(address.to_owned()));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    match text {
        "" => Ok(None),
        host if host.contains([':', ']']) => Err(ListenAddressError::Brackets),
        host if host.chars().all(plain) => Ok(Some(host.to_owned())),
        _ => Err(ListenAddressError::Host),
    }
}

/// A zone, as in `fe80::1%eth0`, is left to the system.
fn is_ipv6(text: &str) -> bool {
    let (address, zone) = text.split_once('%').unwrap_or((text, "any"));
    address.parse::<Ipv6Addr>().is_ok() && !zone.is_empty()
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host() {
            None => write!(f, ":{}", self.port),
            Some(host) if host.contains(':') => write!(f, "[{host}]:{}", self.port),
            Some(host) => write!(f, "{host}:{}", self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_each_form_and_writes_it_back() {
        let cases = [
            (":9894", None, 9894),
            (":0", None, 0),
            ("localhost:1", Some("localhost"), 1),
            ("192.0.2.1:65535", Some("192.0.2.1"), 65_535),
            ("[::1]:9894", Some("::1"), 9894),
            ("[::]:9894", Some("::"), 9894),
            ("[fe80::1%eth0]:9894", Some("fe80::1%eth0"), 9894),
        ];
        for (text, host, port) in cases {
            let address: ListenAddress = text.parse().unwrap();
            assert_eq!((address.host(), address.port()), (host, port), "{text}");
            assert_eq!(address.to_string(), text);
        }
    }

    #[test]
    fn refuses_the_rest_with_a_reason() {
        use ListenAddressError::{Brackets, Host, NoPort, Port};
        let cases = [
            ("", NoPort),
            ("9894", NoPort),
            ("localhost", NoPort),
            ("localhost:", NoPort),
            (":", NoPort),
            (":65536", Port),
            (":+1", Port),
            (":x", Port),
            ("::1:9894", Brackets),
            ("[::1:9894", Brackets),
            ("::1]:9894", Brackets),
            ("[localhost]:9894", Brackets),
            ("[::1%]:9894", Brackets),
            ("vsock://:9894", Brackets),
            ("a b:9894", Host),
            ("a/b:9894", Host),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<ListenAddress>(), Err(error), "{text}");
        }
    }
}
