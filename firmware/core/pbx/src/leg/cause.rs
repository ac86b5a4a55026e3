//! SIP status ↔ Q.850 cause: the one table (RFC 3398 §7.2.4.1 and §8.2.6.1).
//!
//! Where practice differs from the RFC, the line says so.

use model::{Cause, Disposition};
use sip::message::StatusCode;

/// The cause that a SIP refusal means (RFC 3398 §8.2.6.1).
#[must_use]
pub(crate) const fn cause_of_status(status: StatusCode) -> Cause {
    match status.code() {
        // A redirection is not followed: to the caller it is a refusal.
        300..=399 => Cause::CALL_REJECTED,
        401..=403 | 407 | 433 => Cause::CALL_REJECTED,
        404 | 485 | 604 => Cause::UNALLOCATED_NUMBER,
        405 => Cause::from_wire(63),
        406 | 415 | 501 => Cause::from_wire(79),
        408 | 504 => Cause::RECOVERY_ON_TIMER_EXPIRY,
        410 => Cause::NUMBER_CHANGED,
        413 | 414 | 416 | 420 | 421 | 423 | 505 | 513 => Cause::INTERWORKING,
        // RFC 5626 §11.6: the phone's connection is gone.
        430 => Cause::SUBSCRIBER_ABSENT,
        480 => Cause::NO_USER_RESPONDING,
        482 | 483 => Cause::from_wire(25),
        484 => Cause::INVALID_NUMBER_FORMAT,
        486 | 600 => Cause::USER_BUSY,
        487 => Cause::NORMAL_UNSPECIFIED,
        // The RFC leaves these two to the Warning header; in practice they mean: no common codec.
        488 | 606 => Cause::INCOMPATIBLE_DESTINATION,
        502 => Cause::NETWORK_OUT_OF_ORDER,
        580 => Cause::RESOURCE_UNAVAILABLE,
        // RFC 8197, RFC 8688: the called party, or one acting for it, does not want the call.
        603 | 607 | 608 => Cause::CALL_REJECTED,
        400 | 481 | 500 | 503 => Cause::TEMPORARY_FAILURE,
        _ => Cause::INTERWORKING,
    }
}

/// The SIP refusal that says a cause (RFC 3398 §7.2.4.1).
#[must_use]
pub(crate) const fn status_of_cause(cause: Cause) -> StatusCode {
    match cause.value() {
        1..=3 | 26 => StatusCode::NOT_FOUND,
        17 => StatusCode::BUSY_HERE,
        18 => StatusCode::REQUEST_TIMEOUT,
        16 | 19 | 20 | 31 => StatusCode::TEMPORARILY_UNAVAILABLE,
        21 | 55 | 57 | 87 => StatusCode::FORBIDDEN,
        22 | 23 => StatusCode::GONE,
        25 => StatusCode::LOOP_DETECTED,
        27 => StatusCode::BAD_GATEWAY,
        28 => StatusCode::ADDRESS_INCOMPLETE,
        29 | 79 => StatusCode::NOT_IMPLEMENTED,
        34 | 38 | 41 | 42 | 44 | 47 | 58 => StatusCode::SERVICE_UNAVAILABLE,
        // 88 is 503 in the RFC; that would make phones and peers believe the exchange is overloaded.
        65 | 70 | 88 => StatusCode::NOT_ACCEPTABLE_HERE,
        102 => StatusCode::SERVER_TIMEOUT,
        _ => StatusCode::SERVER_INTERNAL_ERROR,
    }
}

/// The word for a call that was not answered. `rang`: a phone of the called party had rung.
#[must_use]
pub(crate) const fn disposition_of(cause: Cause, rang: bool) -> Disposition {
    match cause.value() {
        1 | 3 | 22 | 28 => Disposition::UnknownNumber,
        17 => Disposition::Busy,
        19 => Disposition::NoAnswer,
        // A phone that rang and then gave up was not answered; one that never did was not there.
        18 | 20 | 102 if rang => Disposition::NoAnswer,
        18 | 20 | 27 | 102 => Disposition::Unreachable,
        21 | 55 | 57 | 87 => Disposition::Rejected,
        _ => Disposition::Failed,
    }
}

