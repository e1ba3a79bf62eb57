//! XML: elements to write, and documents read into the same elements.

use std::borrow::Cow;

use quick_xml::events::Event;
use quick_xml::{Reader, escape};

use crate::error::ApiError;
use crate::http::Reply;

/// An element.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Element {
    name: Cow<'static, str>,
    attributes: Vec<(Cow<'static, str>, String)>,
    content: String,
    children: Vec<Element>,
}

impl Element {
    /// An element without content.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// The same under another name.
    #[must_use]
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// The same with text of its own.
    #[must_use]
    pub fn with_content(mut self, text: &str) -> Self {
        text.clone_into(&mut self.content);
        self
    }

    /// The same with an attribute.
    #[must_use]
    pub fn attribute(mut self, name: impl Into<Cow<'static, str>>, value: &str) -> Self {
        self.attributes.push((name.into(), value.to_owned()));
        self
    }

    /// The same with a child.
    #[must_use]
    pub fn child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    /// The same with children.
    #[must_use]
    pub fn children(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    /// The same with a child that holds text.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "callers hand over texts, numbers and booleans alike")]
    pub fn text(self, name: impl Into<Cow<'static, str>>, text: impl ToString) -> Self {
        self.child(Self { name: name.into(), content: text.to_string(), ..Self::default() })
    }

    /// The same with a child that holds text, where there is one.
    #[must_use]
    pub fn maybe(self, name: impl Into<Cow<'static, str>>, text: Option<impl ToString>) -> Self {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    /// It has neither text nor children.
    pub fn is_empty(&self) -> bool {
        self.content.is_empty() && self.children.is_empty()
    }

    /// Its local name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its text.
    pub fn content(&self) -> &str {
        &self.content
    }

    /// Its children of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> + 'a {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Its first child of a name.
    pub fn first(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Text of its first child of a name.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.first(name).map(Self::content)
    }

    /// Text at a path of names: `a/b/c`.
    pub fn at(&self, path: &str) -> Option<&str> {
        path.split('/').try_fold(self, |element, name| element.first(name)).map(Self::content)
    }

    /// The element as a document.
    pub fn document(&self) -> String {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        out.push('<');
        out.push_str(&self.name);
        for (name, value) in &self.attributes {
            out.push(' ');
            out.push_str(name);
            out.push_str("=\"");
            out.push_str(&escape::escape(value.as_str()));
            out.push('"');
        }
        if self.is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        out.push_str(&escape::escape(self.content.as_str()));
        for child in &self.children {
            child.write(out);
        }
        out.push_str("</");
        out.push_str(&self.name);
        out.push('>');
    }

    /// Reads a document; namespaces are dropped. `None`: it is not well formed.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut reader = Reader::from_reader(text);
        let mut open: Vec<Self> = vec![Self::default()];
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) => open.push(Self::new(local_name(start.local_name().as_ref())?)),
                Event::Empty(empty) => {
                    let element = Self::new(local_name(empty.local_name().as_ref())?);
                    open.last_mut()?.children.push(element);
                }
                Event::End(_) => {
                    let mut element = open.pop()?;
                    if !element.children.is_empty() {
                        element.content.clear();
                    }
                    open.last_mut()?.children.push(element);
                }
                Event::Text(text) => open.last_mut()?.content.push_str(&text.decode().ok()?),
                Event::CData(text) => open.last_mut()?.content.push_str(&text.decode().ok()?),
                Event::GeneralRef(reference) => open.last_mut()?.content.push_str(&referenced(&reference)?),
                Event::Eof => break,
                _ => {}
            }
        }
        let mut root = open.pop().filter(|_| open.is_empty())?;
        (root.children.len() == 1).then(|| root.children.remove(0))
    }
}

fn local_name(name: &[u8]) -> Option<String> {
    String::from_utf8(name.to_vec()).ok()
}

fn referenced(reference: &quick_xml::events::BytesRef<'_>) -> Option<String> {
    if let Some(character) = reference.resolve_char_ref().ok()? {
        return Some(character.to_string());
    }
    let name = reference.decode().ok()?;
    escape::resolve_predefined_entity(&name).map(str::to_owned)
}

/// A document as an answer.
pub fn reply(status: u16, root: &Element) -> Reply {
    Reply::new(status, "application/xml", root.document())
}

/// An error as S3 writes it.
pub fn error(error: &ApiError) -> Reply {
    let mut body = Element::new("Error").text("Code", &error.code).text("Message", &error.message);
    for (name, value) in &error.details {
        body = body.text(*name, value);
    }
    reply(error.status, &body.text("RequestId", "0000000000000000"))
}
