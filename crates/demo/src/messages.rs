//! What arrived on phones and in mailboxes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde::Serialize;

use crate::shelf::lock;

/// How a message came.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// A text message to a phone number.
    Sms,
    /// A mail to an address.
    Mail,
}

/// One message as `GET /api/messages` tells it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Message {
    /// When it arrived, RFC 3339 in UTC.
    pub at: String,
    /// SMS or mail.
    pub channel: Channel,
    /// The phone number or mail address it was sent to.
    pub to: String,
    /// The subject of a mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The text of the message.
    pub text: String,
    #[serde(skip)]
    pub(crate) at_unix: i64,
}

/// All messages of the canton, newest last; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Messages(Arc<Mutex<VecDeque<Message>>>);

/// Most messages kept; the oldest makes room.
const MESSAGES_MAX: usize = 1000;

impl Messages {
    /// Everything that arrived, newest last.
    pub fn all(&self) -> Vec<Message> {
        lock(&self.0).iter().cloned().collect()
    }

    /// The newest message on `channel` to exactly `to`.
    pub fn last(&self, channel: Channel, to: &str) -> Option<Message> {
        let messages = lock(&self.0);
        messages
            .iter()
            .rev()
            .find(|m| m.channel == channel && m.to == to)
            .cloned()
    }

    pub(crate) fn arrive(&self, message: Message) {
        let mut messages = lock(&self.0);
        if messages.len() >= MESSAGES_MAX {
            messages.pop_front();
        }
        messages.push_back(message);
    }
}
