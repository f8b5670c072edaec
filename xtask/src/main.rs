//! Everything CI does, runnable at a desk.

fn main() {}
