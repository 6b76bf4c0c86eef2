//! A page as a person reads it, without a screen: texts, labels, buttons, forms.

use std::collections::{BTreeMap, BTreeSet};

use scraper::{ElementRef, Html, Node, Selector};
use url::Url;

use crate::plain;

/// A page, and what the person has done to it so far.
pub(crate) struct Page {
    html: Html,
    pub(crate) url: Url,
    /// Whether the page keeps from others where its requests come from.
    pub(crate) no_referrer: bool,
    typed: BTreeMap<usize, String>,
    chosen: BTreeMap<String, usize>,
    opened: BTreeSet<usize>,
}

/// What a click leads to.
pub(crate) enum Click {
    /// A link to follow.
    Follow(Url),
    /// Something on the page opened.
    Opened,
    /// A form to send.
    Send(Submission),
}

/// A form as a browser sends it.
#[derive(Clone, Debug)]
pub(crate) struct Submission {
    pub(crate) is_post: bool,
    pub(crate) url: Url,
    pub(crate) fields: Vec<(String, String)>,
}

/// Elements that do not break a line of text.
const INLINE: [&str; 10] = [
    "a", "b", "code", "em", "i", "small", "span", "strong", "sub", "time",
];
/// Elements nobody reads.
const UNREAD: [&str; 6] = ["head", "noscript", "script", "style", "svg", "template"];
/// Inputs that are no field to write in.
const NO_FIELDS: [&str; 6] = ["button", "hidden", "image", "reset", "submit", "file"];

impl Page {
    pub(crate) fn new(url: Url, html: &str, no_referrer: bool) -> Self {
        Self {
            html: Html::parse_document(html),
            url,
            no_referrer,
            typed: BTreeMap::new(),
            chosen: BTreeMap::new(),
            opened: BTreeSet::new(),
        }
    }

    /// All that can be read.
    pub(crate) fn text(&self) -> String {
        self.read(self.html.root_element())
    }

    pub(crate) fn types(&mut self, label: &str, text: &str) {
        let field = self.index(self.field(label));
        self.typed.insert(field, text.to_owned());
    }

    pub(crate) fn chooses(&mut self, label: &str) {
        let field = self.field(label);
        let name = field.attr("name").unwrap_or_default().to_owned();
        let index = self.index(field);
        self.chosen.insert(name, index);
    }

    pub(crate) fn value(&self, label: &str) -> String {
        self.value_of(self.field(label))
    }

    pub(crate) fn clicks(&mut self, text: &str) -> Click {
        let all = self.all("button, a[href], summary, input[type=submit]");
        let Some(found) = self.best(&all, text, |element| self.read(element)) else {
            panic!(
                "nothing to click says « {text} » on {}:\n{}",
                self.url,
                self.text()
            );
        };
        match found.value().name() {
            "a" => Click::Follow(self.join(found.attr("href").unwrap_or_default())),
            "summary" => {
                let details = found
                    .parent()
                    .and_then(ElementRef::wrap)
                    .map(|one| self.index(one));
                self.opened.extend(details);
                Click::Opened
            }
            _ => Click::Send(self.submission(found)),
        }
    }

    pub(crate) fn link(&self, beginning: &str) -> Option<String> {
        let links = self.all("a[href]");
        let mut hrefs = links.into_iter().filter_map(|link| link.attr("href"));
        hrefs
            .find(|href| href.starts_with(beginning))
            .map(str::to_owned)
    }

    /// The value of the first attribute of this name.
    pub(crate) fn attribute(&self, name: &str) -> Option<String> {
        let found = self.all(&format!("[{name}]"));
        found
            .first()
            .and_then(|element| element.attr(name))
            .map(str::to_owned)
    }

    /// Whether a picture is there that is said to be a QR code.
    pub(crate) fn has_qr(&self) -> bool {
        let pictures = self.all("[role=img][aria-label] svg");
        !pictures.is_empty()
    }

    /// The primary form as it would be sent now, whatever is missing in it.
    pub(crate) fn form(&self) -> Submission {
        match self.all("main form").first().or(self.all("form").first()) {
            Some(form) => self.sent(*form, None),
            None => panic!("no form on {}:\n{}", self.url, self.text()),
        }
    }

    /// The form that the page's script sends as soon as it is there.
    pub(crate) fn sent_by_itself(&self) -> Option<Submission> {
        let scripts = self.all("script[src='/static/onward.js']");
        let form = self.all("form#onward").into_iter().next();
        form.filter(|_| !scripts.is_empty())
            .map(|form| self.sent(form, None))
    }

