//! The real binary: run to its end, or as a daemon.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::binary::everseal;

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    /// Exit code; `None` where it was killed for taking longer than it may.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// How long it took.
    pub took: Duration,
}

impl Ended {
    /// Standard output as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("not JSON ({error}); exit {:?}\n{}\n{}", self.code, self.stdout, self.stderr))
    }
}

/// A folder of its own below the target folder, made empty.
pub fn fresh_folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("everseal-test-{}-{name}", std::process::id()));
    // It is usually not there.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
    folder
}

/// The program with nothing in its environment but what a test wants: no profile, no instance metadata.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(everseal());
    command.args(arguments).env_clear().env("HOME", "/nonexistent").env("AWS_EC2_METADATA_DISABLED", "true").stdin(Stdio::null());
    command
}

/// The same with credentials and an endpoint.
pub fn command_at(endpoint: &str, arguments: &[&str]) -> Command {
    let mut command = command(arguments);
    command
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "testing")
        .env("AWS_SECRET_ACCESS_KEY", "testing");
    command
}

/// Runs to the end, or kills it after `limit`.
pub fn run(mut command: Command, limit: Duration) -> Ended {
    let started = Instant::now();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("everseal can be started");
    let stdout = reader(child.stdout.take().expect("stdout is piped"));
    let stderr = reader(child.stderr.take().expect("stderr is piped"));
    let code = wait(&mut child, limit);
    let took = started.elapsed();
    let text = |thread: std::thread::JoinHandle<String>| thread.join().expect("reading does not panic");
    Ended { code, stdout: text(stdout), stderr: text(stderr), took }
}

fn reader(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is still worth showing.
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn wait(child: &mut Child, limit: Duration) -> Option<i32> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            return status.code();
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A running daemon; it is killed with the value.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    address: SocketAddr,
    log: Option<std::thread::JoinHandle<String>>,
}

impl Daemon {
    /// Starts `command`, which must listen on `address`, and waits until it answers HTTP.
    pub fn start(mut command: Command, address: SocketAddr) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("everseal can be started");
        let log = reader(child.stderr.take().expect("stderr is piped"));
        let mut daemon = Self { child, address, log: Some(log) };
        let deadline = Instant::now() + Duration::from_secs(20);
        while get(address, "/livez").is_err() {
            if Instant::now() > deadline {
                let (_, log) = daemon.kill();
                panic!("everseal does not answer on {address}:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        daemon
    }

    /// Status and body of a path.
    pub fn get(&self, path: &str) -> (u16, String) {
        get(self.address, path).unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    /// A path's body as JSON.
    pub fn json(&self, path: &str) -> Value {
        let (status, body) = self.get(path);
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("GET {path} answered {status}, not JSON ({error}): {body}"))
    }

    /// The sum of a metric's series whose labels contain all of `labels`.
    pub fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        self.series(name, labels).iter().sum()
    }

    /// The values of a metric's series whose labels contain all of `labels`.
    pub fn series(&self, name: &str, labels: &[&str]) -> Vec<f64> {
        let (_, body) = self.get("/metrics");
        let series = body.lines().filter(|line| line.starts_with(name) && line[name.len()..].starts_with(['{', ' ']));
        let wanted = series.filter(|line| labels.iter().all(|label| line.contains(label)));
        wanted.filter_map(|line| line.rsplit(' ').next()?.parse().ok()).collect()
    }

    /// Waits until `holds`, asking every 100 ms.
    pub fn wait_until(&mut self, what: &str, limit: Duration, holds: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + limit;
        while !holds(self) {
            if Instant::now() > deadline {
                let status = get(self.address, "/healthz");
                let (_, log) = self.kill();
                panic!("{what}: not within {limit:?}; /healthz said {status:?}; the log:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Resident memory in bytes.
    pub fn resident_bytes(&self) -> u64 {
        let statm = std::fs::read_to_string(format!("/proc/{}/statm", self.child.id())).unwrap_or_default();
        statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or_default() * 4096
    }

    /// Sends SIGTERM and gives back exit code, time to the end and log.
    pub fn terminate(mut self) -> (Option<i32>, Duration, String) {
        let asked = Instant::now();
        let killed = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill can be run");
        assert!(killed.success(), "everseal has ended before it was asked to");
        let code = wait(&mut self.child, Duration::from_secs(30));
        let took = asked.elapsed();
        let (_, log) = self.kill();
        (code, took, log)
    }

    fn kill(&mut self) -> (Option<i32>, String) {
        let _ = self.child.kill();
        let code = self.child.wait().ok().and_then(|status| status.code());
        let log = self.log.take().map(|thread| thread.join().expect("reading does not panic"));
        (code, log.unwrap_or_default())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A plain HTTP/1.0 GET: status and body.
pub fn get(address: SocketAddr, path: &str) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    Ok((status, body.to_owned()))
}
