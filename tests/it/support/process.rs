//! The built binary as a child process.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use reqwest::{Method, Response};
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use tempfile::TempDir;

use super::bench::lines;
use super::{PATIENCE, Page, eventually};

/// A folder with a configuration in it, which is there for as long as this or
/// a program in it.
#[derive(Debug)]
pub(crate) struct Scratch(Arc<TempDir>);

impl Scratch {
    pub(crate) fn new(config: &str) -> Self {
        let scratch = Self(Arc::new(tempfile::tempdir().unwrap()));
        scratch.write("virt-task-exporter.yml", config);
        scratch
    }

    /// With an SDDC Manager at `url` that is polled often.
    pub(crate) fn source(url: &str, keys: &str) -> Self {
        Self::of("sddc_manager", url, keys)
    }

    /// With one source of a system, which is polled often.
    pub(crate) fn of(system: &str, url: &str, keys: &str) -> Self {
        Self::new(&lines(
            system,
            url,
            &format!("poll_interval: 100ms\n{keys}"),
        ))
    }

    /// Writes a file that only its owner can read.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_virt-task-exporter"));
        self.set_up(command.args(arguments));
        command
    }

    fn set_up<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
    }

    /// Runs the binary to its end, with some variables of the environment.
    pub(crate) async fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        output(command).await
    }

    /// Runs the binary to its end; whatever it writes to a file is refused.
    pub(crate) async fn run_on_full_disk(&self, arguments: &[&str]) -> Output {
        let mut shell = Command::new("sh");
        let script = r#"trap "" XFSZ; ulimit -S -f 0; exec "$0" "$@""#;
        shell.args(["-c", script, env!("CARGO_BIN_EXE_virt-task-exporter")]);
        self.set_up(shell.args(arguments));
        output(shell).await
    }

    /// Runs the binary to its end, with nobody who reads what it writes to stdout.
    pub(crate) async fn run_unread(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        command.stdout(writer);
        output(command).await
    }

    /// Starts the binary on a free port and waits until it listens.
    pub(crate) async fn serve(&self, arguments: &[&str]) -> Program {
        let mut program = self.launch(arguments);
        program.listens().await;
        program
    }

    /// Starts the binary on a free port and does not wait for anything.
    pub(crate) fn launch(&self, arguments: &[&str]) -> Program {
        let mut command =
            self.command(&[&["--web.listen-address=127.0.0.1:0"], arguments].concat());
        Program::launch(&mut command, Arc::clone(&self.0))
    }

    /// Starts the binary so that [`Program::disk_takes`] may fill its disk.
    pub(crate) async fn serve_sturdy(&self) -> Program {
        self.serve_limited("unlimited").await
    }

    /// Starts the binary on a full disk: whatever it writes to a file is
    /// refused until [`Program::disk_takes`] all.
    pub(crate) async fn serve_on_full_disk(&self) -> Program {
        self.serve_limited("0").await
    }

    async fn serve_limited(&self, blocks: &str) -> Program {
        let binary = env!("CARGO_BIN_EXE_virt-task-exporter");
        let mut shell = Command::new("sh");
        // The signal would kill whom only the error is meant for.
        let script = format!(
            r#"trap "" XFSZ; ulimit -S -f {blocks}; exec "$0" --web.listen-address=127.0.0.1:0"#
        );
        shell.args(["-c", &script, binary]);
        let mut program = Program::launch(self.set_up(&mut shell), Arc::clone(&self.0));
        program.listens().await;
        program
    }

    /// Starts the binary with these arguments alone and some variables.
    pub(crate) async fn serve_bare(
        &self,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Program {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        let mut program = Program::launch(&mut command, Arc::clone(&self.0));
        program.listens().await;
        program
    }
}

async fn output(mut command: Command) -> Output {
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap());
    tokio::time::timeout(PATIENCE, ended)
        .await
        .expect("the program ends")
        .unwrap()
}

/// The binary, serving; killed at the end of the test.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    address: String,
    log: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
    _folder: Arc<TempDir>,
}

impl Program {
    fn launch(command: &mut Command, folder: Arc<TempDir>) -> Self {
        let mut child = command.spawn().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (lines, stderr) = (Arc::clone(&log), child.stderr.take().unwrap());
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                lines.lock().unwrap().push(line);
            }
        });
        Self {
            child,
            address: String::new(),
            log,
            reader: Some(reader),
            _folder: folder,
        }
    }

    /// Waits until it listens; before that it has no address.
    pub(crate) async fn listens(&mut self) {
        let line = self
            .logged(&["msg=listening", "message=listening", "listening"])
            .await;
        // In either format of the log.
        let json = line.split_once("\"address\":\"");
        let (_, bound) = json.or_else(|| line.split_once("address=")).unwrap();
        let end = |c: char| c.is_whitespace() || c == '"';
        let bound = bound.trim_start_matches('"').split(end).next().unwrap();
        bound.clone_into(&mut self.address);
    }

    /// Waits for a log line that contains one of the words.
    pub(crate) async fn logged(&self, words: &[&str]) -> String {
        let what = format!("a log line with {words:?}");
        eventually(&what, || {
            let lines = self.log();
            let has = |line: &&String| words.iter().any(|word| line.contains(word));
            lines.iter().find(has).cloned()
        })
        .await
    }

    /// The log so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// The log lines that contain all of the words.
    pub(crate) fn lines(&self, words: &[&str]) -> Vec<String> {
        let mut log = self.log();
        log.retain(|line| words.iter().all(|word| line.contains(word)));
        log
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        get(&self.address, Method::GET, path).await
    }

    pub(crate) async fn scrape(&self) -> Page {
        let answer = self.get("/metrics").await;
        assert_eq!(answer.status(), 200);
        Page::read(&answer.text().await.unwrap())
    }

    /// Scrapes until a page shows what is waited for.
    pub(crate) async fn scraped(&self, what: &str, shows: impl Fn(&Page) -> bool) -> Page {
        let waiting = async {
            loop {
                let page = self.scrape().await;
                if shows(&page) {
                    return page;
                }
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        };
        if let Ok(page) = tokio::time::timeout(PATIENCE, waiting).await {
            return page;
        }
        panic!("{what} did not come\n{}", self.scrape().await.text())
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Lets its files grow from now on, or refuses whatever it writes to them.
    pub(crate) fn disk_takes(&self, all: bool) {
        let limit = Rlimit {
            current: (!all).then_some(0),
            maximum: None,
        };
        prlimit(Some(self.pid()), Resource::Fsize, limit).unwrap();
    }

    /// Waits for the end, and returns it with the whole log.
    pub(crate) async fn over(mut self) -> (ExitStatus, Vec<String>) {
        let child = &mut self.child;
        let status = eventually("the end of the program", || child.try_wait().unwrap()).await;
        self.reader.take().unwrap().join().unwrap();
        (status, self.log())
    }

    /// Waits for the end, and returns it with what was written to stdout.
    pub(crate) async fn ended(mut self) -> (ExitStatus, String) {
        let child = &mut self.child;
        let status = eventually("the end of the program", || child.try_wait().unwrap()).await;
        let mut output = String::new();
        let mut stdout = self.child.stdout.take().unwrap();
        stdout.read_to_string(&mut output).unwrap();
        (status, output)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended, which is as good.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Sends one request without a body.
pub(crate) async fn get(address: &str, method: Method, path: &str) -> Response {
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .build()
        .unwrap();
    let request = client.request(method, format!("http://{address}{path}"));
    request.send().await.unwrap()
}
