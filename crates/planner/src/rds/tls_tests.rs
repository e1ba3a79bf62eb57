//! Who would be cut off, when a database is rebooted, and what a proxy lets in.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::fixtures::{denied, inventory, policies};
use crate::plan::{Change, Context, Gate, Past, Plan, Risk, Step, plan};
use crate::{Arn, Check, Inventory, State, sim};

const DB: &str = "arn:aws:rds:us-east-1:111122223333:db:orders";
const OTHER: &str = "arn:aws:rds:us-east-1:111122223333:db:reports";
const CLUSTER: &str = "arn:aws:rds:us-east-1:111122223333:cluster:ledger";
const PROXY: &str = "arn:aws:rds:us-east-1:111122223333:db-proxy:prx-0123456789abcdef0";
const TLS: Check = Check::RdsRequireTls;
/// Sunday, 15 June 2025, 15:06:40 UTC.
const NOW: i64 = 1_750_000_000;
const CHECK_CLIENTS: &str = "rds: [{name: r, inTransit: {requireTls: true}}]";
const VOUCHED: &str = "rds: [{name: r, inTransit: {requireTls: true, plainClients: none}}]";
/// Its window is open now.
const OPEN: &str = "rds: [{name: r, inTransit: {requireTls: true, plainClients: none, reboot: inWindow, window: 'Sun 15:00-16:00 UTC'}}]";
const CLOSED: &str = "rds: [{name: r, inTransit: {requireTls: true, plainClients: none, reboot: inWindow, window: 'Sun 02:00-04:00 UTC'}}]";

fn over(mut base: Value, settings: &Value) -> Value {
    for (name, value) in settings.as_object().unwrap() {
        base[name] = value.clone();
    }
    base
}

fn instance(arn: &str, settings: &Value) -> Value {
    let name = arn.rsplit(':').next().unwrap();
    let base = json!({"arn": arn, "identifier": name, "engine": "postgres", "engineVersion": "14.9", "status": "available",
        "storageEncrypted": true, "parameterGroups": [{"name": "own", "applyStatus": "in-sync"}]});
    over(base, settings)
}

fn pending() -> Value {
    json!({"parameterGroups": [{"name": "own", "applyStatus": "pending-reboot"}]})
}

/// Groups whose `rds.force_ssl` has this value.
fn groups(names: &[&str], value: &str) -> Value {
    let parameters =
        json!({"rds.force_ssl": {"value": value, "source": "user"}, "require_secure_transport": {"value": value, "source": "user"}});
    let group = |name: &&str| ((*name).to_owned(), json!({"name": name, "family": "postgres14", "parameters": parameters}));
    Value::Object(names.iter().map(group).collect())
}

/// Connections over the last two hours.
fn activity(most: u32) -> Value {
    json!({"activity": {"from": NOW - 7200, "to": NOW - 60, "mostConnections": most, "connectionsNow": most}})
}

fn sessions(plain: u32, looked_at: i64) -> Value {
    json!({"plain": plain, "tls": 7, "lookedAt": looked_at, "by": [{"user": "batch", "host": "10.0.0.9", "sessions": plain}]})
}

/// One database whose group does not require TLS.
fn off(more: &Value) -> Inventory {
    let base = json!({"dbInstances": {DB: instance(DB, &json!({}))}, "dbParameterGroups": groups(&["own"], "0"), "dbProxies": {}});
    inventory(&json!([]), &over(base, more))
}

fn planned(rule: &str, inventory: &Inventory) -> Plan {
    planned_after(rule, inventory, &Past::default())
}

fn planned_after(rule: &str, inventory: &Inventory, past: &Past) -> Plan {
    plan(&Context { policies: &policies(rule), inventory, now: NOW, past })
}

fn gate_of(step: &Step) -> Option<Gate> {
    step.gate.as_ref().map(|block| block.name)
}

fn only(plan: &Plan) -> &Step {
    let [step] = plan.steps.as_slice() else { panic!("{:#?}", plan.steps) };
    step
}

fn reason(plan: &Plan) -> &str {
    &only(plan).gate.as_ref().unwrap().reason
}

