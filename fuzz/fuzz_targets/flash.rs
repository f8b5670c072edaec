//! The target `flash`; its body and what it claims are in the library.
#![cfg_attr(fuzzing, no_main)]

softkey_fuzz::target!(flash);
