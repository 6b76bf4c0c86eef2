//! CAS 3.0, the protocol of many school portals: sign-in by a one-time ticket in an address, which the
//! application has explained at the back door.
//!
//! | file | in | out |
//! |---|---|---|
//! | `service` | the table `[[cas]]` of `applications.toml` | [`Service`], what is wrong with it |
//! | `address` | an address that an application names | [`Address`]: whose it is |
//! | `login` | the query of `/cas/login` and `/cas/logout` | [`Login`], [`Logout`] |
//! | `ticket` | the `ST-…` in an address | [`Ticket`] |
//! | `proxy` | the query of `/cas/proxy` | [`ProxyRequest`], the tickets of applications that act for a person |
//! | `validate` | the query of `/cas/validate`, `/cas/serviceValidate` … | [`Validate`], the answer |
//! | `farewell` | a ticket whose session has ended | what the application is told |
//! | `saml` | the SOAP envelope sent to `/cas/samlValidate` | [`saml::Asked`], the answer |
//!
//! Deliberately absent: `method=POST`, long-term tickets; proxy tickets are there for those that are registered
//! for them; see
//! `docs/decisions/0025-cas-and-the-gate.md`.

mod address;
mod farewell;
mod fault;
mod login;
pub mod proxy;
pub mod saml;
mod service;
mod ticket;
mod time;
mod validate;

pub use address::{Address, AddressFlaw, Named};
pub use farewell::farewell;
pub use fault::{Fault, ProxyFault};
pub use login::{Login, LoginFault, Logout};
pub use proxy::ProxyRequest;
pub use service::{Attribute, Service, ServiceFlaw, User};
pub(crate) use service::{is_id, is_presentable};
pub use ticket::Ticket;
pub use validate::{Format, Success, Validate, no, proxied, proxy_refused, refused, yes};

use crate::form::Bounds;

/// A query with a service address in it.
const BOUNDS: Bounds = Bounds {
    total_bytes_max: 8 * 1024,
    value_bytes_max: 2048,
    fields_max: 16,
};
