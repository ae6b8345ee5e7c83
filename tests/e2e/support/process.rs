//! A child process that does not outlive its test.

use std::io::{BufRead as _, BufReader, ErrorKind};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process};

use super::eventually;

/// A running program and what it wrote to standard error.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts the program; one that is not installed ends the test with a word on what to do.
    pub(crate) fn start(command: &mut Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let command = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| match error.kind() {
            ErrorKind::NotFound => panic!("{}", missing(&name)),
            _ => panic!("cannot start {name}: {error}"),
        });
        let log = Arc::new(Mutex::new(String::new()));
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let copy = Arc::clone(&log);
        let reader = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut log = copy.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        Self {
            name,
            child,
            log,
            reader: Some(reader),
        }
    }

    /// What it wrote to standard error so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Asks it to end with SIGTERM and waits until it has; gives its status and its whole log.
    pub(crate) async fn stop(mut self) -> (ExitStatus, String) {
        let status = self.end(Signal::TERM).await;
        (status, self.log())
    }

    /// Ends it by a signal and waits until it has; its log is whole then.
    pub(crate) async fn end(&mut self, signal: Signal) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        let what = format!("{} ends after {signal:?}", self.name);
        let log = Arc::clone(&self.log);
        let witness = async move || log.lock().unwrap().clone();
        let status = eventually(&what, witness, async || {
            self.ended().ok_or_else(|| "it still runs".to_owned())
        })
        .await;
        self.reader.take().unwrap().join().unwrap();
        status
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing is left to do about a process that can be neither killed nor waited for.
        if self.child.kill().is_ok() {
            drop(self.child.wait());
        }
    }
}

/// What to do about a program that is not there.
pub(crate) fn missing(program: &str) -> String {
    let package = match program {
        "promtool" => "prometheus",
        "/usr/bin/python3" => "python3-prometheus-client",
        program => program,
    };
    format!(
        "{program} is not installed, and this test is worth nothing without it: \
         install Debian's package {package}, or run tests/run, which does so"
    )
}
