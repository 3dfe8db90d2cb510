//! Looking a name up that somebody else chose, and passing on none but addresses that may be connected to.

use crate::domain::{egress::Egress, webhook::NotPublic};
use std::{io, net::SocketAddr};

/// Why a name cannot be connected to.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    /// Nobody knows it, or who should does not answer.
    #[error("the host is not known")]
    Unknown(#[from] io::Error),
    /// It stands for an address that is not to be connected to, maybe beside others.
    #[error(transparent)]
    NotPublic(#[from] NotPublic),
}

/// The addresses that a name stands for now. One that is not to be connected to spoils the others: a name that stands
/// for a public address and for ours is no honest one.
///
/// # Errors
/// When there are none, or one that is not to be connected to.
pub async fn addresses(egress: Egress, name: &str) -> Result<Vec<SocketAddr>, Unreachable> {
    let found: Vec<SocketAddr> = tokio::net::lookup_host((name, 0)).await?.collect();
    match found.iter().find(|address| !egress.allows(address.ip())) {
        Some(address) => Err(NotPublic(address.ip()).into()),
        None if found.is_empty() => Err(io::Error::from(io::ErrorKind::NotFound).into()),
        None => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_for_the_machine_itself_is_not_passed_on() {
        let closed = Egress { private: true, plain: false };
        assert!(addresses(closed, "localhost").await.unwrap().iter().all(|address| address.ip().is_loopback()));
        let refused = addresses(Egress::default(), "localhost").await;
        assert!(matches!(refused, Err(Unreachable::NotPublic(_))), "{refused:?}");
        assert!(matches!(addresses(closed, "nobody.invalid").await, Err(Unreachable::Unknown(_))));
    }
}
