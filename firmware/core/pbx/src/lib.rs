//! The exchange: legs, calls, routing, features, call records.
