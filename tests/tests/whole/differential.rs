//! One boto3 script against moto, ministack and the simulator, answers compared field by field (`tests/differential`).
//!
//! A difference fails the test unless AWS's documentation explains it in the service's table there, and so does a row of a table
//! that nothing needs any more. No row can say that the simulator is wrong: what it gets wrong is mended.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use everseal_tests::binary::repository;
use everseal_tests::program::command;
use everseal_tests::server::{Emulator, Server, tool};
use serde_json::{Value, json};

/// The three together, the starts of the emulators included.
const PATIENCE: Duration = Duration::from_secs(40);

/// `everseal sim` as everybody starts it, but faster than real time: what takes AWS minutes is waited for here.
struct Simulator(Child);

impl Simulator {
    fn start() -> (Self, String) {
        let mut command = command(&["sim", "--listen", "127.0.0.1:0", "--account", "123456789012", "--speed", "300"]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        (Self(child), url.trim().to_owned())
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // It may have ended by itself; nothing is left to do then.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn python(arguments: &[&str], input: &Value) -> (bool, String, String) {
    let mut child = Command::new(tool("python"))
        .args(arguments)
        .current_dir(repository().join("tests/differential"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_simulator_differs_from_emulators_only_where_aws_does() {
    let started = Instant::now();
    let (moto, ministack) = std::thread::scope(|scope| {
        let moto = scope.spawn(|| Server::start(Emulator::Moto));
        let ministack = Server::start(Emulator::Ministack);
        (moto.join().unwrap(), ministack)
    });
    let (_simulator, url) = Simulator::start();
    let servers = json!({ "simulator": url, "moto": moto.url(), "ministack": ministack.url() });
    let (ended, answer, said) = python(&["run.py"], &servers);
    assert!(ended, "{said}");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let differences: Vec<&str> = answer["differences"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(answer["steps"].as_u64().unwrap() > 300, "{answer}");
    assert!(started.elapsed() < PATIENCE, "took {:?}", started.elapsed());
}

/// The comparison itself: that it finds what differs, and rows that nothing needs.
#[test]
fn the_comparison_finds_differences() {
    let (ended, _, said) = python(&["-m", "unittest", "--quiet", "test_compare"], &Value::Null);
    assert!(ended, "{said}");
}
