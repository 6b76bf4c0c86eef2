//! Text messages: gateways over HTTP, asked in order.

pub mod gsm7;
mod http;
mod template;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

pub use self::http::HttpGateway;
pub(crate) use self::http::HttpSms;
use crate::{
    Cause, Clock, PeerError, Receipt, SendSms, Sms,
    breaker::{Breaker, FAILURES_MAX},
};

/// Several gateways: the first that takes a message has it.
///
/// A gateway that took a message and did not say so in time may lead to a double; a code that comes
/// twice is better than one that does not come.
pub struct Fallback {
    gateways: Vec<Guarded>,
    clock: Clock,
}

struct Guarded {
    name: String,
    gateway: Arc<dyn SendSms>,
    breaker: Mutex<Breaker>,
}

impl Fallback {
    /// Gateways with their names, the preferred one first.
    #[must_use]
    pub fn new(in_order: Vec<(String, Arc<dyn SendSms>)>, clock: Clock) -> Self {
        let guarded = |(name, gateway)| Guarded {
            name,
            gateway,
            breaker: Mutex::new(Breaker::default()),
        };
        Self {
            gateways: in_order.into_iter().map(guarded).collect(),
            clock,
        }
    }
}

#[async_trait]
impl SendSms for Fallback {
    /// Asks each gateway until one takes the message. When all fail the message is lost only if each
    /// refused it for good.
    async fn send(&self, sms: &Sms) -> Result<Receipt, PeerError> {
        let mut failure: Option<PeerError> = None;
        for guarded in &self.gateways {
            match guarded.send(sms, &self.clock).await {
                Ok(receipt) => return Ok(receipt),
                Err(error) => {
                    tracing::warn!(%error, id = sms.id, "a gateway did not take an SMS");
                    if error.is_temporary() || failure.is_none() {
                        failure = Some(error);
                    }
                }
            }
        }
        Err(failure.unwrap_or_else(|| PeerError::temporary("sms", Cause::NotConfigured)))
    }
}

impl Guarded {
    async fn send(&self, sms: &Sms, clock: &Clock) -> Result<Receipt, PeerError> {
        if !self.breaker().lets_through(clock()) {
            return Err(PeerError::temporary(
                &self.name,
                Cause::LeftAlone(FAILURES_MAX),
            ));
        }
        let sent = self.gateway.send(sms).await;
        match &sent {
            Err(error) if error.is_temporary() => self.breaker().failed(clock()),
            _ => self.breaker().answered(),
        }
        sent
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
