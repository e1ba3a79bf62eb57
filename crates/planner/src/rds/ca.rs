//! `rds-ca-certificate`: the authority of the server certificate.
//!
//! Clients that check certificates know certain authorities. Where a newer root is there already, the policy's is not
//! forced on the database: `rds-ca-rsa4096-g1` and `rds-ca-ecc384-g1` are stronger than `rds-ca-rsa2048-g1`.
//! [Using SSL/TLS to encrypt a connection to a DB instance; rds:ModifyDBInstance, `CACertificateIdentifier`]

use super::observed::DbInstance;
use super::reboot::{self, ByHand};
use crate::Check;
use crate::plan::change::Change;
use crate::plan::context::Context;
use crate::plan::draft::{Draft, Remedy, Subject, Words};
use crate::plan::step::{Gate, Risk};
use crate::policy::model::DatabaseInTransit;
use crate::policy::window::moment_words;

const CHECK: Check = Check::RdsCaCertificate;
/// A certificate that ends within so many seconds is told of.
const SOON: i64 = 90 * 24 * 60 * 60;

/// Judges one instance.
pub(super) fn judge(
    cx: &Context<'_>,
    (subject, instance): (&Subject, &DbInstance),
    (wanted, in_transit): (&str, &DatabaseInTransit),
    draft: &mut Draft,
) {
    let mut words = Words { expected: wanted.to_owned(), actual: "none".to_owned(), ..Words::default() };
    let expired = instance.ca_valid_till.is_some_and(|till| till <= cx.now);
    let Some(observed) = instance.ca_certificate.as_deref() else {
        words.actual = "not known".into();
        words.message = "AWS named no certificate authority for this database.".into();
        return draft.unknown(subject, CHECK, words);
    };
    words.actual = observed.into();
    if observed == "rds-ca-2019" {
        words.notes.push("rds-ca-2019 expired in August 2024: clients that check certificates are refused.".to_owned());
    } else if expired {
        words.notes.push("The server certificate has expired: clients that check it are refused.".to_owned());
    } else if let Some(till) = instance.ca_valid_till.filter(|till| till - cx.now < SOON) {
        words.notes.push(format!(
            "The server certificate ends at {}. RDS renews it by itself where the engine takes a new one while it runs; where it does not, the instance has a pending maintenance action that renews it with a restart: have it applied before then.",
            moment_words(till)
        ));
    }
    if observed == wanted || stronger(observed, wanted) {
        if observed != wanted {
            words.notes.push(format!("{observed} is stronger than {wanted}; it stays."));
        }
        return draft.compliant(subject, CHECK, words);
    }
    let remedy = remedy(cx, (instance, in_transit), (observed, wanted), &mut words);
    draft.drifted(subject, CHECK, words, vec![remedy]);
}

fn remedy(
    cx: &Context<'_>,
    (instance, in_transit): (&DbInstance, &DatabaseInTransit),
    (observed, wanted): (&str, &str),
    words: &mut Words,
) -> Remedy {
    if instance.pending_ca_certificate.as_deref() == Some(wanted) {
        words.actual = format!("{observed}, {wanted} pending");
        words.message = "The change is made and waits for a restart.".into();
        let by_hand = ByHand {
            what: format!("let {} take {wanted}", instance.identifier),
            how: "The new certificate applies with the next restart or maintenance window. The policy does not let Everseal reboot a database (inTransit.reboot: inWindow): do so when it suits.".to_owned(),
        };
        reboot::of_certificate(cx, instance, in_transit, by_hand)
    } else if let Some(cluster) = instance.cluster.as_deref().filter(|_| !instance.engine.starts_with("aurora")) {
        words.message = "The certificate belongs to the Multi-AZ cluster.".into();
        Remedy::manual(
            format!("move cluster {cluster} from {observed} to {wanted}"),
            format!(
                "A Multi-AZ cluster bears the authority of all its members, and changing it may restart them: aws rds modify-db-cluster --db-cluster-identifier {cluster} --ca-certificate-identifier {wanted}, when it suits."
            ),
        )
    } else {
        words.message = "Clients must trust the new authority before the change: give them the current RDS bundle first.".into();
        change(instance, observed, wanted)
    }
}

fn stronger(observed: &str, wanted: &str) -> bool {
    wanted == "rds-ca-rsa2048-g1" && matches!(observed, "rds-ca-rsa4096-g1" | "rds-ca-ecc384-g1")
}

fn change(instance: &DbInstance, observed: &str, wanted: &str) -> Remedy {
    let remedy = Remedy::change(
        Change::CaCertificate { instance: instance.identifier.clone(), before: Some(observed.to_owned()), after: wanted.to_owned() },
        format!(
            "move {} from {observed} to {wanted}; engines that can't rotate certificates online take it with their next restart",
            instance.identifier
        ),
        format!("aws rds modify-db-instance --db-instance-identifier {} --ca-certificate-identifier {observed}", instance.identifier),
    );
    let remedy = remedy.risking(Risk::Disruptive);
    if instance.status == "available" {
        return remedy;
    }
    remedy.blocked(Gate::NotReady, format!("the database is {}; it can be changed while it is available", instance.status))
}
