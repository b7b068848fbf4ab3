//! Databases as people leave them: each opens, or says what is wrong and what to do.
use super::*;
use tempest_store_postgres::testing::{PASSWORD, TestPostgres};

#[track_caller]
fn assert_says(error: &StoreError, parts: &[&str]) {
    let text = error.to_string();
    assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    assert!(!text.contains(PASSWORD) && !text.contains("wrong password"), "{text}");
}

#[tokio::test]
async fn wrong_addresses_say_what_to_do() {
    let Some(mut server) = TestPostgres::start(&[]).await else { return };
    let at = |url: String| PostgresConfig { url, ..server.config("tempest") };
    let address = format!("127.0.0.1:{}", server.port());

    let error = refused(at(format!("postgres://tempest:wrong%20password@{address}/postgres"))).await;
    assert!(matches!(error, StoreError::Incompatible(_)));
    assert_says(&error, &["refused user \"tempest\"", "correct user and password", &address]);

    let error = refused(at(format!("postgres://outsider:wrong%20password@{address}/postgres"))).await;
    assert_says(&error, &["refused user \"outsider\"", "correct user and password"]);

    let error = refused(at(server.url().replace("/postgres", "/orders").replace("orders://", "postgres://"))).await;
    assert!(matches!(error, StoreError::Incompatible(_)));
    assert_says(&error, &["has no database \"orders\"", "createdb orders"]);

    let error = refused(at(format!("{}?sslmode=require", server.url()))).await;
    assert!(matches!(error, StoreError::Incompatible(_)));
    assert_says(&error, &["does not speak yet", "sslmode=prefer"]);

    let error = refused(at(format!("postgres://tempest:pa@ss@{address}/postgres"))).await;
    assert_says(&error, &["more than one @", "as %40"]);
    assert!(!error.to_string().contains("ss@"), "nothing of the password: {error}");

    let unreachable = server.config("tempest");
    server.kill();
    let error = refused(unreachable).await;
    assert!(matches!(error, StoreError::Unavailable(_)));
    assert_says(&error, &["cannot reach PostgreSQL at tempest@127.0.0.1", "start it, or correct host and port"]);

    // Something that accepts connections and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = server.url_by(silent.local_addr().unwrap().port());
    let config = PostgresConfig { url, connect_timeout: Duration::from_millis(100), ..server.config("tempest") };
    assert_says(&refused(config).await, &["did not answer within", "see whether it hangs"]);
}

#[tokio::test]
async fn other_schemas_are_refused_and_left_alone() {
    let Some(server) = TestPostgres::start(&[]).await else { return };
    connect(server.config("tempest")).await.close().await;
    connect(server.config("tempest")).await.close().await;
    // Of a newer build, and of an older one.
    for version in ["99", "1"] {
        server.execute(&format!("UPDATE tempest.meta SET value = '{version}' WHERE key = 'schema'")).await;
        let error = refused(server.config("tempest")).await;
        assert!(matches!(error, StoreError::Incompatible(_)));
        let sentence = format!("has schema version {version}, this tempest reads version 4");
        assert_says(&error, &[&sentence, "use the tempest that wrote it, or choose another schema"]);
    }

    server.execute("CREATE SCHEMA theirs; CREATE TABLE theirs.shards (precious text)").await;
    let error = refused(server.config("theirs")).await;
    assert_says(&error, &["not one of tempest's", "choose another schema"]);
    server.execute("CREATE TABLE theirs.meta (name text)").await;
    let error = refused(server.config("theirs")).await;
    assert_says(&error, &["not one of tempest's", "choose another schema"]);
    let tables =
        server.client().await.query("SELECT count(*) FROM pg_tables WHERE schemaname = 'theirs'", &[]).await.unwrap();
    assert_eq!(tables[0].get::<_, i64>(0), 2);
}

#[tokio::test]
async fn missing_rights_are_named() {
    let Some(server) = TestPostgres::start(&[]).await else { return };
    server.execute("CREATE USER guest PASSWORD 'guest'").await;
    let url = format!("postgres://guest:guest@127.0.0.1:{}/postgres", server.port());
    let config = PostgresConfig { url, ..server.config("tempest") };
    let error = refused(config.clone()).await;
    assert_says(&error, &["GRANT CREATE ON DATABASE postgres TO guest"]);
    server.execute("CREATE SCHEMA tempest AUTHORIZATION guest").await;
    acquire(&connect(config).await, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_is_refused_until_it_is_promoted() {
    let Some(server) = TestPostgres::start(&[]).await else { return };
    let store = connect(server.config("tempest")).await;
    acquire(&store, 1).await;
    let standby = server.standby().await;
    let error = refused(standby.config("tempest")).await;
    assert!(matches!(error, StoreError::Unavailable(_)));
    assert_says(&error, &["it is a standby", "Connect to the primary"]);
    // With both in the address, the primary is found.
    let both = format!("host=127.0.0.1,127.0.0.1 port={},{} user=tempest", standby.port(), server.port());
    let url = format!("{both} password='{PASSWORD}' dbname=postgres");
    assert_eq!(
        record(&connect(PostgresConfig { url, ..server.config("tempest") }).await, 1).await.range_id,
        RangeId(1)
    );
    standby.execute("SELECT pg_promote()").await;
    assert_eq!(record(&connect(standby.config("tempest")).await, 1).await.range_id, RangeId(1));
}

#[tokio::test]
async fn a_database_that_turns_read_only_proves_no_ownership() {
    let Some(server) = TestPostgres::start(&[]).await else { return };
    let store = connect(server.config("tempest")).await;
    acquire(&store, 1).await;
    assert_eq!(store.ranges(&[ShardId(1)]).await, Ok(vec![RangeId(1)]));
    server.execute("ALTER SYSTEM SET default_transaction_read_only = on").await;
    server.execute("SELECT pg_reload_conf()").await;
    let error = eventually("the setting reaches the session", async || store.ranges(&[ShardId(1)]).await.err()).await;
    assert_says(&error, &["takes no writes here"]);
    let outcome = eventually("the setting reaches the lane", async || {
        Some(store.commit(commit(1, 1)).await).filter(|outcome| !matches!(outcome, CommitOutcome::Conflict(_)))
    });
    assert_unavailable(&outcome.await, "takes no writes here");
}
