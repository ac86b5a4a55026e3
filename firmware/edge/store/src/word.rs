//! Enums as the words they are serialised as, for text columns.