fn notes(plan: &Plan, resource: &str) -> String {
    let of = |finding: &&crate::Finding| finding.check == TLS && finding.resource.as_str() == resource;
    plan.findings.iter().find(of).unwrap().notes.join("\n")
}

mod clients {
    use super::*;

    #[test]
    fn only_who_is_known_not_to_be_there_is_not_cut_off() {
        let known = |sessions: Option<Value>, activity: Option<Value>| {
            let mut more = json!({});
            if let Some(count) = sessions {
                more["sessions"] = json!({DB: count});
            }
            if let Some(activity) = activity {
                more["migrations"] = json!({"databases": {DB: activity}});
            }
            off(&more)
        };
        let unreadable = json!({"activity": denied("GetMetricData", "cloudwatch:GetMetricData")});
        let short = json!({"activity": {"from": NOW - 1200, "to": NOW - 60, "mostConnections": 0, "connectionsNow": 0}});
        let left = |minutes: i64| {
            let last = NOW - 60 - minutes * 60;
            json!({"activity": {"from": NOW - 9000, "to": NOW - 60, "mostConnections": 5, "lastConnectionAt": last, "connectionsNow": 0}})
        };
        let old = json!({"activity": {"from": NOW - 9000, "to": NOW - 1800, "mostConnections": 0, "connectionsNow": 0}});
        let held = Some(Gate::TlsClients);
        // Sessions, connections; what stops the step, and what does although a person has vouched.
        for (sessions, activity, checked, vouched) in [
            (None, None, held, None),
            (None, Some(activity(0)), None, None),
            (None, Some(activity(14)), held, None),
            (None, Some(unreadable.clone()), held, None),
            (None, Some(short), held, None),
            (None, Some(left(59)), held, None),
            (None, Some(left(60)), None, None),
            (None, Some(old), held, None),
            (Some(sessions(0, NOW - 60)), Some(activity(14)), None, None),
            (Some(sessions(0, NOW - 60)), Some(unreadable.clone()), None, None),
            // Others may have come since.
            (Some(sessions(0, NOW - 3600)), Some(activity(14)), held, None),
            (Some(sessions(3, NOW - 60)), Some(activity(14)), held, held),
            (Some(sessions(3, NOW - 3600)), Some(activity(0)), held, held),
            (Some(denied("SELECT", "login")), Some(activity(14)), held, None),
        ] {
            let inventory = known(sessions.clone(), activity.clone());
            let words = format!("{sessions:?} {activity:?}");
            assert_eq!(gate_of(only(&planned(CHECK_CLIENTS, &inventory))), checked, "{words}");
            assert_eq!(gate_of(only(&planned(VOUCHED, &inventory))), vouched, "vouched: {words}");
        }
    }

    #[test]
    fn the_plan_says_how_many_are_connected_and_whose_sessions_are_plain() {
        let more = json!({"sessions": {DB: sessions(3, NOW - 60)}, "migrations": {"databases": {DB: activity(14)}}});
        let plan = planned(CHECK_CLIENTS, &off(&more));
        let notes = notes(&plan, DB);
        assert!(notes.contains("14 connections now") && notes.contains("3 sessions without TLS, 7 with it"), "{notes}");
        assert!(reason(&plan).contains("user batch from 10.0.0.9 (3)"), "{}", reason(&plan));
    }

    #[test]
    fn what_is_not_known_is_asked_for_only_where_a_step_is_due() {
        let db = Arn::parse(DB).unwrap();
        let plan = planned(CHECK_CLIENTS, &off(&json!({})));
        assert!(plan.wanted_facts.contains(&db));
        let vouched = planned(VOUCHED, &off(&json!({})));
        assert!(vouched.wanted_facts.is_empty() && vouched.helpful_facts.contains(&db));
        let read = planned(CHECK_CLIENTS, &off(&json!({"migrations": {"databases": {DB: activity(14)}}})));
        assert!(read.wanted_facts.is_empty());
        assert!(reason(&read).contains("plainClients: none") && reason(&read).contains("monitoring"), "{}", reason(&read));
        let on = planned(CHECK_CLIENTS, &off(&json!({"dbParameterGroups": groups(&["own"], "1")})));
        assert!(on.wanted_facts.is_empty() && on.helpful_facts.is_empty());
    }

