//! The desk of ring 3: what `furka person reset` does, without its command line.

use journey::{ActivationId, NameKey, Timestamp};
use server::{World, activation_code};
use store::{AnyStore, Message, NewActivation, Rebinding, Reset, seal::Keys};

use super::canton::{by, must};
use super::world::Toy;
use crate::stage::Lost;

/// How long the code for another password works: a day.
const CODE_S: i64 = 86_400;

/// Takes back what somebody lost.
pub(super) async fn resets(
    store: &AnyStore,
    (keys, toy): (&Keys, &Toy),
    (username, lost): (&str, Lost),
) {
    let name = must("read a name", NameKey::of(username).ok_or("no name"));
    let found = must("look for somebody", store.person_by_name(&name).await);
    let account = must("find somebody", found.ok_or("nobody has this name"));
    let person = account.person.id;
    let reset = Reset {
        factor: (lost == Lost::Phone).then_some(Rebinding {
            method: account.person.method,
            phone: None,
        }),
        id: draw(toy),
        password: (lost == Lost::Password).then(|| code(keys, toy, person)),
        person,
        reason: "came to the desk".into(),
        user: "desk".into(),
    };
    let done = must("reset somebody", store.reset(&reset, &by(toy)).await);
    must("reset who is activated", done.ok_or("they are not"));
}

fn code(keys: &Keys, toy: &Toy, person: journey::PersonId) -> NewActivation {
    let drawn = activation_code::draw(toy);
    let canonical = activation_code::canonical(&drawn).unwrap_or_default();
    let until = Timestamp(toy.now().saturating_add(CODE_S));
    NewActivation {
        id: ActivationId(draw(toy)),
        mac: activation_code::mac(keys, person, &canonical),
        message: Some(Message::NewPassword {
            code: journey::Secret::new(drawn.into_bytes()),
            until,
        }),
        person,
        until,
    }
}

fn draw<const N: usize>(toy: &Toy) -> [u8; N] {
    let mut bytes = [0; N];
    World::fill(toy, &mut bytes);
    bytes
}
