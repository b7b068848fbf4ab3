//! The built binary as a child process, with a gRPC client to it.
#![allow(clippy::unwrap_used)]
#![allow(dead_code, reason = "each test target uses its part")]
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};
use tempest_api::services::workflow::workflow_service_client::WorkflowServiceClient;
use tonic::transport::Channel;

/// How long a server may take to be ready on a busy machine; on an idle one it takes a few milliseconds.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// A running `tempest server start-dev`. Dropping it kills it, as SIGKILL does.
pub struct Server {
    child: Child,
    pub address: String,
    /// What it said after where it listens.
    said: std::sync::Arc<std::sync::Mutex<Vec<String>>>,
}

impl Server {
    /// Starts a server on a free port and waits until it says where it listens.
    pub fn start(arguments: &[&str]) -> Self {
        Self::launch(command(arguments).args(["--port", "0"]))
    }

    /// Starts a node as `config` says, and waits until it says where it listens.
    pub fn start_node(config: &std::path::Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tempest"));
        command.args(["server", "start", "--config"]).arg(config).stdin(Stdio::null());
        Self::launch(&mut command)
    }

    /// A server on a free port that may not write to files beyond so many 512-byte blocks, with its standard error in
    /// `errors`. Room can be made while it runs.
    pub fn start_with_room(file_blocks: u64, arguments: &[&str], errors: std::fs::File) -> Self {
        // Without the signal a write over the limit is an error like that of a full disk.
        let script = format!("trap '' XFSZ; ulimit -S -f {file_blocks}; exec \"$0\" server start-dev --port 0 \"$@\"");
        let mut shell = Command::new("sh");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_tempest")]).args(arguments);
        Self::launch(shell.stdin(Stdio::null()).stderr(errors))
    }

    /// Lifts the limit of [`Server::start_with_room`].
    pub fn make_room(&self) {
        let pid = self.child.id().to_string();
        let lifted = Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited"]).status();
        assert!(lifted.expect("util-linux is there").success());
    }

    fn launch(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the binary was built with this test");
        let mut output = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let began = Instant::now();
        let address = loop {
            assert!(began.elapsed() < READY_WITHIN, "the server is not ready");
            let line = output.next().expect("a server that ends is not ready").expect("its output is text");
            if let Some(address) = line.strip_prefix("Server:") {
                break address.trim().to_owned();
            }
        };
        // Whatever else it prints must not fill the pipe.
        let said = std::sync::Arc::<std::sync::Mutex<Vec<String>>>::default();
        let saying = said.clone();
        std::thread::spawn(move || output.map_while(Result::ok).for_each(|line| saying.lock().unwrap().push(line)));
        Self { child, address, said }
    }

    /// Waits for a line that begins so, and returns what follows.
    pub fn says(&self, beginning: &str) -> String {
        let began = Instant::now();
        loop {
            let said = self.said.lock().unwrap();
            if let Some(rest) = said.iter().find_map(|line| line.strip_prefix(beginning)) {
                return rest.trim().to_owned();
            }
            drop(said);
            assert!(began.elapsed() < READY_WITHIN, "the server does not say {beginning:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub async fn client(&self) -> WorkflowServiceClient<Channel> {
        let channel = Channel::from_shared(self.url()).expect("it is an address").connect().await;
        WorkflowServiceClient::new(channel.expect("a server that is ready takes connections"))
            .max_encoding_message_size(64 << 20)
    }

    /// Memory that it holds now.
    pub fn memory_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("Linux says it");
        line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
    }

    /// SIGTERM; returns how it ended.
    pub fn terminate(mut self) -> ExitStatus {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("there is a kill").success());
        self.child.wait().expect("a child can be waited for")
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().expect("a running child can be killed");
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a server that is expected not to start: exit status and standard error.
pub fn refused(arguments: &[&str]) -> (i32, String) {
    let mut child = command(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary was built with this test");
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            let mut text = String::new();
            child.stderr.take().expect("it is piped").read_to_string(&mut text).expect("errors are text");
            return (status.code().expect("it was not killed"), text);
        }
        if began.elapsed() > READY_WITHIN {
            let _ = child.kill();
            panic!("the server runs although it should have refused {arguments:?}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Runs `tempest` to its end.
pub fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tempest")).args(arguments).output().expect("the binary was built with this test")
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tempest"));
    command.args(["server", "start-dev"]).args(arguments).stdin(Stdio::null());
    command
}
