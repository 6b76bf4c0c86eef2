//! The provider's own pages, as far as somebody without a screen needs them: the form to fill, and what
//! a page says where there is none.

/// The form of a page that leads on.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Form {
    /// Where it goes.
    pub(super) action: String,
    /// Its fields, hidden ones filled, and the button that says yes.
    pub(super) fields: Vec<(String, String)>,
}

impl Form {
    /// The one that leads on; none if there is nothing but to read.
    pub(super) fn of(html: &str) -> Option<Self> {
        let (_, rest) = html.split_once("<form method=\"post\"")?;
        let (tag, inside) = rest.split_once('>')?;
        if !tag.contains("class=\"primary\"") {
            return Self::of(inside);
        }
        let inside = inside.split("</form>").next().unwrap_or_default();
        let mut fields = Vec::new();
        for input in tags(inside, "<input ") {
            if let Some(name) = attribute(input, "name") {
                fields.push((name, attribute(input, "value").unwrap_or_default()));
            }
        }
        // The first button is the one that most people press.
        let mut buttons = tags(inside, "<button ");
        let button =
            buttons.find_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value")?)));
        fields.extend(button);
        Some(Self {
            action: attribute(tag, "action")?,
            fields,
        })
    }

    /// Whether it asks for this.
    pub(super) fn asks_for(&self, field: &str) -> bool {
        self.fields.iter().any(|(name, _)| name == field)
    }

    /// Fills a field.
    pub(super) fn fill(&mut self, field: &str, text: &str) {
        for (name, value) in &mut self.fields {
            if name == field {
                text.clone_into(value);
            }
        }
    }
}

/// What a page says: its heading, its first sentences, and the detail for technicians.
pub(super) fn said(html: &str) -> String {
    let main = html.split_once("<main").map_or(html, |(_, main)| main);
    let mut said = Vec::new();
    for (open, close) in [("<h1>", "</h1>"), ("<p>", "</p>"), ("<code>", "</code>")] {
        let text = main
            .split_once(open)
            .and_then(|(_, rest)| rest.split_once(close));
        said.extend(text.map(|(text, _)| plain(text)));
    }
    said.join(": ")
}

fn tags<'h>(html: &'h str, open: &'static str) -> impl Iterator<Item = &'h str> {
    let inside = html.split(open).skip(1);
    inside.map(|tag| tag.split('>').next().unwrap_or_default())
}

/// The value of an attribute of a tag.
pub(super) fn attribute(tag: &str, name: &str) -> Option<String> {
    // A blank before it: `value` is not `data-value`.
    let (_, rest) = tag
        .split_once(&format!("{name}=\""))
        .filter(|(before, _)| before.is_empty() || before.ends_with(char::is_whitespace))?;
    let (value, _) = rest.split_once('"')?;
    Some(unescaped(value))
}

fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => inside = false,
            c if !inside => text.push(c),
            _ => {}
        }
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    unescaped(&words.join(" "))
}

/// Text without the five characters that HTML and XML write in another way.
pub(super) fn unescaped(text: &str) -> String {
    let written = [
        ("&#60;", "<"),
        ("&lt;", "<"),
        ("&#62;", ">"),
        ("&gt;", ">"),
        ("&#34;", "\""),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&apos;", "'"),
        ("&#38;", "&"),
        ("&amp;", "&"),
    ];
    let text = text.to_owned();
    written
        .iter()
        .fold(text, |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_that_leads_on_is_found_among_others() {
        let html = "<form method=\"post\" action=\"/x\"><button name=\"action\" value=\"resend\"></button></form>\
            <form method=\"post\" action=\"/login?a=1&#38;b=2\" class=\"primary\">\
            <input type=\"hidden\" name=\"ticket\" value=\"t&#34;t\">\
            <input id=\"code\" name=\"code\" required>\
            <button name=\"action\" value=\"allow\">Yes</button><button name=\"action\" value=\"deny\">No</button></form>";
        let form = Form::of(html).unwrap();
        assert_eq!(form.action, "/login?a=1&b=2");
        let fields = form.fields.iter().map(|(name, value)| (&**name, &**value));
        let expected = [("ticket", "t\"t"), ("code", ""), ("action", "allow")];
        assert_eq!(fields.collect::<Vec<_>>(), expected);
        assert!(form.asks_for("code") && !form.asks_for("username"));
        assert_eq!(Form::of("<p>nothing to fill</p>"), None);
    }

    #[test]
    fn a_page_without_a_form_says_why() {
        let html = "<main><h1>Not <b>here</b></h1>\n<p>Because &#38; so</p></main>";
        assert_eq!(said(html), "Not here: Because & so");
    }
}
