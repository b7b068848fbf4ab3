//! A clerk: takes what lies on the desk, makes notes, decides. All that it knows of the activity is its ids.
use super::Sizes;
use super::desk::{Desk, Paper};
use std::future::Future;
use std::time::Duration;
use tempest::Client;
use temporalio_client::errors::AsyncActivityError;
use temporalio_client::tonic::{Code, Status};
use temporalio_client::{ActivityIdentifier, AsyncActivityHandle, RpcOptions};
use temporalio_sdk::ApplicationFailure;

/// How often a clerk looks at the desk.
const LOOKS_EVERY: Duration = Duration::from_millis(300);

/// Decides an application each time that it lies on the desk. Never comes to an end: the application does.
pub async fn work(client: &Client, desk: &Desk, sizes: &Sizes, application: &str) -> anyhow::Result<()> {
    let mut decided = 0;
    loop {
        tokio::time::sleep(LOOKS_EVERY).await;
        if let Some(paper) = desk.newest(application).filter(|paper| paper.attempt > decided) {
            decided = paper.attempt;
            Clerk::new(client, desk, sizes, application, paper).decide().await?;
        }
    }
}

/// At work on one try.
struct Clerk<'a> {
    client: &'a Client,
    desk: &'a Desk,
    sizes: &'a Sizes,
    application: &'a str,
    attempt: u32,
    handle: AsyncActivityHandle<temporalio_client::Client>,
}

impl<'a> Clerk<'a> {
    fn new(client: &'a Client, desk: &'a Desk, sizes: &'a Sizes, application: &'a str, paper: Paper) -> Self {
        let Paper { run_id, activity_id, attempt } = paper;
        let named_run = client.decisions().chance(&format!("clerk.names_run.{application}"), attempt.into(), 1, 2);
        let run_id = if named_run { run_id } else { String::new() };
        let named = ActivityIdentifier::by_id_workflow(application, run_id, activity_id);
        Clerk { client, desk, sizes, application, attempt, handle: client.sdk().get_async_activity_handle(named) }
    }

    fn draws(&self, what: &str, percent: u64) -> bool {
        self.client.decisions().chance(&format!("clerk.{what}.{}", self.application), self.attempt.into(), percent, 100)
    }

    async fn decide(&self) -> anyhow::Result<()> {
        let decisions = self.client.decisions();
        let notes = decisions.between(
            &format!("clerk.notes.{}", self.application),
            self.attempt.into(),
            0..=self.sizes.notes_max,
        );
        for note in 1..=notes {
            tokio::time::sleep(Duration::from_millis(500)).await;
            match self.note(note).await? {
                Noted::GoOn => {}
                Noted::Withdrawn => return self.give_up().await,
                Noted::Over => return Ok(()),
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        if self.draws("returns", self.sizes.returned_percent) {
            return self.fail(|| ApplicationFailure::new("not today")).await;
        }
        if self.draws("refuses", self.sizes.refused_percent) {
            return self.fail(|| ApplicationFailure::non_retryable("refused")).await;
        }
        let decision = format!("granted at try {}", self.attempt);
        self.desk.write(self.application, &decision);
        self.until_known("a decision", || self.handle.complete(Some(decision.clone()), RpcOptions::default())).await?;
        Ok(())
    }

    async fn note(&self, number: u64) -> anyhow::Result<Noted> {
        let note = format!("note {number} of try {}", self.attempt);
        let noted =
            self.until_known("a note", || self.handle.heartbeat(Some(note.clone()), RpcOptions::default())).await?;
        Ok(match noted {
            None => Noted::Over,
            Some(answer) if answer.cancel_requested => Noted::Withdrawn,
            Some(_) => Noted::GoOn,
        })
    }

    async fn give_up(&self) -> anyhow::Result<()> {
        let withdrawn = || self.handle.report_cancelation(Some("withdrawn".to_owned()), RpcOptions::default());
        self.until_known("a withdrawal", withdrawn).await?;
        Ok(())
    }

    async fn fail(&self, failure: fn() -> ApplicationFailure) -> anyhow::Result<()> {
        let failed = || self.handle.fail(failure(), None::<String>, RpcOptions::default());
        self.until_known("a failure", failed).await?;
        Ok(())
    }

    /// Nothing if the try was over: timed out, or done by an earlier call whose answer was lost.
    async fn until_known<T, F>(&self, what: &str, mut call: impl FnMut() -> F) -> anyhow::Result<Option<T>>
    where
        F: Future<Output = Result<T, AsyncActivityError>>,
    {
        let what = format!("{what} on {} to be acknowledged", self.application);
        let call = || {
            let call = call();
            async move { call.await.map_err(status) }
        };
        match self.client.until_known(what, call).await {
            Ok(answer) => Ok(Some(answer)),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(status.into()),
        }
    }
}

fn status(error: AsyncActivityError) -> Status {
    match error {
        AsyncActivityError::NotFound(status) | AsyncActivityError::Rpc(status) => status,
        other => Status::invalid_argument(other.to_string()),
    }
}

enum Noted {
    GoOn,
    /// The applicant does not want it any more.
    Withdrawn,
    Over,
}
