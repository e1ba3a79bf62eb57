//! What `Filters`, `MaxRecords` and `Marker` do to a listing.

use std::ops::Bound;

use super::errors;
use crate::error::ApiError;
use crate::wire::query::Form;
use crate::wire::xml::Element;

/// The filters of a request: names with the values that pass.
pub(super) struct Filters(Vec<(String, Vec<String>)>);

impl Filters {
    /// Reads the filters; a name that the operation does not know is refused.
    pub(super) fn of(form: &Form, known: &[&str]) -> Result<Self, ApiError> {
        let mut filters = Vec::new();
        for filter in form.list("Filters.Filter") {
            let name = filter.need("Name")?.to_owned();
            if !known.contains(&name.as_str()) {
                return Err(errors::value(format!("Unrecognized filter name: {name}")));
            }
            let values = filter.values("Values.Value");
            filters.push((name, values));
        }
        Ok(Self(filters))
    }

    /// Every filter lets something through that has these properties. Identifiers may be written as ARNs.
    pub(super) fn pass(&self, property: impl Fn(&str) -> String) -> bool {
        self.0.iter().all(|(name, values)| {
            let actual = property(name);
            values.iter().any(|value| value.eq_ignore_ascii_case(&actual) || is_arn_of(value, &actual))
        })
    }
}

fn is_arn_of(value: &str, identifier: &str) -> bool {
    value.starts_with("arn:") && value.rsplit(':').next().is_some_and(|last| last.eq_ignore_ascii_case(identifier))
}

/// The last part of an ARN, or the text itself, in the case that RDS keeps identifiers in.
pub(super) fn identifier(text: &str) -> String {
    let name = if text.starts_with("arn:") { text.split(':').skip(6).collect::<Vec<_>>().join(":") } else { text.to_owned() };
    name.to_ascii_lowercase()
}

/// Where a page begins and how long it may be. [rds:DescribeDBInstances `MaxRecords`: 20 to 100, default 100]
pub(super) struct Page<'a> {
    after: Option<&'a str>,
    most: usize,
}

impl<'a> Page<'a> {
    pub(super) fn of(form: &'a Form) -> Result<Self, ApiError> {
        let most = match form.get("MaxRecords") {
            None => 100,
            Some(text) => match text.parse() {
                Ok(number @ 20..=100) => number,
                _ => return Err(errors::value(format!("Invalid value {text} for MaxRecords. Must be between 20 and 100"))),
            },
        };
        Ok(Self { after: form.get("Marker").filter(|marker| !marker.is_empty()), most })
    }

    /// Where a sorted map is to be read from.
    pub(super) fn from(&self) -> (Bound<&'a str>, Bound<&'a str>) {
        (self.after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded)
    }

    /// The result element: a list of this page's elements, and the marker where there is more.
    pub(super) fn listed(&self, list: &'static str, mut rows: impl Iterator<Item = (String, Element)>) -> Element {
        let mut page = Element::new(list);
        let mut marker = None;
        for (name, element) in rows.by_ref().take(self.most) {
            page = page.child(element);
            marker = Some(name);
        }
        let marker = rows.next().and(marker);
        Element::default().child(page).maybe("Marker", marker)
    }
}
