//! AWS emulators from `PyPI` and the Python side of the tests.
//!
//! Python speaks boto3 and knows nothing of Everseal: it seeds, reads and judges. It is installed in
//! `.venv` by `tests/run-all`.

use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::binary::repository;

/// Which emulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Emulator {
    /// `moto[server]`, started by `tests/moto/server.py`.
    Moto,
    /// `ministack`.
    Ministack,
}

/// A running emulator; it ends with the value.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// Starts one on a free loopback port and waits until it listens.
    pub fn start(emulator: Emulator) -> Self {
        Self::start_at(emulator, free_address())
    }

    /// Starts one on this loopback address.
    pub fn start_at(emulator: Emulator, address: SocketAddr) -> Self {
        let port = address.port().to_string();
        let mut command = match emulator {
            Emulator::Moto => {
                let mut command = Command::new(tool("python"));
                command.arg(repository().join("tests/moto/server.py")).args(["-H", "127.0.0.1", "-p", &port]);
                command
            }
            Emulator::Ministack => {
                let mut command = Command::new(tool("ministack"));
                command
                    .env("GATEWAY_PORT", &port)
                    .env("MINISTACK_HOST", "127.0.0.1")
                    .env("BIND_HOST", "127.0.0.1")
                    .env("MINISTACK_ACCOUNT_ID", "123456789012");
                command
            }
        };
        let log =
            File::create(std::env::temp_dir().join(format!("everseal-test-{port}.log"))).expect("the temporary folder can be written");
        let errors = log.try_clone().expect("a file handle can be duplicated");
        let child = command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn().expect("the emulator can be started");
        let server = Self { child, address };
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(address).is_err() {
            assert!(
                Instant::now() < deadline,
                "{emulator:?} does not listen on {address}; see everseal-test-{port}.log in the temporary folder"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Runs `tests/moto/<script>` against it with `input` on stdin and gives back the JSON that it prints.
    pub fn python(&self, script: &str, arguments: &[&str], input: &Value) -> Value {
        python(&self.url(), script, arguments, input)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; nothing is left to do then.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address that nobody listens on.
pub fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
    listener.local_addr().expect("a bound socket has an address")
}

/// A program of the tests' Python environment: `EVERSEAL_TEST_VENV`, else `.venv`.
pub fn tool(name: &str) -> PathBuf {
    let venv = std::env::var_os("EVERSEAL_TEST_VENV").map_or_else(|| repository().join(".venv"), PathBuf::from);
    let tool = venv.join("bin").join(name);
    assert!(tool.exists(), "{} is not installed: `tests/run-all` sets up the Python environment", tool.display());
    tool
}

fn python(endpoint: &str, script: &str, arguments: &[&str], input: &Value) -> Value {
    let mut child = Command::new(tool("python"))
        .arg(repository().join("tests/moto").join(script))
        .args(arguments)
        .env("EVERSEAL_TEST_ENDPOINT", endpoint)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python can be started");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let text = input.to_string();
    // A thread of its own: a large input must not wait for an output that nobody reads yet.
    let writer = std::thread::spawn(move || std::io::Write::write_all(&mut stdin, text.as_bytes()));
    let output = child.wait_with_output().expect("python can be waited for");
    // A script that does not read its input closes the pipe early.
    let _ = writer.join();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script} failed:\n{said}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{script} did not print JSON ({error}):\n{said}"))
}
