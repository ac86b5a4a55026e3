//! Tests of session descriptions and their negotiation.
