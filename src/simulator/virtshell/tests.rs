//! The API over real sockets, and the life behind it.
