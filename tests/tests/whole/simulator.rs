//! The real binary against the simulator over TCP, and the simulator as a command of the binary.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use everseal_sim::{Clock, Settings, Sim, TlsIdentity, User};
use everseal_tests::program::{Ended, command, command_at, fresh_folder, run};
use serde_json::{Value, json};

const ACCOUNT: &str = "111122223333";
const REGION: &str = "us-east-1";
const PATIENCE: Duration = Duration::from_mins(1);

const POLICY: &str = "\
apiVersion: everseal.io/v1
kind: EncryptionPolicy
metadata: { name: simulated }
spec:
  mode: enforce
  sqs: [{ name: queues, atRest: { encryption: SSE-SQS }, inTransit: { denyInsecureTransport: true } }]
  rds: [{ name: databases, atRest: { encrypted: true }, inTransit: { requireTls: true, plainClients: none } }]
";

/// A simulator that serves HTTPS from a thread of its own, until the tests end.
struct Served {
    sim: Sim,
    endpoint: String,
    folder: PathBuf,
}

impl Served {
    fn start(name: &str) -> Self {
        let folder = fresh_folder(name);
        let identity = TlsIdentity::made(&[]).unwrap();
        std::fs::write(folder.join("ca.pem"), identity.trust()).unwrap();
        std::fs::write(folder.join("policy.yaml"), POLICY).unwrap();
        let sim = Sim::new(Settings { slow_transitions: false, ..Settings::default() }, Clock::real());
        let (listens, listening) = std::sync::mpsc::channel();
        let served = sim.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                listens.send(listener.local_addr().unwrap()).unwrap();
                match served.serve_tls(listener, &identity).await {}
            });
        });
        let endpoint = format!("https://{}", listening.recv().unwrap());
        Self { sim, endpoint, folder }
    }

    fn everseal(&self, arguments: &[&str]) -> Ended {
        let mut command = command_at(&self.endpoint, arguments);
        command.env("SSL_CERT_FILE", self.folder.join("ca.pem")).env("EVERSEAL_POLICY", self.folder.join("policy.yaml"));
        command.env("EVERSEAL_LEDGER", self.folder.join("ledger"));
        run(command, PATIENCE)
    }

    fn json(&self, target: &str, input: &Value) -> Value {
        self.sim.with(|world| User::administrator(ACCOUNT, REGION).json(world, target, input)).unwrap()
    }

    fn rds(&self, action: &str, members: &[(&str, &str)]) {
        self.sim.with(|world| User::administrator(ACCOUNT, REGION).query(world, "rds", action, members)).unwrap();
    }

    fn writes(&self) -> u64 {
        self.sim.with(|world| world.writes())
    }
}

#[test]
fn an_apply_over_tls_meets_the_policy_and_the_next_one_writes_nothing() {
    let served = Served::start("simulator");
    served.json("AmazonSQS.CreateQueue", &json!({ "QueueName": "orders", "Attributes": { "SqsManagedSseEnabled": "false" } }));
    let key = served.sim.with(|world| world.create_key(ACCOUNT, REGION, None)).unwrap();
    let database = [
        ("DBInstanceIdentifier", "ledger"),
        ("DBInstanceClass", "db.t3.medium"),
        ("Engine", "postgres"),
        ("EngineVersion", "14.19"),
        ("MasterUsername", "root"),
        ("MasterUserPassword", "not-a-secret"),
        ("StorageEncrypted", "true"),
        ("KmsKeyId", key.as_str()),
    ];
    served.rds("CreateDBInstance", &database);

    let planned = served.everseal(&["plan", "--output", "json"]);
    assert_eq!(planned.code, Some(2), "drift is there to be found:\n{}", planned.stderr);
    assert_eq!(planned.json()["summary"]["drifted"], 3, "encryption and TLS of the queue, TLS of the database: {}", planned.stdout);
    assert_eq!(served.writes(), 0, "a plan changes nothing");

    let applied = served.everseal(&["apply", "--yes"]);
    let first = served.writes();
    assert!(first >= 4, "the queue, a parameter group, its value, its attachment: {first}\n{}\n{}", applied.stdout, applied.stderr);
    let attributes = json!({ "QueueUrl": format!("https://localhost/{ACCOUNT}/orders"), "AttributeNames": ["All"] });
    let queue = served.json("AmazonSQS.GetQueueAttributes", &attributes);
    assert_eq!(queue["Attributes"]["SqsManagedSseEnabled"], "true");
    assert!(queue["Attributes"]["Policy"].as_str().unwrap().contains("aws:SecureTransport"), "{queue}");
    let ledger = format!("arn:aws:rds:{REGION}:{ACCOUNT}:db:ledger");
    let in_force = |served: &Served| served.sim.with(|world| world.db_parameter(&ledger, "rds.force_ssl"));
    assert_eq!(in_force(&served).as_deref(), Some("0"), "Everseal never reboots");

    let again = served.everseal(&["apply", "--yes"]);
    assert_eq!(served.writes(), first, "a second apply writes nothing:\n{}\n{}", again.stdout, again.stderr);
    assert_eq!(again.code, Some(2), "the reboot is left to a person");

    served.rds("RebootDBInstance", &[("DBInstanceIdentifier", "ledger")]);
    assert_eq!(in_force(&served).as_deref(), Some("1"));
    let after = served.everseal(&["plan", "--output", "json"]);
    assert_eq!((after.code, &after.json()["summary"]["drifted"]), (Some(0), &json!(0)), "{}\n{}", after.stdout, after.stderr);
}

#[test]
fn the_command_says_where_it_listens_answers_and_ends_when_asked() {
    let mut child = command(&["sim", "--listen", "127.0.0.1:0", "--account", "444455556666"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("everseal can be started");
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("http://").expect("the first line is the endpoint").to_owned();

    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    let mut stream = TcpStream::connect(&address).unwrap();
    write!(
        stream,
        "POST / HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         authorization: AWS4-HMAC-SHA256 Credential=any/20261124/us-east-1/sts/aws4_request, Signature=0\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("<Account>444455556666</Account>"), "{answer}");

    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert!(child.wait().unwrap().success(), "it ends well:\n{rest}");
    assert!(rest.contains("AWS_ENDPOINT_URL=http://"), "it says how it is used:\n{rest}");
    assert!(rest.contains("stopped after 1 calls"), "{rest}");
}