    #[test]
    fn where_there_is_a_login_sessions_are_counted_once_however_much_else_is_known() {
        let db = Arn::parse(DB).unwrap();
        let monitored =
            |more: &str| format!("rds: [{{name: r, inTransit: {{requireTls: true, monitoring: {{environment: ORDERS}}{more}}}}}]");
        let connected = json!({"migrations": {"databases": {DB: activity(14)}}});
        let plan = planned(&monitored(""), &off(&connected));
        assert!(plan.wanted_facts.contains(&db) && gate_of(only(&plan)) == Some(Gate::TlsClients));
        let vouched = planned(&monitored(", plainClients: none"), &off(&connected));
        assert!(vouched.wanted_facts.is_empty() && vouched.helpful_facts.contains(&db));
        let refused = over(connected, &json!({"sessions": {DB: denied("count sessions", "login")}}));
        for more in ["", ", plainClients: none"] {
            let plan = planned(&monitored(more), &off(&refused));
            assert!(plan.wanted_facts.is_empty() && plan.helpful_facts.is_empty(), "{more}");
        }
    }

    #[test]
    fn the_clients_of_every_database_of_a_group_count() {
        let two = json!({DB: instance(DB, &json!({})), OTHER: instance(OTHER, &json!({}))});
        let databases = |of_other: Value| json!({"databases": {DB: activity(0), OTHER: of_other}});
        let with = |of_other| planned(CHECK_CLIENTS, &off(&json!({"dbInstances": two, "migrations": databases(of_other)})));
        let gates = |plan: &Plan| plan.steps.iter().map(gate_of).collect::<Vec<_>>();
        assert_eq!(gates(&with(activity(0))), [None, None]);
        assert_eq!(gates(&with(activity(2))), [Some(Gate::TlsClients), Some(Gate::TlsClients)]);
        // A person who vouches does so for the databases of his rule.
        let rules = "rds: [{name: a, match: {names: [orders]}, inTransit: {requireTls: true, plainClients: none}}, {name: b, inTransit: {requireTls: true}}]";
        let plan = planned(rules, &off(&json!({"dbInstances": two, "migrations": databases(activity(2))})));
        assert_eq!(gates(&plan), [Some(Gate::TlsClients), Some(Gate::TlsClients)]);
        assert!(notes(&plan, DB).contains("also reaches database reports"));
    }

    #[test]
    fn sql_server_refuses_nobody() {
        let engine = json!({"engine": "sqlserver-se", "engineVersion": "15.00.4335"});
        let plan = planned(CHECK_CLIENTS, &off(&json!({"dbInstances": {DB: instance(DB, &engine)}})));
        assert_eq!(gate_of(only(&plan)), None);
        assert!(notes(&plan, DB).contains("none is refused"));
    }
}

mod reboots {
    use super::*;

    fn waiting(more: &Value) -> Inventory {
        let base = json!({"dbInstances": {DB: instance(DB, &pending())}, "dbParameterGroups": groups(&["own"], "1")});
        off(&over(base, more))
    }

    #[test]
    fn a_database_is_rebooted_only_where_and_when_the_policy_says_so() {
        let plan = planned(VOUCHED, &waiting(&json!({})));
        assert_eq!(gate_of(only(&plan)), Some(Gate::Manual));
        let plan = planned(CLOSED, &waiting(&json!({})));
        assert_eq!(gate_of(only(&plan)), Some(Gate::Window));
        assert!(reason(&plan).contains("2025-06-22T02:00:00Z"), "{}", reason(&plan));
        assert!(plan.findings[0].message.contains("reboot is pending"));
        let plan = planned(OPEN, &waiting(&json!({})));
        let step = only(&plan);
        assert_eq!((step.action.as_str(), gate_of(step), step.risk), ("RebootDBInstance", None, Risk::Disruptive));
        assert!(step.summary.contains("without a failover"));
    }

