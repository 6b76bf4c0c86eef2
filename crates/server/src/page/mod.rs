//! The pages: one type a page's data, one template each, all of them without a script.
//!
//! A page knows no request and no store: the server fills a page's fields and gives it a [`Frame`].
//! Conventions that scripts rely on: the primary form comes first and posts the fields
//! `username`, `password`, `code`, `next_code`, `activation_code`, `new_password`,
//! `new_password_again`, `phone`, `method`, `serial`, `user_code` (with the hidden `ticket` where there is one);
//! its button has no name. Every other button, and those of the account, post `action` to the same
//! address: `resend`, `resync`, `lost`, `kept`, `sign-out`, `sign-out-everywhere`.
//!
//! Served beside the pages: `/static/mark.svg` (the icon), `/static/password.js` and `/static/onward.js`.

mod account;
mod account_app;
mod account_password;
mod activation;
mod app;
mod consent;
mod device;
mod elsewhere;
mod farewell;
mod frame;
mod leave;
mod notice;
mod onward;
mod plain;
mod posted;
mod proceed;
pub mod qr;
mod recovery;
mod refused;
mod sign_in;
mod sms_code;
mod texts;
pub mod time;
mod token;

pub use account::{Account, ConsentRow, LoggedOut, LogoutConfirm, SessionRow};
pub use account_app::AccountApp;
pub use account_password::{AccountPassword, AccountPasswordDone, CurrentProblem};
pub use activation::{
    ActivationData, ActivationDone, ActivationPassword, ActivationPhoneMethod, ActivationStart,
    ActivationToken, PhoneMethodProblem, StartProblem,
};
pub use app::{AppCode, AppCodeProblem, AppEnrolment, Clock};
pub use consent::{Consent, Released};
pub use device::{Device, DeviceConfirm, DeviceDone, DeviceProblem};
pub use elsewhere::EnrolElsewhere;
pub use farewell::{Farewell, FarewellRow};
pub use frame::{Frame, LanguageLink};
pub use leave::{Leave, LeaveRow, LeaveState};
pub use notice::{Notice, NoticeLink, Step, Who};
pub use onward::Onward;
pub use plain::{Home, NotFound, Overloaded, PauseWhy};
pub use posted::Posted;
pub use proceed::{Proceed, ProceedWhy};
pub use recovery::{
    RecoveryCode, RecoveryMade, RecoveryMay, RecoveryProblem, RecoverySheet, RecoveryStanding,
    Replacement,
};
pub use refused::{Link, Reason, Refused};
pub use sign_in::{SignIn, SignInProblem};
pub use sms_code::{Delivery, Resend, SmsCode, SmsProblem};
pub use texts::{Mail, Texts};
pub use token::{TokenAsk, TokenCode, TokenProblem};

/// A page of one kind, ready to be shown in a frame.
pub trait Page {
    /// The whole document.
    ///
    /// # Errors
    /// Only where the formatting machinery itself gives up; no data of ours makes it.
    fn html(&self, frame: &Frame<'_>) -> Result<String, askama::Error>;
}

/// Every variant of a page worth a look, with a name for its picture.
#[cfg(test)]
trait Samples: Page + Sized {
    fn samples() -> Vec<(&'static str, Self)>;
}

/// Binds a page's data to its template, which sees them as `page` beside `frame`.
macro_rules! shown_by {
    ($page:ty, $template:literal) => {
        const _: () = {
            #[derive(askama::Template)]
            #[template(path = $template)]
            struct Shown<'a> {
                frame: &'a $crate::page::Frame<'a>,
                page: &'a $page,
            }

            impl $crate::page::Page for $page {
                fn html(&self, frame: &$crate::page::Frame<'_>) -> Result<String, askama::Error> {
                    askama::Template::render(&Shown { frame, page: self })
                }
            }
        };
    };
}
use shown_by;

#[cfg(test)]
mod tests;
