//! Whether patterns match everything that another pattern can match.
//!
//! A `true` is a proof; what cannot be proven cheaply is `false`. The proof looks for a text that the
//! narrow pattern accepts and the wide ones do not, by running the narrow pattern's automaton against
//! the set of states that the wide ones can be in.

use std::collections::HashSet;

use crate::plan::select::glob;

/// Pairs of states that a proof may visit; real patterns need a few dozen.
const MAX_STATES: usize = 4_000;
/// Longest pattern that is looked into: names in AWS have at most 256 characters.
const MAX_LENGTH: usize = 256;

/// Alternatives, one of which must match; compiled once, because each rule is compared with all before it.
#[derive(Debug)]
pub(super) struct Patterns(Vec<Pattern>);

#[derive(Debug)]
struct Pattern {
    text: String,
    /// Bytes before the first wildcard.
    start: usize,
    /// Bytes after the last wildcard.
    end: usize,
    /// Whether it has a wildcard at all.
    open: bool,
}

impl Patterns {
    pub(super) fn new<'a>(patterns: impl IntoIterator<Item = &'a String>) -> Self {
        Self(patterns.into_iter().map(|pattern| Pattern::new(pattern)).collect())
    }

    /// Whether every text that one of `narrow` matches is matched by one of these.
    pub(super) fn cover(&self, narrow: &Self) -> bool {
        narrow.0.iter().all(|pattern| self.cover_one(pattern))
    }

    fn cover_one(&self, narrow: &Pattern) -> bool {
        if !narrow.open {
            return self.0.iter().any(|wide| wide.may_cover(narrow) && glob(&wide.text, &narrow.text));
        }
        // A text of narrow's with characters that nobody names in all its open places: who does not match
        // that one does not matter here, and most rules are told apart by it.
        if !self.0.iter().any(|wide| wide.may_cover(narrow)) {
            return false;
        }
        if self.0.iter().any(|wide| wide.text == narrow.text || wide.matches_all()) {
            return true;
        }
        let readable = |pattern: &Pattern| pattern.text.len() <= MAX_LENGTH && !pattern.text.contains(END);
        readable(narrow) && self.0.iter().all(readable) && prove(&self.0, &narrow.text)
    }
}

impl Pattern {
    fn new(text: &str) -> Self {
        let start = text.find(['*', '?']);
        let end = text.rfind(['*', '?']).map_or(text.len(), |last| text.len() - last - 1);
        Self { text: text.to_owned(), start: start.unwrap_or(text.len()), end, open: start.is_some() }
    }

    fn matches_all(&self) -> bool {
        self.open && self.text.bytes().all(|b| b == b'*')
    }

    /// False if its fixed beginning or end contradicts `narrow`, or asks for characters that narrow leaves open.
    fn may_cover(&self, narrow: &Self) -> bool {
        let (wide, narrow_text) = (self.text.as_bytes(), narrow.text.as_bytes());
        let starts = self.start <= narrow.start && wide[..self.start] == narrow_text[..self.start];
        starts && self.end <= narrow.end && wide[wide.len() - self.end..] == narrow_text[narrow_text.len() - self.end..]
    }
}

/// States of the wide patterns: positions in all of them, one after the other.
type States = Vec<usize>;

fn prove(wide: &[Pattern], narrow: &str) -> bool {
    let narrow: Vec<char> = narrow.chars().collect();
    let wide = Wide::new(wide);
    // Every character that no pattern names behaves the same: one of them stands for all.
    let mut alphabet: Vec<Option<char>> = wide.symbols.iter().chain(&narrow).filter_map(|c| letter(*c)).map(Some).collect();
    alphabet.push(None);
    alphabet.sort_unstable();
    alphabet.dedup();

    let first = (0, wide.start());
    let mut seen = HashSet::from([first.clone()]);
    let mut open = vec![first];
    while let Some((position, states)) = open.pop() {
        if narrow[position..].iter().all(|c| *c == '*') && !wide.accepts(&states) {
            return false;
        }
        for symbol in &alphabet {
            let next = wide.step(&states, *symbol);
            for position in successors(&narrow, position, *symbol) {
                let pair = (position, next.clone());
                if seen.insert(pair.clone()) {
                    open.push(pair);
                }
            }
        }
        if seen.len() > MAX_STATES {
            return false;
        }
    }
    true
}

