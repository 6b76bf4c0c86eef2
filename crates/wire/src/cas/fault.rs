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
        TicketSpec => "INVALID_TICKET_SPEC", 200, "CAS 2.5.3", "this is no service ticket; proxy tickets are not issued";
        /// A callback for proxy tickets, which nobody may have.
        UnauthorizedServiceProxy => "UNAUTHORIZED_SERVICE_PROXY", 200, "CAS 2.5.3", "no service may act for a person: ask without pgtUrl";
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
        InvalidRequest => "INVALID_REQUEST", 200, "CAS 2.7.3", "pgt and targetService are both required";
        /// Nobody may have one.
        UnauthorizedService => "UNAUTHORIZED_SERVICE", 200, "CAS 2.7.3", "proxy tickets are not issued";
    }
}
