//! `caBundle` in the guard's own webhook configurations, and nothing else in them.
//!
//! The shipped configurations have no such key, so whoever applies them again, client-side or
//! server-side, leaves it as it is. It is written under the guard's own field manager. Configurations
//! that are not there are never made: taking them away is how a person takes the guard out of the way.

use std::{fmt::Debug, hash::BuildHasher as _, hash::BuildHasherDefault, time::Instant};

use k8s_openapi::{
    ByteString, Metadata,
    api::admissionregistration::v1::{
        MutatingWebhookConfiguration, ValidatingWebhookConfiguration, WebhookClientConfig,
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::{
    Api, Client, Resource,
    api::{ListParams, Patch, PatchParams},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    MANAGER, OURS,
    contest::{Contests, May, TRIES},
    tell::{Outcome, Teller, What, reference},
};

/// A configuration of webhooks, of either phase.
trait Configuration:
    Clone + Debug + DeserializeOwned + Resource<DynamicType = ()> + Metadata<Ty = ObjectMeta>
{
    /// Whom each entry calls.
    fn entries(&self) -> Vec<&WebhookClientConfig>;
}

impl Configuration for ValidatingWebhookConfiguration {
    fn entries(&self) -> Vec<&WebhookClientConfig> {
        let webhooks = self.webhooks.iter().flatten();
        webhooks.map(|webhook| &webhook.client_config).collect()
    }
}

impl Configuration for MutatingWebhookConfiguration {
    fn entries(&self) -> Vec<&WebhookClientConfig> {
        let webhooks = self.webhooks.iter().flatten();
        webhooks.map(|webhook| &webhook.client_config).collect()
    }
}

/// Writes `caBundle`.
pub(super) struct Publisher<'a> {
    pub(super) client: &'a Client,
    /// The guard's; entries that call a Service elsewhere are not its own.
    pub(super) namespace: &'a str,
    pub(super) teller: &'a Teller,
}

impl Publisher<'_> {
    /// Has every entry trust `bundle`. How many do not.
    pub(super) async fn publish(
        &self,
        bundle: &str,
        contests: &mut Contests,
    ) -> Result<usize, String> {
        let bundle = ByteString(bundle.as_bytes().to_vec());
        let validating = self.of::<ValidatingWebhookConfiguration>(&bundle, contests);
        let mut missing = validating.await.map_err(|error| error.to_string())?;
        let mutating = self.of::<MutatingWebhookConfiguration>(&bundle, contests);
        missing += mutating.await.map_err(|error| error.to_string())?;
        Ok(missing)
    }

    async fn of<C: Configuration>(
        &self,
        bundle: &ByteString,
        contests: &mut Contests,
    ) -> Result<usize, kube::Error> {
        let api: Api<C> = Api::all(self.client.clone());
        let mut missing = 0;
        for configuration in api.list(&ListParams::default().labels(OURS)).await? {
            let differ = self.different(&configuration, bundle);
            if differ.is_empty() {
                continue;
            }
            missing += differ.len();
            let metadata = Metadata::metadata(&configuration);
            let name = metadata.name.clone().unwrap_or_default();
            // What was taken away and came again is another matter, and so is another CA.
            let uid = metadata.uid.as_deref().unwrap_or_default();
            let matter = format!("{name} {uid} {:x}", fingerprint(bundle));
            let object = reference(&configuration);
            let now = Instant::now();
            match contests.ask(What::CaBundle, &matter, now) {
                May::Wait | May::Not => continue,
                May::GiveUp => {
                    let note =
                        format!("caBundle was changed back {TRIES} times; who else writes it?");
                    self.teller
                        .say(What::CaBundle, Outcome::GivenUp, &object, note)
                        .await;
                    continue;
                }
                May::Write => {}
            }
            let Ok(patch) = serde_json::from_value(patch(&configuration, &differ, bundle)) else {
                continue;
            };
            let params = PatchParams {
                field_manager: Some(MANAGER.to_owned()),
                ..PatchParams::default()
            };
            match api.patch(&name, &params, &Patch::Json::<()>(patch)).await {
                Ok(_) => {
                    contests.tried(What::CaBundle, &matter, now);
                    missing -= differ.len();
                    let note = format!(
                        "caBundle of {} entries did not have the guard's CA",
                        differ.len()
                    );
                    self.teller
                        .say(What::CaBundle, Outcome::Changed, &object, note)
                        .await;
                }
                // It changed meanwhile, or went; the next look finds it as it is then.
                Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409 | 422) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(missing)
    }

    /// The places of the entries that call the guard and don't trust the bundle.
    fn different<C: Configuration>(&self, configuration: &C, bundle: &ByteString) -> Vec<usize> {
        let ours = |entry: &WebhookClientConfig| {
            entry
                .service
                .as_ref()
                .is_some_and(|service| service.namespace == self.namespace)
        };
        let entries = configuration.entries().into_iter().enumerate();
        let differ =
            entries.filter(|(_, entry)| ours(entry) && entry.ca_bundle.as_ref() != Some(bundle));
        differ.map(|(place, _)| place).collect()
    }
}

/// The patch that writes the bundle into these entries of the configuration as it was read.
fn patch<C: Configuration>(configuration: &C, places: &[usize], bundle: &ByteString) -> Value {
    let version = &Metadata::metadata(configuration).resource_version;
    let unchanged = json!({ "op": "test", "path": "/metadata/resourceVersion", "value": version });
    let add = |place: &usize| json!({ "op": "add", "path": format!("/webhooks/{place}/clientConfig/caBundle"), "value": bundle });
    std::iter::once(unchanged)
        .chain(places.iter().map(add))
        .collect()
}

/// Tells bundles apart.
fn fingerprint(bundle: &ByteString) -> u64 {
    BuildHasherDefault::<std::hash::DefaultHasher>::default().hash_one(&bundle.0)
}
