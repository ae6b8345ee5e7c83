//! What a scrape costs, beside nginx and a bare hyper server with the same page.

use std::convert::Infallible;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::load::load;
use super::program::{Program, get, sum};
use super::{Result, line};

/// How long each is asked in turn.
const SPAN: Duration = Duration::from_secs(3);

/// How often all have their turn.
const TURNS: usize = 3;

pub(super) fn run(_sizes: &[usize]) -> Result<()> {
    for sources in [1, 4, 40] {
        let folder = tempfile::tempdir()?;
        let simulator = line::simulator(folder.path(), 1000, "0")?;
        let global = "poll_interval: 10m, stale_after: 1h";
        let exporter = line::exporter(folder.path(), &simulator, sources, global)?;
        let polled = |page: &str| sum(page, "virt_source_up{") > sources as f64 - 0.5;
        let page = line::scraped(&exporter, polled)?;
        let series = page.lines().filter(|line| !line.starts_with('#')).count();
        println!("{series} series, {} kB", page.len() / 1000);
        let bare = bare(page.clone())?;
        let nginx = Nginx::start(folder.path(), &page)?;
        let mut rivals = vec![("bare hyper", bare)];
        rivals.extend(nginx.as_ref().map(|nginx| ("nginx", nginx.address.clone())));
        compare(&exporter, &rivals)?;
    }
    Ok(())
}

/// All in turn, so that a noisy neighbour disturbs all of them.
fn compare(exporter: &Program, rivals: &[(&str, String)]) -> Result<()> {
    let mut all = vec![("exporter", exporter.address.clone())];
    all.extend(rivals.iter().cloned());
    let mut best = vec![(0.0_f64, Duration::MAX); all.len()];
    for _ in 0..TURNS {
        for ((name, address), best) in all.iter().zip(&mut best) {
            let seen =
                load(address, "/metrics", SPAN).map_err(|error| format!("{name}: {error}"))?;
            if seen.bytes < 1000 {
                return Err(format!("{name} serves {} bytes", seen.bytes).into());
            }
            *best = (best.0.max(seen.rate), best.1.min(seen.p99));
        }
    }
    let (own, own_p99) = *best.first().ok_or("nothing measured")?;
    println!("  exporter: {own:.0} a second, p99 {own_p99:.2?}");
    for ((name, _), (rate, p99)) in all.iter().zip(&best).skip(1) {
        println!(
            "  {name}: {rate:.0} a second, p99 {p99:.2?}; the exporter has {:.2} of its rate",
            own / rate
        );
    }
    Ok(())
}

/// A hyper server that serves these bytes and nothing else; returns where.
fn bare(page: String) -> Result<String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?.to_string();
    let page = Bytes::from(page);
    std::thread::spawn(move || {
        runtime.block_on(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let page = page.clone();
                connections.spawn(async move {
                    let answer = service_fn(move |_| {
                        let page = page.clone();
                        async move { Ok::<_, Infallible>(Response::new(Full::new(page))) }
                    });
                    let stream = TokioIo::new(stream);
                    let server = hyper::server::conn::http1::Builder::new();
                    drop(server.serve_connection(stream, answer).await);
                });
            }
        });
    });
    Ok(address)
}

/// nginx with a file, where it is installed.
struct Nginx {
    child: Child,
    address: String,
}

impl Nginx {
    fn start(folder: &Path, page: &str) -> Result<Option<Self>> {
        let address = std::net::TcpListener::bind("127.0.0.1:0")?
            .local_addr()?
            .to_string();
        fs::write(folder.join("metrics"), page)?;
        let place = folder.display();
        let config = format!(
            "worker_processes 2;\npid {place}/nginx.pid;\nerror_log /dev/null;\nevents {{}}\n\
             http {{\naccess_log off;\nsendfile on;\ntcp_nopush on;\nopen_file_cache max=10;\n\
             keepalive_requests 1000000000;\nserver {{ listen {address}; root {place}; }}\n}}\n"
        );
        let file = folder.join("nginx.conf");
        fs::write(&file, config)?;
        let child = Command::new("nginx")
            .arg("-c")
            .arg(&file)
            .args(["-g", "daemon off; user root;"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(child) = child else {
            println!("  nginx is not installed, so it is not compared");
            return Ok(None);
        };
        let nginx = Self { child, address };
        for _ in 0..200 {
            if get(&nginx.address, "/metrics", &[]).is_ok() {
                return Ok(Some(nginx));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err("nginx does not serve".into())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its workers end with it only if it is asked.
        let pid = rustix::process::Pid::from_child(&self.child);
        let ended = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        debug_assert!(ended.is_ok(), "nginx was ours to end");
        drop(self.child.wait());
    }
}
