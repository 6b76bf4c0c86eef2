//! Several gateways, as toys that count what they are asked.

use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
    time::Duration,
};

use super::*;

#[derive(Clone, Copy)]
enum Mood {
    Well,
    Failing,
    Refusing,
}

struct Toy {
    name: &'static str,
    mood: Mood,
    asked: AtomicU32,
}

impl Toy {
    fn new(name: &'static str, mood: Mood) -> Arc<Self> {
        Arc::new(Self {
            name,
            mood,
            asked: AtomicU32::new(0),
        })
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl SendSms for Toy {
    async fn send(&self, _: &Sms) -> Result<Receipt, PeerError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        match self.mood {
            Mood::Well => Ok(Receipt {
                peer: self.name.to_owned(),
            }),
            Mood::Failing => Err(PeerError::temporary(self.name, Cause::TimedOut(10))),
            Mood::Refusing => Err(PeerError::permanent(self.name, Cause::Answered(403))),
        }
    }
}

fn fallback(toys: &[&Arc<Toy>], clock: Clock) -> Fallback {
    let named = |toy: &&Arc<Toy>| (toy.name.to_owned(), Arc::clone(toy) as Arc<dyn SendSms>);
    Fallback::new(toys.iter().map(named).collect(), clock)
}

fn sms() -> Sms {
    Sms {
        id: "m1".into(),
        to: "+41791110001".into(),
        text: "123456".into(),
    }
}

fn still() -> Clock {
    Arc::new(|| Duration::ZERO)
}

#[tokio::test]
async fn the_next_gateway_is_asked_when_one_fails() {
    let (first, second) = (
        Toy::new("first", Mood::Failing),
        Toy::new("second", Mood::Well),
    );
    let receipt = fallback(&[&first, &second], still())
        .send(&sms())
        .await
        .unwrap();
    assert_eq!(receipt.peer, "second");

    let (first, second) = (
        Toy::new("first", Mood::Refusing),
        Toy::new("second", Mood::Well),
    );
    let receipt = fallback(&[&first, &second], still())
        .send(&sms())
        .await
        .unwrap();
    assert_eq!(receipt.peer, "second");
    assert_eq!(first.asked(), 1);
}

#[tokio::test]
async fn a_message_is_lost_only_when_everybody_refused_it_for_good() {
    let (failing, refusing) = (Toy::new("a", Mood::Failing), Toy::new("b", Mood::Refusing));
    for order in [[&failing, &refusing], [&refusing, &failing]] {
        assert!(
            fallback(&order, still())
                .send(&sms())
                .await
                .unwrap_err()
                .is_temporary()
        );
    }
    let refused = fallback(&[&refusing], still())
        .send(&sms())
        .await
        .unwrap_err();
    assert_eq!(refused, PeerError::permanent("b", Cause::Answered(403)));
}

#[tokio::test]
async fn without_a_gateway_a_message_waits() {
    assert!(
        fallback(&[], still())
            .send(&sms())
            .await
            .unwrap_err()
            .is_temporary()
    );
}

/// [P10] A gateway that keeps failing is not asked, until a pause is over.
#[tokio::test]
async fn a_failing_gateway_is_left_alone_for_a_while() {
    let now_s = Arc::new(AtomicU64::new(0));
    let read = Arc::clone(&now_s);
    let clock: Clock = Arc::new(move || Duration::from_secs(read.load(Ordering::SeqCst)));
    let failing = Toy::new("failing", Mood::Failing);
    let gateways = fallback(&[&failing], clock);
    for _ in 0..FAILURES_MAX + 3 {
        assert!(gateways.send(&sms()).await.is_err());
    }
    assert_eq!(failing.asked(), FAILURES_MAX);

    now_s.store(30, Ordering::SeqCst);
    assert!(gateways.send(&sms()).await.is_err());
    assert_eq!(failing.asked(), FAILURES_MAX + 1);
}

/// [P10] A gateway that refuses messages is well: the next message may be fine.
#[tokio::test]
async fn a_refusing_gateway_is_asked_again() {
    let refusing = Toy::new("refusing", Mood::Refusing);
    let gateways = fallback(&[&refusing], still());
    for _ in 0..FAILURES_MAX + 3 {
        assert!(gateways.send(&sms()).await.is_err());
    }
    assert_eq!(refusing.asked(), FAILURES_MAX + 3);
}
