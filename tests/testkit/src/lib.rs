//! The virtual world of the tests: clock, network, SIP phone, tapes.
