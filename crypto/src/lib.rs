//! Digests, keys, DSSE, signed notes, and the one check of a signature.
#![forbid(unsafe_code)]
