//! The shared suite, each test in a schema of its own of one server.
use super::connect;
use std::cell::Cell;
use tempest_store::conformance;
use tempest_store_postgres::PostgresConfig;
use tempest_store_postgres::testing::TestPostgres;

async fn conforms(adjust: impl Fn(PostgresConfig) -> PostgresConfig) {
    let Some(server) = TestPostgres::start(&[]).await else { return };
    let number = Cell::new(0);
    conformance::all(|_| {
        number.set(number.get() + 1);
        connect(adjust(server.config(&format!("test {}", number.get()))))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_defaults() {
    conforms(|config| config).await;
}

/// Small batches, so that what waits together is spread over several transactions.
#[tokio::test]
async fn with_one_lane_and_small_batches() {
    conforms(|config| PostgresConfig { lanes: 1, batch_requests_max: 2, reads_concurrent_max: 1, ..config }).await;
}
