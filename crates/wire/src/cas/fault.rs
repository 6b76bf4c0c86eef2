//! What a validation is answered when it fails.

use crate::fault::faults;

faults! {
    /// Why a ticket is not explained. The status is always 200: the protocol says no in the document.
    pub enum Fault {
        /// A parameter is missing, there twice, or cannot be read.
        InvalidRequest => "INVALID_REQUEST", 200, "CAS 2.5.3", "service and ticket are both required, each once";
        /// The answer is wanted in a form that does not exist.
        UnknownFormat => "INVALID_REQUEST", 200, "CAS 2.5.1", "the format must be XML or JSON";
        /// A proxy ticket at a place for service tickets, or no ticket at all.
        TicketSpec => "INVALID_TICKET_SPEC", 200, "CAS 2.5.3", "this is no service ticket; a proxy ticket is explained at proxyValidate";
        /// A callback for proxy tickets, from an application that may not have any.
        UnauthorizedServiceProxy => "UNAUTHORIZED_SERVICE_PROXY", 200, "CAS 2.5.3", "this service may not act for a person: ask without pgtUrl";
        /// A callback that is not registered, or where nobody took the ticket.
        InvalidProxyCallback => "INVALID_PROXY_CALLBACK", 200, "CAS 2.5.3", "the callback is not registered, or did not answer 200 over a connection that can be trusted";
        /// Not ours, used before, too old, or its session is over.
        InvalidTicket => "INVALID_TICKET", 200, "CAS 2.5.3", "the ticket is unknown, was used before, or is too old";
        /// `renew` was asked for, and the person had signed in before.
        NotRenewed => "INVALID_TICKET", 200, "CAS 2.5.3", "the ticket does not come from a new sign-in, and renew was asked for";
        /// Another address than the one the ticket was made for. The ticket is used up.
        InvalidService => "INVALID_SERVICE", 200, "CAS 2.5.3", "the ticket was made for another service; it is void now";
        /// A failure of the provider.
        InternalError => "INTERNAL_ERROR", 200, "CAS 2.5.3", "the provider could not look; ask for a new ticket";
    }
}

faults! {
    /// Why no proxy ticket is given.
    pub enum ProxyFault {
        /// A parameter is missing.
        InvalidRequest => "INVALID_REQUEST", 200, "CAS 2.7.3", "pgt and targetService are both required, each once";
        /// Not ours, too old, or its session is over.
        BadGranting => "BAD_PGT", 200, "CAS 2.7.3", "the proxy-granting ticket is unknown, too old, or its session is over";
        /// The target is not registered, or does not take it from this application.
        UnauthorizedService => "UNAUTHORIZED_SERVICE", 200, "CAS 2.7.3", "the target is not registered, or this service may not act for this person there";
        /// A failure of the provider.
        InternalError => "INTERNAL_ERROR", 200, "CAS 2.7.3", "the provider could not look; ask again";
    }
}
