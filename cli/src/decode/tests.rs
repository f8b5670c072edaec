//! Each kind of input, told apart and explained.