fn letter(symbol: char) -> Option<char> {
    (!matches!(symbol, '*' | '?' | END)).then_some(symbol)
}

/// Where a pattern can be after one more character.
fn successors(pattern: &[char], mut position: usize, symbol: Option<char>) -> Vec<usize> {
    let mut next = Vec::new();
    while let Some(c) = pattern.get(position) {
        match c {
            '*' => next.push(position),
            '?' => next.push(position + 1),
            c if Some(*c) == symbol => next.push(position + 1),
            _ => {}
        }
        if *c != '*' {
            break;
        }
        position += 1;
    }
    next
}

/// Several patterns as one automaton.
struct Wide {
    /// The patterns, each followed by the end mark, which no pattern contains.
    symbols: Vec<char>,
    starts: Vec<usize>,
}

const END: char = '\0';

impl Wide {
    fn new(patterns: &[Pattern]) -> Self {
        let mut wide = Self { symbols: Vec::new(), starts: Vec::new() };
        for pattern in patterns {
            wide.starts.push(wide.symbols.len());
            wide.symbols.extend(pattern.text.chars());
            wide.symbols.push(END);
        }
        wide
    }

    fn start(&self) -> States {
        self.starts.clone()
    }

    fn accepts(&self, states: &States) -> bool {
        states.iter().any(|state| self.symbols[*state..].iter().find(|c| **c != '*') == Some(&END))
    }

    fn step(&self, states: &States, symbol: Option<char>) -> States {
        let mut next: States = states.iter().flat_map(|state| successors(&self.symbols, *state, symbol)).collect();
        next.sort_unstable();
        next.dedup();
        next
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn covered(wide: &[&str], narrow: &str) -> bool {
        let wide: Vec<String> = wide.iter().map(ToString::to_string).collect();
        Patterns::new(&wide).cover(&Patterns::new([&narrow.to_owned()]))
    }

    #[test]
    fn proves_what_is_contained() {
        for (wide, narrow) in [
            (&["*"][..], "finance-*"),
            (&["**"], "?"),
            (&["finance-*"], "finance-*"),
            (&["finance-*"], "finance-eu-*"),
            (&["finance-*"], "finance-ledger"),
            (&["*-logs"], "finance-*-logs"),
            (&["?*"], "*?"),
            (&["?*"], "*a"),
            (&["*a*"], "?a"),
            (&["f*", "g*"], "g?"),
            // Neither alone, both together: every text is empty or begins with some character.
            (&["", "?*"], "*"),
        ] {
            assert!(covered(wide, narrow), "{wide:?} ⊇ {narrow}");
        }
    }

    #[test]
    fn never_claims_what_is_not_contained() {
        for (wide, narrow) in [
            (&["finance-*"][..], "*"),
            (&["finance-*"], "f*"),
            (&["finance-*"], "finance*"),
            (&["finance-*"], "Finance-a"),
            (&["finance-?"], "finance-*"),
            (&["*-logs"], "*"),
            (&["a*b"], "a*"),
            (&["?"], "*"),
            (&["f*", "g*"], "?*"),
            (&[], "a"),
            (&[""], "*"),
        ] {
            assert!(!covered(wide, narrow), "{wide:?} ⊇ {narrow}");
        }
    }

    #[test]
    fn gives_up_on_what_would_take_long() {
        let wide = format!("*{}*", "a?".repeat(100));
        assert!(!covered(&[&wide], &format!("*{}*", "?a".repeat(100))));
    }

    proptest! {
        /// Checked against trying every text of up to five characters over `a`, `b` and a third.
        #[test]
        fn agrees_with_trying_all_short_texts(wide in proptest::collection::vec("[ab*?]{0,4}", 0..3), narrow in "[ab*?]{0,3}") {
            let texts = (0..=5).flat_map(|length| (0..3_usize.pow(length)).map(move |n| {
                (0..length).map(|i| ['a', 'b', 'c'][n / 3_usize.pow(i) % 3]).collect::<String>()
            }));
            let counterexample = texts.into_iter().find(|text| glob(&narrow, text) && !wide.iter().any(|pattern| glob(pattern, text)));
            if Patterns::new(&wide).cover(&Patterns::new([&narrow])) {
                prop_assert_eq!(counterexample, None);
            } else {
                // Patterns of four symbols differ, if at all, on a text of at most five.
                prop_assert!(counterexample.is_some());
            }
        }
    }
}
