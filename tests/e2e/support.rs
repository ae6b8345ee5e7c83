//! What the tests share.

mod exporter;
mod page;
mod patience;
mod process;
mod receiver;
mod server;
mod world;

pub(crate) use exporter::{Exporter, Format};
pub(crate) use page::Page;
pub(crate) use patience::eventually;
pub(crate) use process::{Process, missing};
pub(crate) use receiver::{Notification, Receiver};
pub(crate) use server::{Brand, Series, Server};
pub(crate) use world::{SOURCE, Simulated, World, scrapes, simulated};

/// A client that never waits long and uses no proxy.
pub(crate) fn client() -> reqwest::Client {
    // Only fails if another test was first, which is as good.
    rustls::crypto::ring::default_provider()
        .install_default()
        .unwrap_or_default();
    reqwest::Client::builder()
        .no_proxy()
        // Nothing here is encrypted, so it works on a machine that trusts nobody.
        .tls_certs_only([])
        .timeout(std::time::Duration::from_secs(10))
        .build()
        .unwrap()
}

/// The blocks of code in the README that are marked with a language.
pub(crate) fn readme_blocks(language: &str) -> impl Iterator<Item = &'static str> + use<> {
    blocks(include_str!("../../README.md"), language)
}

/// The blocks of code in a text that are marked with a language.
pub(crate) fn blocks(
    text: &'static str,
    language: &str,
) -> impl Iterator<Item = &'static str> + use<> {
    let start = format!("```{language}\n");
    let blocks: Vec<_> = text.split(&start).skip(1).collect();
    let blocks = blocks.into_iter();
    blocks.map(|block| block.split_once("```").unwrap().0)
}
