//! CTAPHID for both ends as state machines, with uhid, UDP and hidapi adapters.
