//! Gateways that fail, answer late, or take a message and lose the answer; and the phones behind them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use peers::{Callback, Cause, Mail, News, PeerError, PostForm, Receipt, SendMail, SendSms, Sms};
use store::{MessageId, Outgoing};

use super::fate::{Call, Fate};

/// All messages of a canton.
pub(super) struct Post {
    fate: Arc<Fate>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// How often each message may have gone out beyond the first time: an answer about it was lost.
    excused: BTreeMap<String, u32>,
    /// The texts on each phone, the oldest first: when, the message's id, the code in it.
    phones: BTreeMap<String, Vec<Text>>,
    references: BTreeMap<i64, String>,
    taken: BTreeMap<String, u32>,
}

/// A text on a phone.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) at: i64,
    pub(super) code: String,
    id: String,
}

impl Post {
    pub(super) fn new(fate: &Arc<Fate>) -> Arc<Self> {
        Arc::new(Self {
            fate: Arc::clone(fate),
            state: Mutex::default(),
        })
    }

    /// A node has these messages to send.
    pub(super) fn are_claimed(&self, claimed: &[Outgoing]) {
        let mut state = self.state();
        let references = claimed.iter().map(|one| (one.id.0, one.reference.clone()));
        state.references.extend(references);
    }

    /// What became of a message could not be written down: it goes out once more.
    pub(super) fn may_go_out_again(&self, id: MessageId) {
        let mut state = self.state();
        if let Some(reference) = state.references.get(&id.0).cloned() {
            *state.excused.entry(reference).or_default() += 1;
        }
    }

    /// The last code on a phone.
    pub(super) fn last_code(&self, number: &str) -> Option<Text> {
        self.state().phones.get(number)?.last().cloned()
    }

    /// All codes that a phone ever got.
    pub(super) fn codes(&self, number: &str) -> Vec<Text> {
        self.state().phones.get(number).cloned().unwrap_or_default()
    }

    /// A message that went out more often than lost answers explain.
    pub(super) fn sent_too_often(&self) -> Option<String> {
        let state = self.state();
        let mut taken = state.taken.iter();
        let (id, times) = taken.find(|(id, times)| {
            let excused = state.excused.get(*id).copied().unwrap_or_default();
            **times > 1_u32.saturating_add(excused)
        })?;
        let lost = state.excused.get(id).copied().unwrap_or_default();
        Some(format!(
            "a gateway was given the message {id} {times} times, and {lost} answers about it were lost"
        ))
    }

    /// A phone on which more different messages arrived within `window_s` seconds than `most`.
    pub(super) fn flooded(&self, window_s: i64, most: usize) -> Option<String> {
        let state = self.state();
        for (number, texts) in &state.phones {
            for (first, text) in texts.iter().enumerate() {
                let window = texts.iter().skip(first);
                let window =
                    window.take_while(|other| other.at <= text.at.saturating_add(window_s));
                let different: BTreeSet<&str> = window.map(|other| other.id.as_str()).collect();
                if different.len() > most {
                    let count = different.len();
                    return Some(format!(
                        "{count} different messages came to {number} within {window_s} s"
                    ));
                }
            }
        }
        None
    }

    /// Numbers that got a text and are nobody's.
    pub(super) fn strangers(&self, known: &BTreeSet<&str>) -> Option<String> {
        let state = self.state();
        let stranger = state
            .phones
            .keys()
            .find(|one| !known.contains(one.as_str()))?;
        Some(format!(
            "a code went to {stranger}, which is nobody's number"
        ))
    }

    fn hands_over(
        &self,
        id: &str,
        deliver: impl FnOnce(&mut State, i64),
    ) -> Result<Receipt, PeerError> {
        let call = self.fate.sends_a_message();
        if call == Call::Lost {
            return Err(passing());
        }
        if let Call::Late(seconds) = call {
            self.fate.passes(seconds);
        }
        let now = self.fate.now();
        let mut state = self.state();
        *state.taken.entry(id.to_owned()).or_default() += 1;
        deliver(&mut state, now);
        if call == Call::Unanswered {
            *state.excused.entry(id.to_owned()).or_default() += 1;
            return Err(passing());
        }
        Ok(Receipt {
            peer: "post".to_owned(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn passing() -> PeerError {
    PeerError::Temporary {
        peer: "post".to_owned(),
        cause: Cause::Answered(503),
    }
}

#[async_trait]
impl SendSms for Post {
    async fn send(&self, sms: &Sms) -> Result<Receipt, PeerError> {
        self.hands_over(&sms.id, |state, at| {
            // The last line is for browsers that fill the code in: `@host #123456`.
            let code = sms.text.rsplit('#').next().unwrap_or_default();
            let text = Text {
                at,
                code: code.trim().to_owned(),
                id: sms.id.clone(),
            };
            state.phones.entry(sms.to.clone()).or_default().push(text);
        })
    }
}

#[async_trait]
impl PostForm for Post {
    async fn post(&self, news: &News) -> Result<Receipt, PeerError> {
        self.hands_over(&news.form, |_, _| {})
    }

    async fn call(&self, Callback(address): &Callback) -> Result<Receipt, PeerError> {
        self.hands_over(address, |_, _| {})
    }

    /// No federation is trusted in a simulation.
    async fn fetch(&self, _address: &str, _bytes_max: usize) -> Result<Vec<u8>, PeerError> {
        Err(passing())
    }
}

#[async_trait]
impl SendMail for Post {
    async fn send(&self, mail: &Mail) -> Result<Receipt, PeerError> {
        self.hands_over(&mail.id, |_, _| {})
    }
}
