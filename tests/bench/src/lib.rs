//! What the exchange costs: counts and ratios.