    fn all(&self, selector: &str) -> Vec<ElementRef<'_>> {
        match Selector::parse(selector) {
            Ok(selector) => self.html.select(&selector).collect(),
            Err(error) => panic!("the selector `{selector}`: {error}"),
        }
    }

    fn index(&self, element: ElementRef<'_>) -> usize {
        let position = self
            .html
            .tree
            .nodes()
            .position(|node| node.id() == element.id());
        position.unwrap_or(usize::MAX)
    }

    fn join(&self, reference: &str) -> Url {
        match self.url.join(reference) {
            Ok(url) => url,
            Err(error) => panic!("`{reference}` on {}: {error}", self.url),
        }
    }

    fn read(&self, element: ElementRef<'_>) -> String {
        let mut text = String::new();
        self.walk(element, &mut text);
        plain(&text)
    }

    fn walk(&self, element: ElementRef<'_>, text: &mut String) {
        let name = element.value().name();
        if UNREAD.contains(&name) || element.attr("hidden").is_some() {
            return;
        }
        let inline = INLINE.contains(&name);
        let closed = name == "details"
            && element.attr("open").is_none()
            && !self.opened.contains(&self.index(element));
        if !inline {
            text.push(' ');
        }
        for child in element.children() {
            if let Node::Text(piece) = child.value() {
                if !closed {
                    text.push_str(piece);
                }
            } else if let Some(child) = ElementRef::wrap(child)
                && (!closed || child.value().name() == "summary")
            {
                self.walk(child, text);
            }
        }
        if !inline {
            text.push(' ');
        }
    }

    /// The one whose text is, or begins with, what was said; inside the main part first.
    fn best<'a>(
        &self,
        all: &[ElementRef<'a>],
        said: &str,
        reads: impl Fn(ElementRef<'a>) -> String,
    ) -> Option<ElementRef<'a>> {
        let said = plain(said);
        let read: Vec<(ElementRef<'a>, String)> = all
            .iter()
            .map(|element| (*element, reads(*element)))
            .collect();
        let rank = |element: ElementRef<'a>, text: &str| {
            let begins = text
                .strip_prefix(said.as_str())
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()));
            let outside = usize::from(!is_within(element, "main"));
            match (text == said, begins) {
                (true, _) => Some(outside),
                (false, true) => Some(2 + outside),
                _ => None,
            }
        };
        let ranked = read
            .iter()
            .filter_map(|(element, text)| Some((rank(*element, text)?, *element)));
        ranked
            .min_by_key(|(rank, _)| *rank)
            .map(|(_, element)| element)
    }

    /// The field of a label: by `for`, by being inside, or by `aria-label`.
    fn field(&self, label: &str) -> ElementRef<'_> {
        let labels = self.all("label");
        if let Some(found) = self.best(&labels, label, |element| self.read(element)) {
            let fields = match found.attr("for") {
                Some(id) => self.all(&format!("[id=\"{id}\"]")),
                None => self.all("label input, label select, label textarea"),
            };
            let mut fields = fields.into_iter().filter(|field| {
                found.attr("for").is_some() || field.ancestors().any(|one| one.id() == found.id())
            });
            if let Some(field) = fields.next() {
                return field;
            }
        }
        let labelled = self.all("input[aria-label], textarea[aria-label], select[aria-label]");
        let reads = |element: ElementRef<'_>| plain(element.attr("aria-label").unwrap_or_default());
        match self.best(&labelled, label, reads) {
            Some(field) => field,
            None => panic!(
                "no field has the label « {label} » on {}:\n{}",
                self.url,
                self.text()
            ),
        }
    }

    fn value_of(&self, field: ElementRef<'_>) -> String {
        let given = || match field.value().name() {
            "textarea" => field.text().collect(),
            _ => field.attr("value").unwrap_or_default().to_owned(),
        };
        self.typed
            .get(&self.index(field))
            .cloned()
            .unwrap_or_else(given)
    }

    fn submission(&self, button: ElementRef<'_>) -> Submission {
        let Some(form) = ancestor(button, "form") else {
            panic!(
                "the button « {} » on {} belongs to no form",
                self.read(button),
                self.url
            );
        };
        let missing = self.fields_of(form).into_iter().find(|field| {
            field.attr("required").is_some()
                && field.attr("type") != Some("radio")
                && self.value_of(*field).is_empty()
        });
        if let Some(field) = missing {
            let name = field.attr("name").unwrap_or_default();
            panic!(
                "a browser does not send the form: `{name}` on {} is empty",
                self.url
            );
        }
        self.sent(form, Some(button))
    }

    fn sent(&self, form: ElementRef<'_>, button: Option<ElementRef<'_>>) -> Submission {
        let mut fields = Vec::new();
        for field in self.fields_of(form) {
            let Some(name) = field.attr("name").filter(|name| !name.is_empty()) else {
                continue;
            };
            let kind = field.attr("type").unwrap_or("text");
            let ticked = match self.chosen.get(name) {
                Some(chosen) => *chosen == self.index(field),
                None => field.attr("checked").is_some(),
            };
            match kind {
                "radio" | "checkbox" if !ticked => {}
                "radio" | "checkbox" => {
                    let value = field.attr("value").unwrap_or("on");
                    fields.push((name.to_owned(), value.to_owned()));
                }
                kind if kind != "hidden" && NO_FIELDS.contains(&kind) => {}
                _ => fields.push((name.to_owned(), self.value_of(field))),
            }
        }
        if let Some(name) = button.and_then(|button| button.attr("name")) {
            let value = button
                .and_then(|button| button.attr("value"))
                .unwrap_or_default();
            fields.push((name.to_owned(), value.to_owned()));
        }
        Submission {
            is_post: form
                .attr("method")
                .is_some_and(|method| method.eq_ignore_ascii_case("post")),
            url: self.join(form.attr("action").unwrap_or_default()),
            fields,
        }
    }

    fn fields_of<'a>(&'a self, form: ElementRef<'a>) -> Vec<ElementRef<'a>> {
        let fields = self.all("input, textarea, select");
        let inside = |field: &ElementRef<'_>| {
            field.attr("disabled").is_none() && field.ancestors().any(|one| one.id() == form.id())
        };
        fields.into_iter().filter(inside).collect()
    }
}