    #[test]
    fn nothing_is_rebooted_for_somebody_elses_parameter() {
        let in_sync_and_off = planned(OPEN, &off(&json!({"dbInstances": {DB: instance(DB, &pending())}})));
        assert!(in_sync_and_off.steps.iter().all(|step| step.action == "ModifyDBParameterGroup"), "{:#?}", in_sync_and_off.steps);
        let nobody_asks =
            "rds: [{name: r, inTransit: {caCertificate: rds-ca-rsa2048-g1, reboot: inWindow, window: 'Sun 15:00-16:00 UTC'}}]";
        assert!(planned(nobody_asks, &waiting(&json!({}))).steps.is_empty());
    }

    #[test]
    fn a_reboot_cuts_off_whom_the_parameter_refuses() {
        let checked = OPEN.replace("plainClients: none, ", "");
        let held = |activity: Value| gate_of(only(&planned(&checked, &waiting(&json!({"migrations": {"databases": {DB: activity}}})))));
        assert_eq!((held(activity(3)), held(activity(0))), (Some(Gate::TlsClients), None));
        let seen = waiting(&json!({"sessions": {DB: sessions(1, NOW - 60)}}));
        assert_eq!(gate_of(only(&planned(OPEN, &seen))), Some(Gate::TlsClients), "a word covers what is not seen");
    }

    #[test]
    fn only_available_databases_are_rebooted_and_none_twice_a_day() {
        let busy = json!({"status": "backing-up", "parameterGroups": [{"name": "own", "applyStatus": "pending-reboot"}]});
        let plan = planned(OPEN, &waiting(&json!({"dbInstances": {DB: instance(DB, &busy)}})));
        assert_eq!(gate_of(only(&plan)), Some(Gate::NotReady));
        for (ago, expected) in [(60, Some(Gate::CallBudget)), (23 * 3600, Some(Gate::CallBudget)), (24 * 3600, None)] {
            let past = Past { reboots: BTreeMap::from([(Arn::parse(DB).unwrap(), NOW - ago)]), ..Past::default() };
            assert_eq!(gate_of(only(&planned_after(OPEN, &waiting(&json!({})), &past))), expected, "{ago} s ago");
        }
    }

    fn cluster(engine: &str, version: &str, members: &[(&str, bool, &str, &str)]) -> Inventory {
        let arn = |name: &str| format!("arn:aws:rds:us-east-1:111122223333:db:{name}");
        let of = |(name, _, _, status): &(&str, bool, &str, &str)| {
            let settings = json!({"engine": engine, "engineVersion": version, "status": status, "cluster": "ledger"});
            (arn(name), instance(&arn(name), &settings))
        };
        let listed: Vec<Value> = members
            .iter()
            .map(|(name, writer, group, _)| json!({"instance": name, "writer": writer, "parameterGroupStatus": group}))
            .collect();
        let cluster = json!({"arn": CLUSTER, "identifier": "ledger", "engine": engine, "engineVersion": version, "status": "available",
            "storageEncrypted": true, "parameterGroup": "own", "members": listed});
        off(&json!({"dbInstances": Value::Object(members.iter().map(of).collect()), "dbClusters": {CLUSTER: cluster},
            "dbParameterGroups": {}, "dbClusterParameterGroups": groups(&["own"], "1")}))
    }

    fn rebooted(plan: &Plan) -> (String, Option<Gate>) {
        let Some(Change::RebootDatabase { kind: _, database }) = &only(plan).change else { panic!("{plan:#?}") };
        (database.clone(), gate_of(only(plan)))
    }

    #[test]
    fn the_writer_goes_first_and_then_reader_after_reader() {
        const WAITS: &str = "pending-reboot";
        let aurora = |members: &[(&str, bool, &str, &str)]| planned(OPEN, &cluster("aurora-postgresql", "16.4", members));
        let all = [("a", false, WAITS, "available"), ("b", true, WAITS, "available"), ("c", false, WAITS, "available")];
        let plan = aurora(&all);
        assert_eq!(rebooted(&plan), ("b".to_owned(), None));
        assert!(only(&plan).summary.contains("2 more follow"), "{}", only(&plan).summary);
        // While the writer is away no reader goes too.
        let away = [("a", false, WAITS, "available"), ("b", true, WAITS, "rebooting"), ("c", false, WAITS, "available")];
        assert_eq!(rebooted(&aurora(&away)), ("b".to_owned(), Some(Gate::NotReady)));
        let next = [("a", false, WAITS, "available"), ("b", true, "in-sync", "available"), ("c", false, WAITS, "available")];
        assert_eq!(rebooted(&aurora(&next)), ("a".to_owned(), None));
        let reader_away = [("a", false, "in-sync", "rebooting"), ("b", true, "in-sync", "available"), ("c", false, WAITS, "available")];
        assert_eq!(rebooted(&aurora(&reader_away)), ("c".to_owned(), Some(Gate::NotReady)));
        assert_eq!(aurora(&[("b", true, "in-sync", "available")]).findings[0].state, State::Compliant);
    }

