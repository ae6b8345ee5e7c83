//! The addresses that are listened on.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use thiserror::Error;
use tokio::net::TcpListener;
use tracing::info;

use crate::cli::ListenAddress;

/// An address that cannot be listened on.
#[derive(Debug, Error)]
#[error("cannot listen on {address}: {error}")]
pub struct BindError {
    address: String,
    error: io::Error,
}

/// Listens on each address; the bound ones are logged, as a port may be 0.
pub(crate) async fn bind(addresses: &[ListenAddress]) -> Result<Vec<TcpListener>, BindError> {
    let mut listeners = Vec::new();
    for address in addresses {
        let listener = listen(address).await.map_err(|error| BindError {
            address: address.to_string(),
            error,
        })?;
        if let Ok(bound) = listener.local_addr() {
            info!(address = %bound, "listening");
        }
        listeners.push(listener);
    }
    Ok(listeners)
}

async fn listen(address: &ListenAddress) -> io::Result<TcpListener> {
    let port = address.port();
    let Some(host) = address.host() else {
        // A socket for IPv6 takes IPv4 too, where the system has IPv6 at all.
        let both = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
        let error = match TcpListener::bind(both).await {
            Ok(listener) => return Ok(listener),
            Err(error) => error,
        };
        if error.kind() == io::ErrorKind::AddrInUse {
            return Err(error);
        }
        return TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await;
    };
    TcpListener::bind((host, port)).await
}
