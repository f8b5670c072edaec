//! The platform's side of CTAP and a headless navigator.credentials.