/// Whether a refusal tells of the network rather than of the called party, so that another way to it may
/// do better: the one table of what *try the next interface* means.
///
/// A Q.850 cause that speaks of the party decides, whatever the status: gateways send `500` with
/// `Reason: Q.850;cause=17`.
#[must_use]
pub(crate) const fn is_of_network(status: StatusCode, cause: Cause) -> bool {
    match cause.value() {
        // No route, no circuit, out of order, congestion, unavailable, barred at the provider.
        2 | 3 | 25 | 27 | 34 | 38 | 41..=44 | 46 | 47 | 49 | 50 | 57 | 58 | 63 => true,
        // Unknown number, busy, no answer, absent, changed, cleared.
        1 | 16 | 17 | 18 | 19 | 20 | 22 | 26 | 28 => false,
        _ => match status.code() {
            // The account, the bill, what the server can't do, no answer; a codec it does not have.
            300..=399 | 401..=403 | 405 | 407 | 408 | 415 | 420 | 421 | 430 | 433 | 482 | 483 => {
                true
            }
            488 | 606 => true,
            500..=599 => true,
            _ => false,
        },
    }
}

/// Which of several refusals speaks for all of them; the lowest wins (RFC 3261 §16.7 step 6).
///
/// A global refusal decides. Else what a person did comes before what a phone said, and that before
/// silence: the caller shall hear *busy*, not *unreachable*, where one of two phones is switched off.
#[must_use]
pub(crate) const fn rank(status: StatusCode) -> u16 {
    match status.code() {
        600..=699 => 0,
        486 => 1,
        480 => 2,
        // §16.7 prefers those that let the caller try again.
        401 | 407 | 415 | 420 | 484 => 3,
        408 | 430 | 481 | 487 => 8,
        300..=399 => 4,
        400..=499 => 5,
        500..=502 | 504..=599 => 6,
        _ => 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: u16) -> StatusCode {
        StatusCode::new(code).expect("a status")
    }

    #[test]
    fn refusals_become_causes() {
        // RFC 3398 §8.2.6.1, and the deviations named above.
        for (code, cause) in [
            (302, 21),
            (400, 41),
            (401, 21),
            (402, 21),
            (403, 21),
            (404, 1),
            (405, 63),
            (406, 79),
            (407, 21),
            (408, 102),
            (410, 22),
            (413, 127),
            (414, 127),
            (415, 79),
            (416, 127),
            (420, 127),
            (421, 127),
            (423, 127),
            (480, 18),
            (481, 41),
            (482, 25),
            (483, 25),
            (484, 28),
            (485, 1),
            (486, 17),
            (488, 88),
            (500, 41),
            (501, 79),
            (502, 38),
            (503, 41),
            (504, 102),
            (505, 127),
            (513, 127),
            (600, 17),
            (603, 21),
            (604, 1),
            (606, 88),
            (699, 127),
        ] {
            assert_eq!(cause_of_status(status(code)).value(), cause, "{code}");
        }
    }

    #[test]
    fn causes_become_refusals() {
        // RFC 3398 §7.2.4.1.
        for (cause, code) in [
            (1, 404),
            (2, 404),
            (3, 404),
            (17, 486),
            (18, 408),
            (19, 480),
            (20, 480),
            (21, 403),
            (22, 410),
            (23, 410),
            (26, 404),
            (27, 502),
            (28, 484),
            (29, 501),
            (31, 480),
            (34, 503),
            (38, 503),
            (41, 503),
            (42, 503),
            (47, 503),
            (55, 403),
            (57, 403),
            (58, 503),
            (65, 488),
            (70, 488),
            (79, 501),
            (87, 403),
            (88, 488),
            (102, 504),
            (111, 500),
            (127, 500),
        ] {
            assert_eq!(
                status_of_cause(Cause::from_wire(cause)).code(),
                code,
                "{cause}"
            );
        }
    }

    #[test]
    fn every_cause_is_refused_by_a_final_failure() {
        for value in 0..=127 {
            assert!(status_of_cause(Cause::from_wire(value)).is_failure());
        }
    }

    #[test]
    fn a_phone_that_rang_was_not_answered() {
        let timeout = cause_of_status(status(408));
        assert_eq!(disposition_of(timeout, true), Disposition::NoAnswer);
        assert_eq!(disposition_of(timeout, false), Disposition::Unreachable);
        assert_eq!(disposition_of(Cause::USER_BUSY, true), Disposition::Busy);
    }

    #[test]
    fn the_best_refusal_speaks_for_all() {
        let best = |codes: &[u16]| codes.iter().copied().min_by_key(|code| rank(status(*code)));
        assert_eq!(best(&[408, 486, 503]), Some(486));
        assert_eq!(best(&[486, 603]), Some(603));
        assert_eq!(best(&[408, 480]), Some(480));
        assert_eq!(best(&[503, 500]), Some(500));
        assert_eq!(best(&[503, 404]), Some(404));
        assert_eq!(best(&[408, 503]), Some(503));
    }
}