    #[test]
    fn what_aws_is_at_comes_before_what_waits() {
        let applying = [("a", false, "pending-reboot", "available"), ("b", true, "applying", "available")];
        let plan = planned(OPEN, &cluster("aurora-postgresql", "16.4", &applying));
        assert_eq!((plan.findings[0].state, plan.steps.len()), (State::Unknown, 0));
    }

    #[test]
    fn older_auroras_reboot_their_readers_with_the_writer() {
        let both = [("a", false, "pending-reboot", "available"), ("b", true, "pending-reboot", "available")];
        for (engine, version, with_readers) in [
            ("aurora-postgresql", "11.21", true),
            ("aurora-postgresql", "12.13", true),
            ("aurora-postgresql", "12.14", false),
            ("aurora-postgresql", "13.9", true),
            ("aurora-postgresql", "13.10", false),
            ("aurora-postgresql", "14.6", true),
            ("aurora-postgresql", "14.7", false),
            ("aurora-postgresql", "15.2", false),
            ("aurora-postgresql", "16.1", false),
            ("aurora-mysql", "5.7.mysql_aurora.2.09.3", true),
            ("aurora-mysql", "5.7.mysql_aurora.2.10.0", false),
            ("aurora-mysql", "8.0.mysql_aurora.3.05.2", false),
        ] {
            let plan = planned(OPEN, &cluster(engine, version, &both));
            assert_eq!(only(&plan).summary.contains("reboots its readers with the writer"), with_readers, "{engine} {version}");
        }
    }

    #[test]
    fn a_multi_az_cluster_is_rebooted_as_one() {
        let both = [("a", false, "pending-reboot", "available"), ("b", true, "pending-reboot", "available")];
        let plan = planned(OPEN, &cluster("postgres", "14.9", &both));
        assert_eq!((only(&plan).action.as_str(), rebooted(&plan)), ("RebootDBCluster", ("ledger".to_owned(), None)));
    }

    /// From a default group to TLS in force, each step made as the simulated AWS would show it.
    #[test]
    fn a_default_group_is_copied_attached_and_applied_pass_after_pass() {
        let default = json!({"parameterGroups": [{"name": "default.postgres14", "applyStatus": "in-sync"}]});
        let mut world =
            off(&json!({"dbInstances": {DB: instance(DB, &default)}, "dbParameterGroups": groups(&["default.postgres14"], "0")}));
        let mut past = Past::default();
        let mut made = Vec::new();
        for _ in 0..8 {
            let plan = planned_after(OPEN, &world, &past);
            let open: Vec<&Step> = plan.steps.iter().filter(|step| step.gate.is_none()).collect();
            let Some(step) = open.first() else { break };
            let change = step.change.as_ref().unwrap();
            assert_eq!(sim::standing(&world, &step.resource, change), sim::Standing::Before);
            sim::make(&mut world, &step.resource, change);
            assert_eq!(sim::standing(&world, &step.resource, change), sim::Standing::After);
            made.push(step.action.clone());
            if let Change::CreateParameterGroup { name, .. } = change {
                let arn = world.scope.arn("rds", &format!("pg:{name}"));
                past.parameter_groups_created.insert(arn, NOW - 299);
            }
            if matches!(change, Change::AttachParameterGroup { .. }) {
                assert_eq!(gate_of(only(&planned_after(OPEN, &world, &past))), Some(Gate::NotReady), "5 minutes have not passed");
                past.parameter_groups_created.values_mut().for_each(|at| *at = NOW - 300);
            }
        }
        assert_eq!(made, ["CreateDBParameterGroup", "ModifyDBInstance", "RebootDBInstance"]);
        let done = planned_after(OPEN, &world, &past);
        assert_eq!((done.findings[0].state, done.steps.len()), (State::Compliant, 0));
    }
}

