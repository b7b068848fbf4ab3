//! The process of one run: started, listened to, ended early where it has to be.
use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How often a process is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// What a process left.
pub(super) struct Finished {
    /// Nothing if it was ended before its own end.
    pub status: Option<ExitStatus>,
    /// The object that the run printed.
    pub summary: Option<serde_json::Value>,
    /// All of standard error.
    pub said: String,
    pub wall: Duration,
}

/// Runs a process to its end, or until `is_over` says so of the time for which it ran.
///
/// # Errors
/// It cannot be started.
pub(super) fn finish(mut command: Command, is_over: &dyn Fn(Duration) -> bool) -> std::io::Result<Finished> {
    let began = Instant::now();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    let (printed, said, status) = std::thread::scope(|scope| {
        let said = scope.spawn(move || err.as_mut().map(text_of).unwrap_or_default());
        let printed = scope.spawn(move || out.as_mut().map(text_of).unwrap_or_default());
        let status = wait(&mut child, || is_over(began.elapsed()));
        (printed.join().unwrap_or_default(), said.join().unwrap_or_default(), status)
    });
    let summary = printed.lines().rev().find_map(|line| serde_json::from_str(line).ok());
    Ok(Finished { status, summary, said, wall: began.elapsed() })
}

fn text_of<R: Read>(from: &mut R) -> String {
    let mut text = Vec::new();
    // What was read before an error is all there is.
    let _ = from.read_to_end(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// Waits for a process; ends it and returns nothing when its time is over.
fn wait(child: &mut Child, is_over: impl Fn() -> bool) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if is_over() => {
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
            Ok(None) => std::thread::sleep(LOOK_AGAIN),
            Err(_) => return None,
        }
    }
}
