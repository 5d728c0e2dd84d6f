//! How many connections each peer has, so that one cannot take the places of all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Connections by peer. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Peers(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One connection of a peer, counted until it is dropped.
#[derive(Debug)]
pub(super) struct Counted {
    peers: Peers,
    peer: IpAddr,
}

// === impl Peers ===

impl Peers {
    /// Counts a connection; none when the peer has as many as it may.
    pub(super) fn count(&self, address: IpAddr, most: usize) -> Option<Counted> {
        let peer = peer(address);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.entry(peer).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Counted {
            peers: self.clone(),
            peer,
        })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut all = self.peers.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = all.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.peer);
            }
        }
    }
}

/// An address, or of IPv6 the network that one customer has.
fn peer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_has_as_many_as_it_may_and_gets_them_back() {
        let peers = Peers::default();
        let count = |address: &str| peers.count(address.parse().unwrap(), 2);
        let first = count("2001:db8::1");
        let second = count("2001:db8::2");
        assert!(first.is_some() && second.is_some());
        assert!(count("2001:db8::3").is_none(), "the same network");
        assert!(count("2001:db8:0:1::3").is_some(), "another one");
        assert!(count("192.0.2.1").is_some() && count("::ffff:192.0.2.1").is_some());
        drop(first);
        let third = count("2001:db8::3");
        assert!(third.is_some());
        drop((second, third));
        assert!(peers.0.lock().unwrap().is_empty());
    }
}