fn ancestor<'a>(element: ElementRef<'a>, name: &str) -> Option<ElementRef<'a>> {
    element
        .ancestors()
        .filter_map(ElementRef::wrap)
        .find(|one| one.value().name() == name)
}

fn is_within(element: ElementRef<'_>, name: &str) -> bool {
    ancestor(element, name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<!doctype html><title>T</title><body><nav><a href="/away">Senden</a></nav>
        <main><h1>Titel</h1><p>Eins<b>zwei</b></p><p>drei</p><svg><title>QR</title></svg>
        <details><summary>Mehr</summary><p>Verborgen</p></details>
        <form method="post" action="/login?a=b"><input type="hidden" name="ticket" value="t">
        <label for="u">Name</label><small>Hinweis</small><input id="u" name="username" value="anna">
        <label>Code <input name="code"></label>
        <label for="s"><input type="radio" id="s" name="method" value="sms"> SMS per Telefon</label>
        <label for="p"><input type="radio" id="p" name="method" value="app" checked> App</label>
        <button name="action" value="go">Senden</button></form></main>"#;

    fn page() -> Page {
        Page::new("http://localhost/x/y".parse().unwrap(), PAGE, false)
    }

    #[test]
    fn a_person_reads_words_not_markup_and_opens_what_is_closed() {
        let mut page = page();
        assert!(
            page.text().contains("Titel Einszwei drei Mehr Name"),
            "{}",
            page.text()
        );
        assert!(!page.text().contains("Verborgen"));
        assert!(matches!(page.clicks("Mehr"), Click::Opened));
        assert!(page.text().contains("Verborgen"));
    }

    #[test]
    fn a_form_is_sent_as_a_browser_sends_it() {
        let mut page = page();
        page.types("Code", "123 456");
        page.chooses("SMS");
        let Click::Send(sent) = page.clicks("Senden") else {
            panic!("no form")
        };
        assert!(sent.is_post);
        assert_eq!(sent.url.as_str(), "http://localhost/login?a=b");
        let fields: Vec<(&str, &str)> = sent
            .fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let expected = [
            ("ticket", "t"),
            ("username", "anna"),
            ("code", "123 456"),
            ("method", "sms"),
            ("action", "go"),
        ];
        assert_eq!(fields, expected);
        assert_eq!(page.value("Name"), "anna");
    }

    #[test]
    #[should_panic(expected = "no field has the label « Passwort »")]
    fn a_field_without_a_label_fails_a_story() {
        page().types("Passwort", "geheim");
    }
}
