//! The exporter from outside: over real sockets against a simulated SDDC
//! Manager or a stub of exact bytes, in process or as the built binary.

#[cfg(test)]
mod support;

/// Clients that hold on to their connections.
#[cfg(test)]
mod bad_clients;
/// Answers that are no page, and calls without an answer.
#[cfg(test)]
mod bad_page;
/// Elements of a page that are no good tasks, and ids that must not be requested.
#[cfg(test)]
mod bad_task;
/// Counters that are shown later than they count, so that every scraper sees them rise.
#[cfg(test)]
mod births;
/// Whether each source can be read, before anything is served.
#[cfg(test)]
mod check_login;
/// Flags, variables, exit codes and signals of the built binary.
#[cfg(test)]
mod cli;
/// Every flag, variable, endpoint and exit code, by tables that must be whole.
#[cfg(test)]
mod contract;
/// Exporters killed at any moment.
#[cfg(test)]
mod crash;
/// Dashboards and rules: what they name is served, and they are whole.
#[cfg(test)]
mod dashboards;
/// The unit, the image and the package: the program takes what they give it.
#[cfg(test)]
mod deploy;
/// Every fault at every call: what is told of it, and that it changes no count.
#[cfg(test)]
mod fault_matrix;
/// Disks that take nothing, and what counts then.
#[cfg(test)]
mod full_disk;
/// What must hold for any bytes, with as many of them as there is time for.
#[cfg(test)]
mod fuzzed;
/// The files for Kubernetes: the program takes what they give it.
#[cfg(test)]
mod kubernetes;
/// Label values: which one counts, and what becomes of too many.
#[cfg(test)]
mod labels;
/// What counts over a task's life, once.
#[cfg(test)]
mod ledger_life;
/// The manual pages: they are made from the command line.
#[cfg(test)]
mod man;
/// One poll of each source, and the exposition of it.
#[cfg(test)]
mod once;
/// Open tasks and failures: until when, how many, and what is said of them.
#[cfg(test)]
mod open_tasks;
/// Each form of paging, and lists that move while they are read.
#[cfg(test)]
mod paging;
/// What holds for any sequence of listings, and for any bytes.
#[cfg(test)]
mod properties;
/// Configurations that change while the exporter runs.
#[cfg(test)]
mod reload;
/// Restores, which have no list and are read by their ids.
#[cfg(test)]
mod restores;
/// Every secret there is, and all places where none may show.
#[cfg(test)]
mod secrets;
/// Logins, tokens and secrets.
#[cfg(test)]
mod session;
/// Sources that are dead for long.
#[cfg(test)]
mod stale;
/// What people and their programs are shown: the status page and its JSON.
#[cfg(test)]
mod status_page;
/// Polls that read what is new, and when they do not.
#[cfg(test)]
mod steady;
/// The folder of the ledgers, its files, and what they bring over a restart.
#[cfg(test)]
mod storage;
/// What the service manager is told.
#[cfg(test)]
mod systemd;
/// One poll of each source, and a table or an object of the tasks.
#[cfg(test)]
mod tasks;
/// Which servers are trusted, and how we identify ourselves.
#[cfg(test)]
mod tls;
/// Files that the configuration names, and that cannot be used as it says.
#[cfg(test)]
mod unusable;
/// Unfinished tasks that the list no longer shows.
#[cfg(test)]
mod vanishing;
/// vCenters: what is read of them, and with how many calls.
#[cfg(test)]
mod vcenter;
/// VirtShells: both shapes of their list, and what counts over a task's life.
#[cfg(test)]
mod virtshell;
/// What is served, and to whom not.
#[cfg(test)]
mod web;
/// Documents and single fields, from their bytes to the page.
#[cfg(test)]
mod wire;
