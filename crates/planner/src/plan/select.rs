//! Which rule a resource falls under: the first that matches, whole.

use std::collections::BTreeMap;

use crate::Reading;
use crate::inventory::Unreadable;
use crate::policy::model::{
    BucketRule, DataStreamRule, DatabaseRule, DeliveryStreamRule, EncryptionPolicy, Mode, QueueRule, Spec, TopicRule,
};

/// What all rules have in common.
pub(crate) trait Rule {
    /// Its name.
    fn name(&self) -> &str;
    /// Its own mode.
    fn mode(&self) -> Option<Mode>;
    /// Name patterns; `None` = every name.
    fn names(&self) -> Option<&[String]>;
    /// Excluded name patterns.
    fn exclude(&self) -> &[String];
    /// Wanted tags.
    fn tags(&self) -> &BTreeMap<String, String>;
    /// Engine patterns; `None` = every engine.
    fn engines(&self) -> Option<&[String]> {
        None
    }
}

macro_rules! impl_rule {
    ($($name:ident),+) => { $(impl Rule for $name {
        fn name(&self) -> &str { &self.name }
        fn mode(&self) -> Option<Mode> { self.mode }
        fn names(&self) -> Option<&[String]> { self.matches.names.as_deref() }
        fn exclude(&self) -> &[String] { &self.matches.exclude }
        fn tags(&self) -> &BTreeMap<String, String> { &self.matches.tags }
    })+ };
}
impl_rule!(BucketRule, QueueRule, TopicRule, DeliveryStreamRule, DataStreamRule);

impl Rule for DatabaseRule {
    fn name(&self) -> &str {
        &self.name
    }
    fn mode(&self) -> Option<Mode> {
        self.mode
    }
    fn names(&self) -> Option<&[String]> {
        self.matches.names.as_deref()
    }
    fn exclude(&self) -> &[String] {
        &self.matches.exclude
    }
    fn tags(&self) -> &BTreeMap<String, String> {
        &self.matches.tags
    }
    fn engines(&self) -> Option<&[String]> {
        self.matches.engines.as_deref()
    }
}

/// The outcome of looking for a rule.
pub(crate) enum Selection<'a, R> {
    /// This one.
    Rule(Selected<'a, R>),
    /// The rule would match if its tags do, and the resource's tags are not known.
    CannotTell(Selected<'a, R>, Option<Unreadable>),
    /// None matches.
    Unmanaged,
}

/// A rule, where it stands, and whether it may change anything.
#[derive(Debug)]
pub(crate) struct Selected<'a, R> {
    pub(crate) policy: &'a EncryptionPolicy,
    pub(crate) rule: &'a R,
}

impl<R: Rule> Selected<'_, R> {
    /// The narrower of the policy's and the rule's mode.
    pub(crate) fn mode(&self) -> Mode {
        self.policy.spec.mode.min(self.rule.mode().unwrap_or(Mode::Enforce))
    }
}

pub(crate) fn select<'a, R: Rule + 'a>(
    policies: impl Iterator<Item = &'a EncryptionPolicy>,
    rules: impl Fn(&'a Spec) -> &'a [R],
    name: &str,
    engine: &str,
    tags: &Reading<BTreeMap<String, String>>,
) -> Selection<'a, R> {
    for policy in policies {
        for rule in rules(&policy.spec) {
            let named = rule.names().is_none_or(|patterns| patterns.iter().any(|pattern| glob(pattern, name)));
            let excluded = rule.exclude().iter().any(|pattern| glob(pattern, name));
            let of_engine = rule.engines().is_none_or(|patterns| patterns.iter().any(|pattern| glob(pattern, engine)));
            if !named || excluded || !of_engine {
                continue;
            }
            let selected = Selected { policy, rule };
            if rule.tags().is_empty() {
                return Selection::Rule(selected);
            }
            match tags {
                Reading::Known(tags) => {
                    let tagged = rule.tags().iter().all(|(key, pattern)| tags.get(key).is_some_and(|value| glob(pattern, value)));
                    if tagged {
                        return Selection::Rule(selected);
                    }
                }
                Reading::Unreadable { unreadable } => return Selection::CannotTell(selected, Some(unreadable.clone())),
                Reading::NotRead => return Selection::CannotTell(selected, None),
            }
        }
    }
    Selection::Unmanaged
}

/// `*` is any run of characters, `?` exactly one; case counts.
pub fn glob(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        if p < pattern.len() && pattern[p] == '*' {
            retry = Some((p, t));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == '?' || pattern[p] == text[t]) {
            p += 1;
            t += 1;
        } else if let Some((star, from)) = retry {
            retry = Some((star, from + 1));
            p = star + 1;
            t = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}
