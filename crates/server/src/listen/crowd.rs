//! How many connections there are: in all, and from one address.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Counts connections.
pub(super) struct Crowd {
    per_peer_max: usize,
    peers: Arc<Mutex<HashMap<IpAddr, usize>>>,
    seats: Arc<Semaphore>,
}

/// One connection of an address, counted until this is dropped.
pub(super) struct Place {
    key: IpAddr,
    peers: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Crowd {
    pub(super) fn new(max: usize, per_peer_max: usize) -> Self {
        Self {
            per_peer_max,
            peers: Arc::default(),
            seats: Arc::new(Semaphore::new(max.clamp(1, Semaphore::MAX_PERMITS))),
        }
    }

    /// A seat for one connection, as soon as there is one.
    pub(super) async fn seat(&self) -> OwnedSemaphorePermit {
        match self.seats.clone().acquire_owned().await {
            Ok(seat) => seat,
            Err(_) => unreachable!("nobody closes this semaphore"),
        }
    }

    /// A seat for one connection, if there is one now.
    pub(super) fn free_seat(&self) -> Option<OwnedSemaphorePermit> {
        self.seats.clone().try_acquire_owned().ok()
    }

    /// A place for one more connection of an address; none if it has too many.
    pub(super) fn place(&self, peer: IpAddr) -> Option<Place> {
        let key = network_of(peer);
        let mut peers = lock(&self.peers);
        let count = peers.entry(key).or_default();
        if *count >= self.per_peer_max {
            return None;
        }
        *count += 1;
        Some(Place {
            key,
            peers: self.peers.clone(),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut peers = lock(&self.peers);
        if let Some(count) = peers.get_mut(&self.key) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                peers.remove(&self.key);
            }
        }
    }
}

/// Whoever has one IPv6 address has all of its /64.
fn network_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

/// Counting goes on whatever happened to another connection.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::Crowd;

    #[test]
    fn one_address_cannot_take_every_seat_and_gets_its_own_back() {
        let crowd = Crowd::new(10, 2);
        let school = "198.51.100.7".parse().unwrap();
        let first = crowd.place(school);
        let second = crowd.place(school);
        assert!(first.is_some() && second.is_some());
        assert!(crowd.place(school).is_none());
        assert!(crowd.place("198.51.100.8".parse().unwrap()).is_some());
        drop(first);
        assert!(crowd.place(school).is_some());
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_together() {
        let crowd = Crowd::new(10, 1);
        let _one = crowd.place("2001:db8::1".parse().unwrap()).unwrap();
        assert!(crowd.place("2001:db8::2".parse().unwrap()).is_none());
        assert!(crowd.place("2001:db8:0:1::1".parse().unwrap()).is_some());
    }

    #[test]
    fn an_address_without_connections_is_forgotten() {
        let crowd = Crowd::new(10, 1);
        drop(crowd.place("198.51.100.7".parse().unwrap()));
        assert!(crowd.peers.lock().unwrap().is_empty());
    }
}