mod authority {
    use super::*;

    const CA: &str = "rds: [{name: r, inTransit: {caCertificate: rds-ca-rsa2048-g1, reboot: inWindow, window: 'Sun 15:00-16:00 UTC'}}]";

    fn with(settings: &Value) -> Inventory {
        off(&json!({"dbInstances": {DB: instance(DB, settings)}}))
    }

    #[test]
    fn a_certificate_that_waits_for_a_restart_gets_one_in_the_window() {
        let settings = json!({"caCertificate": "rds-ca-2019", "pendingCaCertificate": "rds-ca-rsa2048-g1"});
        let mut world = with(&settings);
        let plan = planned(CA, &world);
        assert_eq!((only(&plan).action.as_str(), gate_of(only(&plan))), ("RebootDBInstance", None));
        let closed = CA.replace("Sun 15:00-16:00", "Mon 15:00-16:00");
        assert_eq!(gate_of(only(&planned(&closed, &world))), Some(Gate::Window));
        let never = CA.replace(", reboot: inWindow, window: 'Sun 15:00-16:00 UTC'", "");
        assert_eq!(gate_of(only(&planned(&never, &world))), Some(Gate::Manual));
        let step = only(&plan);
        sim::make(&mut world, &step.resource, step.change.as_ref().unwrap());
        assert_eq!(planned(CA, &world).findings[0].state, State::Compliant);
    }

    #[test]
    fn ends_are_told_of_the_instances_that_a_rule_covers() {
        let with_end = |arn: &str, end: Value| instance(arn, &json!({"caValidTill": end}));
        let two = off(&json!({"dbInstances": {DB: with_end(DB, json!(NOW)), OTHER: with_end(OTHER, json!(NOW + 1))}}));
        let set = policies("rds: [{name: r, match: {names: [orders]}, atRest: {encrypted: true}}]");
        let past = Past::default();
        let ends = crate::rds::certificate_ends(&Context { policies: &set, inventory: &two, now: NOW, past: &past });
        assert_eq!(ends, BTreeMap::from([("orders".to_owned(), NOW)]));
    }

    #[test]
    fn the_end_of_a_certificate_is_told_90_days_before() {
        const DAY: i64 = 24 * 3600;
        for (till, told) in [(NOW + 90 * DAY, false), (NOW + 90 * DAY - 1, true), (NOW - 1, true)] {
            let plan = planned(CA, &with(&json!({"caCertificate": "rds-ca-rsa2048-g1", "caValidTill": till})));
            let finding = &plan.findings[0];
            assert_eq!((finding.state, !finding.notes.is_empty()), (State::Compliant, told), "{till}");
        }
    }
}

mod proxies {
    use super::*;

    fn proxy(settings: &Value) -> Value {
        let base = json!({"arn": PROXY, "name": "front", "engineFamily": "POSTGRESQL", "status": "available", "requireTls": false, "databases": ["db:orders"]});
        json!({ PROXY: over(base, settings) })
    }

    fn clients(plain: u32) -> Value {
        json!({"clients": {"from": NOW - 7200, "to": NOW - 60, "mostPlain": plain, "most": 20}})
    }

    /// The database behind requires TLS already.
    fn behind(proxy: &Value) -> Inventory {
        off(&json!({"dbParameterGroups": groups(&["own"], "1"), "dbProxies": proxy}))
    }

