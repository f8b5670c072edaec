//! Fuzz bodies, thin cargo-fuzz targets and their seeds.
