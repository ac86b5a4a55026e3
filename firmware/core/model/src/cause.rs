//! Why a call ended or was refused: ITU-T Q.850 cause values, for SIP and ISDN legs alike.

use core::fmt;

use serde::{Deserialize, Serialize};

/// A Q.850 cause value (location and diagnostics are not kept). Unknown values are kept as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cause(u8);

macro_rules! causes {
    ($($name:ident = $value:literal, $text:literal;)*) => {
        impl Cause {
            $(#[doc = concat!("No. ", $value, ": ", $text, ".")]
            pub const $name: Self = Self($value);)*

            /// The words of Q.850 for this value.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self.0 {
                    $($value => $text,)*
                    _ => "unknown cause",
                }
            }
        }
    };
}

// Q.850 §2.2.7, table 1.
causes! {
    UNALLOCATED_NUMBER = 1, "unallocated number";
    NO_ROUTE_TO_NETWORK = 2, "no route to specified transit network";
    NO_ROUTE_TO_DESTINATION = 3, "no route to destination";
    CHANNEL_UNACCEPTABLE = 6, "channel unacceptable";
    PREEMPTION = 8, "preemption";
    NORMAL_CALL_CLEARING = 16, "normal call clearing";
    USER_BUSY = 17, "user busy";
    NO_USER_RESPONDING = 18, "no user responding";
    NO_ANSWER = 19, "no answer from user";
    SUBSCRIBER_ABSENT = 20, "subscriber absent";
    CALL_REJECTED = 21, "call rejected";
    NUMBER_CHANGED = 22, "number changed";
    EXCHANGE_ROUTING_ERROR = 25, "exchange routing error";
    NON_SELECTED_USER_CLEARING = 26, "non-selected user clearing";
    DESTINATION_OUT_OF_ORDER = 27, "destination out of order";
    INVALID_NUMBER_FORMAT = 28, "invalid number format";
    FACILITY_REJECTED = 29, "facility rejected";
    RESPONSE_TO_STATUS_ENQUIRY = 30, "response to STATUS ENQUIRY";
    NORMAL_UNSPECIFIED = 31, "normal, unspecified";
    NO_CIRCUIT_AVAILABLE = 34, "no circuit/channel available";
    NETWORK_OUT_OF_ORDER = 38, "network out of order";
    TEMPORARY_FAILURE = 41, "temporary failure";
    SWITCHING_EQUIPMENT_CONGESTION = 42, "switching equipment congestion";
    REQUESTED_CIRCUIT_NOT_AVAILABLE = 44, "requested circuit/channel not available";
    RESOURCE_UNAVAILABLE = 47, "resource unavailable, unspecified";
    BEARER_CAPABILITY_NOT_AUTHORIZED = 57, "bearer capability not authorized";
    BEARER_CAPABILITY_NOT_AVAILABLE = 58, "bearer capability not presently available";
    BEARER_CAPABILITY_NOT_IMPLEMENTED = 65, "bearer capability not implemented";
    FACILITY_NOT_IMPLEMENTED = 69, "requested facility not implemented";
    INCOMPATIBLE_DESTINATION = 88, "incompatible destination";
    INVALID_MESSAGE = 95, "invalid message, unspecified";
    RECOVERY_ON_TIMER_EXPIRY = 102, "recovery on timer expiry";
    PROTOCOL_ERROR = 111, "protocol error, unspecified";
    INTERWORKING = 127, "interworking, unspecified";
}

impl Cause {
    /// Takes a value from the wire; bit 8, the extension bit, is not part of it.
    #[must_use]
    pub const fn from_wire(value: u8) -> Self {
        Self(value & 0x7f)
    }

    /// The cause value.
    #[must_use]
    pub const fn value(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0, self.text())
    }
}
