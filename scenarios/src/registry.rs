//! `registry`: registrars who register namespaces, often the same one at once, and write into each what they know of it.
use crate::hello::{GreetTwice, Greeter};
use futures::future::{BoxFuture, FutureExt, try_join_all};
use std::sync::Arc;
use std::time::Duration;
use tempest::proto::namespace::v1::UpdateNamespaceInfo;
use tempest::proto::workflowservice::v1 as api;
use tempest::{Client, Decisions, Draw, Registrations, Scenario, Workload};
use temporalio_client::grpc::WorkflowService;
use temporalio_client::tonic::{Code, Request};

pub struct Registry;

impl Scenario for Registry {
    fn name(&self) -> &str {
        "registry"
    }

    fn about(&self) -> &str {
        "registrars register and update namespaces side by side; each entry that was acknowledged stays"
    }

    fn adjust(&self, draw: &mut Draw<'_>) {
        draw.one_of("nodes", &[1, 3, 3, 5]);
    }

    fn prepare(&self, draw: &mut Draw<'_>, _decisions: &Decisions) -> Arc<dyn Workload> {
        Arc::new(Registrars {
            registrars: draw.number("registrars", 2..=5),
            namespaces: draw.number("namespaces", 3..=8),
            entries: draw.number("entries", 2..=8),
            pause_ms_max: draw.one_of("pause_ms_max", &[200, 2_000, 5_000]),
        })
    }
}

#[derive(Clone)]
struct Registrars {
    registrars: u64,
    /// All of them go through the same namespaces, in the same order.
    namespaces: u64,
    /// What each registrar writes into each namespace, one after another.
    entries: u64,
    /// Between two calls, at most.
    pause_ms_max: u64,
}

impl Workload for Registrars {
    fn register(&self) -> Registrations {
        Registrations::new().workflow::<GreetTwice>().activities(Greeter)
    }

    fn clients(&self, client: Client) -> BoxFuture<'static, anyhow::Result<()>> {
        let sizes = self.clone();
        async move {
            // Workers have something to do as well.
            let greeting = async {
                let handle = client.start(GreetTwice::run, ("registrar".to_owned(), 1_000), "greeting").await?;
                client.result(&handle).await?;
                anyhow::Ok(())
            };
            let registrars = (0..sizes.registrars).map(|number| Registrar { client: &client, sizes: &sizes, number });
            let registering = try_join_all(registrars.map(|registrar| async move { registrar.work().await }));
            futures::future::try_join(greeting, registering).await?;
            Ok(())
        }
        .boxed()
    }
}

struct Registrar<'a> {
    client: &'a Client,
    sizes: &'a Registrars,
    number: u64,
}

impl Registrar<'_> {
    async fn work(&self) -> anyhow::Result<()> {
        for namespace in 0..self.sizes.namespaces {
            let name = format!("shop-{namespace}");
            self.register(&name).await?;
            self.look_at(&name).await?;
            for entry in 1..=self.sizes.entries {
                self.pause(&name, entry).await;
                self.enter(&name, entry).await?;
            }
        }
        self.look_through().await
    }

    /// The first client, and one that tries again, finds it registered.
    async fn register(&self, name: &str) -> anyhow::Result<()> {
        let request = api::RegisterNamespaceRequest {
            namespace: name.to_owned(),
            description: format!("registered by {}", self.number),
            workflow_execution_retention_period: Duration::from_secs(24 * 3600).try_into().ok(),
            ..Default::default()
        };
        let call = || {
            let (mut sdk, request) = (self.client.sdk().clone(), Request::new(request.clone()));
            async move { sdk.register_namespace(request).await }
        };
        match self.client.until_known(format!("{name} to be registered"), call).await {
            Ok(_) => Ok(()),
            Err(status) if status.code() == Code::AlreadyExists => Ok(()),
            Err(status) => Err(status.into()),
        }
    }

    async fn look_at(&self, name: &str) -> anyhow::Result<()> {
        let call = || {
            let request = api::DescribeNamespaceRequest { namespace: name.to_owned(), ..Default::default() };
            let mut sdk = self.client.sdk().clone();
            async move { sdk.describe_namespace(Request::new(request)).await }
        };
        let described = self.client.until_known(format!("{name} to be described"), call).await?.into_inner();
        let info = described.namespace_info.unwrap_or_default();
        anyhow::ensure!(info.name == name, "{name} was described as {}", info.name);
        Ok(())
    }

    /// Everything that this registrar knows to be registered is listed.
    async fn look_through(&self) -> anyhow::Result<()> {
        let call = || {
            let request = api::ListNamespacesRequest { page_size: 100, ..Default::default() };
            let mut sdk = self.client.sdk().clone();
            async move { sdk.list_namespaces(Request::new(request)).await }
        };
        let listed = self.client.until_known("namespaces to be listed".to_owned(), call).await?.into_inner().namespaces;
        for namespace in 0..self.sizes.namespaces {
            let name = format!("shop-{namespace}");
            let is_it = |listed: &api::DescribeNamespaceResponse| {
                listed.namespace_info.as_ref().is_some_and(|info| info.name == name)
            };
            anyhow::ensure!(listed.iter().any(is_it), "{name} is registered, but not listed");
        }
        Ok(())
    }

    /// Each registrar has an entry of its own, and all of them write the description.
    async fn enter(&self, name: &str, entry: u64) -> anyhow::Result<()> {
        let update = UpdateNamespaceInfo {
            description: format!("entry {entry} by {}", self.number),
            data: [(format!("registrar-{}", self.number), entry.to_string())].into(),
            ..Default::default()
        };
        let request =
            api::UpdateNamespaceRequest { namespace: name.to_owned(), update_info: Some(update), ..Default::default() };
        let call = || {
            let (mut sdk, request) = (self.client.sdk().clone(), Request::new(request.clone()));
            async move { sdk.update_namespace(request).await }
        };
        self.client.until_known(format!("entry {entry} of {name} to be written"), call).await?;
        Ok(())
    }

    async fn pause(&self, name: &str, entry: u64) {
        let site = format!("registrar.pause.{}.{name}", self.number);
        let ms = self.client.decisions().between(&site, entry, 0..=self.sizes.pause_ms_max);
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}
