//! The media graph: ports, bridges, tones, relay and tick.
