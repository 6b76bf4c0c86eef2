//! What people read, in their language: the messages of `locales/`, found by key.
//!
//! Every sentence a person meets stands in `locales/{fr,de,en}/*.ftl` ([Project Fluent] syntax) and
//! is compiled into the binary. The tests below prove that the three languages have the same keys
//! with the same arguments, that each key is used, and that each used key exists.
//!
//! [Project Fluent]: https://projectfluent.org

use std::borrow::Cow;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use journey::Language;
use unic_langid::LanguageIdentifier;

/// All messages of one language.
pub(crate) struct Words {
    messages: FluentBundle<FluentResource>,
}

impl Words {
    /// The messages of a language, parsed at the first call.
    #[must_use]
    pub(crate) fn of(language: Language) -> &'static Self {
        static FRENCH: LazyLock<Words> = LazyLock::new(|| Words::read(Language::Fr));
        static GERMAN: LazyLock<Words> = LazyLock::new(|| Words::read(Language::De));
        static ENGLISH: LazyLock<Words> = LazyLock::new(|| Words::read(Language::En));
        match language {
            Language::De => &GERMAN,
            Language::En => &ENGLISH,
            Language::Fr => &FRENCH,
        }
    }

    /// A message without arguments. A key that does not exist comes back in braces, so that a test
    /// of any page sees it.
    #[must_use]
    pub(crate) fn say(&self, key: &str) -> Cow<'_, str> {
        self.format(key, None)
    }

    /// A message with its arguments; numbers choose the plural form.
    pub(crate) fn say_with(&self, key: &str, arguments: &FluentArgs<'_>) -> String {
        self.format(key, Some(arguments)).into_owned()
    }

    /// Begins a message with arguments: `words.given("n", 30).say("span-seconds")`.
    #[must_use]
    pub(crate) fn given<'a>(
        &'a self,
        name: &'a str,
        value: impl Into<FluentValue<'a>>,
    ) -> Saying<'a> {
        Saying {
            words: self,
            arguments: FluentArgs::new(),
        }
        .given(name, value)
    }

    fn format<'a>(&'a self, key: &str, arguments: Option<&'a FluentArgs<'_>>) -> Cow<'a, str> {
        let pattern = self
            .messages
            .get_message(key)
            .and_then(|message| message.value());
        match pattern {
            Some(pattern) => self
                .messages
                .format_pattern(pattern, arguments, &mut Vec::new()),
            None => Cow::Owned(format!("{{{key}}}")),
        }
    }

    fn read(language: Language) -> Self {
        let mut messages = FluentBundle::new_concurrent(vec![identifier(language)]);
        // Isolating marks would be copied into messages; all our languages run left to right.
        messages.set_use_isolating(false);
        for source in sources(language) {
            // What is not Fluent is left out, and fails `every_message_file_is_read_whole`.
            let resource = match FluentResource::try_new((*source).to_owned()) {
                Ok(resource) | Err((resource, _)) => resource,
            };
            messages.add_resource_overriding(resource);
        }
        Self { messages }
    }
}

/// A message under way, with the arguments given so far.
pub struct Saying<'a> {
    words: &'a Words,
    arguments: FluentArgs<'a>,
}

impl<'a> Saying<'a> {
    /// One more argument.
    #[must_use]
    pub fn given(mut self, name: &'a str, value: impl Into<FluentValue<'a>>) -> Self {
        self.arguments.set(name, value);
        self
    }

    /// The message with all of them.
    #[must_use]
    pub fn say(&self, key: &str) -> String {
        self.words.say_with(key, &self.arguments)
    }
}

/// The language with its plural rules.
fn identifier(language: Language) -> LanguageIdentifier {
    language.code().parse().unwrap_or_default()
}

macro_rules! locale {
    ($folder:literal) => {
        &[
            include_str!(concat!("../../../locales/", $folder, "/common.ftl")),
            include_str!(concat!("../../../locales/", $folder, "/sign-in.ftl")),
            include_str!(concat!("../../../locales/", $folder, "/second-factor.ftl")),
            include_str!(concat!("../../../locales/", $folder, "/refused.ftl")),
            include_str!(concat!("../../../locales/", $folder, "/activation.ftl")),
            include_str!(concat!("../../../locales/", $folder, "/account.ftl")),
            include_str!(concat!("../../../locales/", $folder, "/device.ftl")),
            include_str!(concat!("../../../locales/", $folder, "/messages.ftl")),
            include_str!(concat!("../../../locales/", $folder, "/recovery.ftl")),
        ]
    };
}

fn sources(language: Language) -> &'static [&'static str] {
    match language {
        Language::De => locale!("de"),
        Language::En => locale!("en"),
        Language::Fr => locale!("fr"),
    }
}

#[cfg(test)]
mod tests;
