//! What a rule may ask about.
