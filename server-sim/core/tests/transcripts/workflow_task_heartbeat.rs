//! A workflow task that a long local activity keeps alive.
use crate::prelude::*;

#[test]
fn it_goes_on_for_half_an_hour_at_most() {
    let mut story = Story::new();
    story.shard.limits.workflow_task_heartbeat_timeout = Duration::from_secs(20);
    story.start();
    story.poll_workflow_task();
    for _ in 0..3 {
        story.pass_seconds(8);
        story.complete_with(vec![], |request| {
            request.force_create_new_workflow_task = true;
            request.return_new_workflow_task = true;
        });
    }
    insta::assert_snapshot!(story.text());
}
