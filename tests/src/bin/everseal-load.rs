//! What the simulator bears: its server on one thread, and a client that loads it over keep-alive connections.
//!
//! `everseal-load serve` prints the server's address and serves until stdin ends. `everseal-load seed ADDRESS QUEUES` makes
//! queues, each with a key and a document (which denies plain HTTP to other accounts). `everseal-load read ADDRESS QUEUES SECONDS CONNECTIONS` asks for
//! their attributes and prints how many answers came.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use everseal_sim::{Clock, Settings, Sim};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<u64>().unwrap_or_else(|_| panic!("{text} is no whole number"));
    match *arguments.as_slice() {
        ["serve"] => serve(),
        ["seed", address, queues] => in_parallel(8, |worker, workers| seed(address, (worker..number(queues)).step_by(workers))),
        ["read", address, queues, seconds, connections] => {
            let until = Instant::now() + Duration::from_secs(number(seconds));
            let connections = usize::try_from(number(connections)).expect("a few connections");
            in_parallel(connections, |worker, _| read(address, number(queues), worker, until));
        }
        _ => {
            eprintln!("usage: everseal-load serve | seed ADDRESS QUEUES | read ADDRESS QUEUES SECONDS CONNECTIONS");
            std::process::exit(1);
        }
    }
}

fn serve() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a loopback port is free");
        println!("{}", listener.local_addr().expect("a bound socket has an address"));
        let (ended, end) = tokio::sync::oneshot::channel::<()>();
        std::thread::spawn(move || {
            // However reading ends, the time is over.
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            drop(ended);
        });
        let sim = Sim::new(Settings::default(), Clock::real());
        tokio::select! {
            never = sim.serve(listener) => match never {},
            _ = end => {}
        }
    });
}

/// Runs workers in threads and prints the sum of what they did.
fn in_parallel(workers: usize, work: impl Fn(u64, usize) -> u64 + Sync) {
    let done: u64 = std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = (0..workers).map(|worker| scope.spawn(move || work(worker as u64, workers))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a worker ends well")).sum()
    });
    println!("{done}");
}

fn seed(address: &str, queues: impl Iterator<Item = u64>) -> u64 {
    let mut connection = Connection::to(address);
    let mut done = 0;
    for queue in queues {
        let document = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"EversealDenyInsecureTransport","Effect":"Deny","Principal":"*","Action":"sqs:*","Resource":"arn:aws:sqs:us-east-1:111122223333:q-{queue}","Condition":{{"Bool":{{"aws:SecureTransport":"false"}},"StringNotEquals":{{"aws:PrincipalAccount":"111122223333"}}}}}}]}}"#
        );
        let attributes =
            serde_json::json!({ "KmsMasterKeyId": format!("arn:aws:kms:us-east-1:111122223333:key/{queue}"), "Policy": document });
        let body = serde_json::json!({ "QueueName": format!("q-{queue}"), "Attributes": attributes, "tags": { "team": "payments" } });
        let status = connection.call("CreateQueue", &body.to_string());
        assert_eq!(status, 200, "queue {queue}");
        done += 1;
    }
    done
}

fn read(address: &str, queues: u64, worker: u64, until: Instant) -> u64 {
    let mut connection = Connection::to(address);
    let (mut done, mut queue) = (0, worker * 7919);
    while Instant::now() < until {
        queue = (queue + 1) % queues;
        let url = format!("http://{address}/111122223333/q-{queue}");
        let status = connection.call("GetQueueAttributes", &format!(r#"{{"QueueUrl":"{url}","AttributeNames":["All"]}}"#));
        assert_eq!(status, 200, "queue {queue}");
        done += 1;
    }
    done
}

/// One keep-alive connection.
struct Connection {
    stream: BufReader<TcpStream>,
    host: String,
    line: String,
    body: Vec<u8>,
}

impl Connection {
    fn to(address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).expect("delays can be turned off");
        Self { stream: BufReader::new(stream), host: address.to_owned(), line: String::new(), body: Vec::new() }
    }

    /// The answer's status.
    fn call(&mut self, operation: &str, body: &str) -> u16 {
        let request = format!(
            "POST / HTTP/1.1\r\nhost: {}\r\ncontent-type: application/x-amz-json-1.0\r\nx-amz-target: AmazonSQS.{operation}\r\n\
             authorization: AWS4-HMAC-SHA256 Credential=111122223333/20261124/us-east-1/sqs/aws4_request, SignedHeaders=host, \
             Signature=0000000000000000000000000000000000000000000000000000000000000000\r\ncontent-length: {}\r\n\r\n{body}",
            self.host,
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes()).expect("the connection stays");
        let mut status = 0;
        let mut length = 0;
        loop {
            self.line.clear();
            self.stream.read_line(&mut self.line).expect("the connection stays");
            let line = self.line.trim_end();
            if line.is_empty() {
                break;
            }
            if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
                status = rest[..3].parse().expect("a status is a number");
            } else if let Some((name, value)) = line.split_once(": ")
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.parse().expect("a length is a number");
            }
        }
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body).expect("the connection stays");
        status
    }
}
