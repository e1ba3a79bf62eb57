//! A plan for people: by service and resource, what is, what should be, what will be done or why not.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::Summary;
use crate::{Arn, Finding, Plan, Service, State, Step};

/// With or without colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// ANSI colours: for a terminal.
    Colour,
    /// Text alone.
    Plain,
}

/// How much to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// What is not as it should be.
    Deviations,
    /// Compliant findings too.
    Everything,
}

impl Paint {
    fn with(self, code: &str, text: &str) -> String {
        match self {
            Self::Colour => format!("\x1b[{code}m{text}\x1b[0m"),
            Self::Plain => text.to_owned(),
        }
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    pub(super) fn faint(self, text: &str) -> String {
        self.with("2", text)
    }

    pub(super) fn red(self, text: &str) -> String {
        self.with("31", text)
    }

    pub(super) fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    pub(super) fn yellow(self, text: &str) -> String {
        self.with("33", text)
    }
}

/// What a plan says of one resource.
type About<'a> = (Vec<&'a Finding>, Vec<&'a Step>);

const CHECK_WIDTH: usize = 32;

/// The readable plan, ending with a summary line.
pub fn text(plan: &Plan, paint: Paint, show: Show) -> String {
    let mut out = String::new();
    let mut by_resource: BTreeMap<(Service, &Arn), About<'_>> = BTreeMap::new();
    for finding in &plan.findings {
        by_resource.entry((finding.service, &finding.resource)).or_default().0.push(finding);
    }
    for step in &plan.steps {
        by_resource.entry((step.service, &step.resource)).or_default().1.push(step);
    }
    let mut heading = None;
    for ((service, resource), (findings, steps)) in by_resource {
        let worth_showing =
            show == Show::Everything || !steps.is_empty() || findings.iter().any(|finding| finding.state != State::Compliant);
        if !worth_showing {
            continue;
        }
        if heading != Some(service) {
            let _ = writeln!(out, "{}", paint.bold(title(service)));
            heading = Some(service);
        }
        write_resource(&mut out, paint, show, resource, &findings, &steps);
    }
    out.push_str(&summary_line(plan, paint));
    out
}

const fn title(service: Service) -> &'static str {
    match service {
        Service::Kms => "KMS keys",
        Service::S3 => "S3 buckets",
        Service::Sqs => "SQS queues",
        Service::Sns => "SNS topics",
        Service::Firehose => "Firehose streams",
        Service::Kinesis => "Kinesis streams",
        Service::Rds => "RDS databases",
    }
}

fn write_resource(out: &mut String, paint: Paint, show: Show, resource: &Arn, findings: &[&Finding], steps: &[&Step]) {
    let rule =
        findings.first().map(|finding| finding.rule.as_str()).or_else(|| steps.first().map(|step| step.rule.as_str())).unwrap_or_default();
    let _ = writeln!(out, "  {}  {}", paint.bold(resource.as_str()), paint.faint(&format!("rule {rule}")));
    for finding in findings {
        if show == Show::Everything || finding.state != State::Compliant || !finding.notes.is_empty() {
            write_finding(out, paint, finding);
        }
        for step in steps.iter().filter(|step| step.check == finding.check) {
            write_step(out, paint, step);
        }
    }
    for step in steps.iter().filter(|step| findings.iter().all(|finding| finding.check != step.check)) {
        write_step(out, paint, step);
    }
}

fn write_finding(out: &mut String, paint: Paint, finding: &Finding) {
    let check = format!("{:<CHECK_WIDTH$}", finding.check.id());
    let state = match finding.state {
        State::Compliant => paint.green("compliant"),
        State::Drifted => paint.red("drifted"),
        State::Exempt => paint.faint("exempt"),
        State::Unknown => paint.yellow("unknown"),
    };
    let _ = writeln!(out, "    {check} {state}");
    match finding.state {
        State::Drifted => {
            let _ = writeln!(out, "      {} {}", paint.red("- is    "), finding.actual);
            let _ = writeln!(out, "      {} {}", paint.green("+ wanted"), finding.expected);
        }
        State::Compliant | State::Exempt | State::Unknown => {
            if !finding.actual.is_empty() {
                let _ = writeln!(out, "        {}", finding.actual);
            }
        }
    }
    if !finding.message.is_empty() {
        let _ = writeln!(out, "        {}", finding.message);
    }
    for note in &finding.notes {
        let _ = writeln!(out, "        {}", paint.faint(&format!("note: {note}")));
    }
}

fn write_step(out: &mut String, paint: Paint, step: &Step) {
    match &step.gate {
        None => {
            let risk = match step.risk.id() {
                "none" => String::new(),
                risk => format!(" [{risk}]"),
            };
            let _ = writeln!(out, "      {} {}: {}{risk}", paint.yellow("~ step  "), step.action, step.summary);
        }
        Some(block) => {
            let _ = writeln!(out, "      {} {}: {}", paint.faint("! blocked"), step.action, step.summary);
            let _ = writeln!(out, "          {} {}", paint.yellow(&format!("{}:", block.name)), block.reason);
        }
    }
}

/// `Plan: 3 to change, 1 blocked. 10 compliant, 4 drifted, 0 exempt, 1 unknown, 2 unmanaged.`
fn summary_line(plan: &Plan, paint: Paint) -> String {
    let Summary { compliant, drifted, exempt, unknown, unmanaged } = Summary::of(plan);
    let blocked = plan.steps.iter().filter(|step| step.gate.is_some()).count();
    let open = plan.steps.len() - blocked;
    let plan = paint.bold(&format!("Plan: {open} to change, {blocked} blocked."));
    format!("{plan} {compliant} compliant, {drifted} drifted, {exempt} exempt, {unknown} unknown, {unmanaged} unmanaged.\n")
}