    fn of<'a>(plan: &'a Plan, resource: &str) -> &'a Step {
        plan.steps.iter().find(|step| step.resource.as_str() == resource).unwrap()
    }

    #[test]
    fn a_proxy_requires_tls_where_nobody_connects_without() {
        let held = Some(Gate::TlsClients);
        for (settings, checked, vouched) in [
            (clients(0), None, None),
            (clients(2), held, held),
            // No data is not zero: a proxy's metrics appear with its first connection.
            (json!({"clients": null}), held, None),
            (json!({"clients": denied("GetMetricData", "cloudwatch:GetMetricData")}), held, None),
            (json!({}), held, None),
            (over(clients(0), &json!({"status": "modifying"})), Some(Gate::NotReady), Some(Gate::NotReady)),
        ] {
            let world = behind(&proxy(&settings));
            let plan = planned(CHECK_CLIENTS, &world);
            assert_eq!((only(&plan).action.as_str(), gate_of(only(&plan))), ("ModifyDBProxy", checked), "{settings}");
            assert_eq!(gate_of(only(&planned(VOUCHED, &world))), vouched, "{settings}");
        }
        let plan = planned(CHECK_CLIENTS, &behind(&proxy(&clients(2))));
        assert!(reason(&plan).contains("ClientConnectionsNoTLS") && notes(&plan, PROXY).contains("at most 20 connections"));
    }

    #[test]
    fn what_is_made_is_not_planned_again() {
        let mut world = behind(&proxy(&clients(0)));
        let plan = planned(CHECK_CLIENTS, &world);
        let step = only(&plan);
        let change = step.change.as_ref().unwrap();
        assert_eq!(sim::standing(&world, &step.resource, change), sim::Standing::Before);
        sim::make(&mut world, &step.resource, change);
        assert_eq!(sim::standing(&world, &step.resource, change), sim::Standing::After);
        assert!(planned(CHECK_CLIENTS, &world).steps.is_empty());
        world.forget(&step.resource);
        assert_eq!(sim::standing(&world, &step.resource, change), sim::Standing::Gone);
    }

    #[test]
    fn clients_of_an_unread_proxy_are_asked_for() {
        let plan = planned(CHECK_CLIENTS, &behind(&proxy(&json!({}))));
        assert!(plan.wanted_facts.contains(&Arn::parse(PROXY).unwrap()));
    }

    #[test]
    fn only_proxies_of_databases_that_must_require_tls_are_judged() {
        let elsewhere = planned(CHECK_CLIENTS, &behind(&proxy(&json!({"databases": ["db:of-nobody"]}))));
        assert!(elsewhere.steps.is_empty() && elsewhere.unmanaged.contains(&Arn::parse(PROXY).unwrap()));
        let not_asked = planned("rds: [{name: r, inTransit: {requireTls: false}}]", &behind(&proxy(&json!({}))));
        assert!(not_asked.findings.is_empty());
        let required = planned(CHECK_CLIENTS, &behind(&proxy(&json!({"requireTls": true}))));
        assert!(required.steps.is_empty() && required.findings.iter().all(|finding| finding.state == State::Compliant));
    }

    #[test]
    fn the_proxys_clients_come_before_the_databases() {
        let world = |settings: &Value| off(&json!({"dbProxies": proxy(settings), "migrations": {"databases": {DB: activity(0)}}}));
        let plan = planned(CHECK_CLIENTS, &world(&clients(0)));
        assert_eq!((gate_of(of(&plan, PROXY)), gate_of(of(&plan, DB))), (None, None));
        assert!(of(&plan, DB).needs.contains(&of(&plan, PROXY).id));
        let held = planned(CHECK_CLIENTS, &world(&clients(1)));
        assert_eq!((gate_of(of(&held, PROXY)), gate_of(of(&held, DB))), (Some(Gate::TlsClients), Some(Gate::Dependency)));
    }

    #[test]
    fn a_database_whose_proxies_are_not_known_is_left_alone() {
        let refused = denied("DescribeDBProxies", "rds:DescribeDBProxies");
        let not_read = Value::Null;
        let unread_targets = proxy(&json!({"databases": denied("DescribeDBProxyTargets", "rds:DescribeDBProxyTargets")}));
        for proxies in [refused, unread_targets, not_read] {
            let mut world = off(&json!({"migrations": {"databases": {DB: activity(0)}}}));
            world.db_proxies = if proxies.is_null() { crate::Reading::NotRead } else { serde_json::from_value(proxies.clone()).unwrap() };
            assert_eq!(gate_of(of(&planned(CHECK_CLIENTS, &world), DB)), Some(Gate::Unread), "{proxies}");
        }
    }
}
