//! Behaviour of the whole exchange in virtual time.
