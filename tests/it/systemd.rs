use std::os::unix::net::UnixDatagram as StdDatagram;

use reqwest::Method;
use rustix::process::Signal;
use tokio::net::UnixDatagram;

use crate::support::{PATIENCE, Program, Scratch, get};

/// A service manager, as far as a service knows.
struct Manager {
    socket: UnixDatagram,
    scratch: Scratch,
}

impl Manager {
    fn new() -> Self {
        let scratch = Scratch::source("http://127.0.0.1:1", "");
        let socket = StdDatagram::bind(scratch.path("notify")).unwrap();
        socket.set_nonblocking(true).unwrap();
        let socket = UnixDatagram::from_std(socket).unwrap();
        Self { socket, scratch }
    }

    async fn start(&self, variables: &[(&str, &str)]) -> Program {
        let path = self.scratch.path("notify");
        let socket = [("NOTIFY_SOCKET", path.to_str().unwrap())];
        let variables = [&socket, variables].concat();
        let arguments = ["--web.listen-address=127.0.0.1:0"];
        self.scratch.serve_bare(&arguments, &variables).await
    }

    /// What it is told next.
    async fn told(&self) -> String {
        let mut bytes = [0; 4096];
        let received = self.socket.recv(&mut bytes);
        let received = tokio::time::timeout(PATIENCE, received).await;
        let length = received.expect("a word from the service").unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    async fn told_of_reload(&self) {
        let told = self.told().await;
        let mut lines = told.lines();
        assert_eq!(lines.next(), Some("RELOADING=1"), "{told}");
        let since = lines
            .next()
            .and_then(|line| line.strip_prefix("MONOTONIC_USEC="));
        assert!(since.unwrap().parse::<u64>().unwrap() > 0, "{told}");
    }
}

#[tokio::test]
async fn readiness_reloads_and_the_end_are_told() {
    let manager = Manager::new();
    let program = manager.start(&[]).await;
    assert_eq!(manager.told().await, "READY=1\nSTATUS=Polling 1 source\n");
    // Told only once it is true.
    assert_eq!(program.get("/-/healthy").await.status(), 200);
    program.signal(Signal::HUP);
    manager.told_of_reload().await;
    assert_eq!(manager.told().await, "READY=1\nSTATUS=Polling 1 source\n");
    let answer = get(program.address(), Method::POST, "/-/reload").await;
    assert_eq!(answer.status(), 200);
    manager.told_of_reload().await;
    assert_eq!(manager.told().await, "READY=1\nSTATUS=Polling 1 source\n");
    program.signal(Signal::TERM);
    assert!(manager.told().await.starts_with("STOPPING=1\n"));
    let (status, log) = program.over().await;
    assert_eq!(status.code(), Some(0), "{log:?}");
}

#[tokio::test]
async fn a_reload_that_failed_ends_too_and_is_told() {
    let manager = Manager::new();
    let program = manager.start(&[]).await;
    manager.told().await;
    manager
        .scratch
        .write("virt-task-exporter.yml", "sources: []");
    program.signal(Signal::HUP);
    manager.told_of_reload().await;
    let told = manager.told().await;
    assert!(
        told.starts_with("READY=1\nSTATUS=Polling 1 source; "),
        "{told}"
    );
}

#[tokio::test]
async fn the_watchdog_is_fed_as_long_as_all_is_well() {
    let manager = Manager::new();
    let variables = [("WATCHDOG_USEC", "200000")];
    let _program = manager.start(&variables).await;
    let mut fed = 0;
    while fed < 3 {
        fed += usize::from(manager.told().await == "WATCHDOG=1\n");
    }
}

#[tokio::test]
async fn the_watchdog_of_another_process_is_not_fed() {
    let manager = Manager::new();
    let variables = [("WATCHDOG_USEC", "2000"), ("WATCHDOG_PID", "1")];
    let program = manager.start(&variables).await;
    assert!(manager.told().await.starts_with("READY=1\n"));
    for _ in 0..20 {
        assert_eq!(program.get("/-/healthy").await.status(), 200);
    }
    program.signal(Signal::TERM);
    assert!(manager.told().await.starts_with("STOPPING=1\n"));
}

#[tokio::test]
async fn without_a_manager_nobody_is_told() {
    let scratch = Scratch::source("http://127.0.0.1:1", "");
    let gone = scratch.path("nowhere");
    let variables = [("NOTIFY_SOCKET", gone.to_str().unwrap())];
    let arguments = ["--web.listen-address=127.0.0.1:0"];
    let program = scratch.serve_bare(&arguments, &variables).await;
    assert_eq!(program.get("/-/healthy").await.status(), 200);
}
