//! Real servers: their own folder, a free port on loopback, an unprivileged user, and an end.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use crate::authority::Identity;

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A folder that goes away, and who may write in it.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(what: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("everseal-{what}-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        let folder = Self(path);
        Self::hand_over(&folder.0);
        folder
    }

    /// Writes a file that only the server's user may read: PostgreSQL takes no key that others can.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        Self::hand_over(&path);
        path.display().to_string()
    }

    /// Writes certificate and key; their paths.
    pub fn identity(&self, identity: &Identity) -> (String, String) {
        (self.file("server.crt", &identity.certificate), self.file("server.key", &identity.key))
    }

    /// Servers refuse to run as root, so root gives everything to nobody.
    fn hand_over(path: &Path) {
        if is_root() {
            let status = Command::new("chown").arg("nobody:nogroup").arg(path).status().unwrap();
            assert!(status.success(), "chown {}", path.display());
        }
    }

    pub fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// The program, run as nobody where we are root.
pub fn unprivileged(program: &Path) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.env("LC_ALL", "C").env("HOME", std::env::temp_dir()).current_dir("/").stdin(Stdio::null());
    command
}

/// Runs to the end, which must be a good one.
pub fn done(mut command: Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}\n{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A program of a Debian package, or which package to install.
pub fn program(candidates: impl IntoIterator<Item = PathBuf>, package: &str) -> PathBuf {
    let found = candidates.into_iter().find(|path| path.exists());
    found.unwrap_or_else(|| panic!("this test runs a real server: apt-get install {package} (tests/database-servers does it)"))
}

/// A running server.
pub struct Server(Child);

impl Server {
    /// Starts it and waits for the line of its log that says it is ready.
    pub fn start(mut command: Command, ready: &'static str) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = child.stderr.take().unwrap();
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || follow(log, ready, &tell));
        let server = Self(child);
        match told.recv_timeout(Duration::from_mins(1)) {
            Ok(Ok(())) => server,
            Ok(Err(log)) => panic!("{command:?} did not start:\n{log}"),
            Err(error) => panic!("{command:?} is not ready: {error}"),
        }
    }
}

fn follow(log: impl Read, ready: &str, tell: &mpsc::Sender<Result<(), String>>) {
    let mut said = String::new();
    let mut is_ready = false;
    for line in BufReader::new(log).lines().map_while(Result::ok) {
        if !is_ready {
            said.push_str(&line);
            said.push('\n');
            if line.contains(ready) {
                is_ready = true;
                let _ = tell.send(Ok(()));
            }
        }
    }
    let _ = tell.send(Err(said));
}

impl Drop for Server {
    /// Immediate shutdown, and no answer to open questions.
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-s", "QUIT", &self.0.id().to_string()]).status();
        for _ in 0..100 {
            if self.0.try_wait().is_ok_and(|ended| ended.is_some()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
