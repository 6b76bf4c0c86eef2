//! Every story, in French and in German, in Chromium against the binary that `FURKA_BIN` names.

use e2e::Furka;
use testkit::{Language, Town, Words};

macro_rules! tell {
    ($($chapter:ident { $($story:ident,)* })*) => {
        $(mod $chapter {
            $(mod $story {
                #[test]
                fn in_french() {
                    super::super::told(testkit::stories::$chapter::$story, testkit::Language::French);
                }

                #[test]
                fn in_german() {
                    super::super::told(testkit::stories::$chapter::$story, testkit::Language::German);
                }
            })*
        })*
    };
}

testkit::for_each_story!(tell);

macro_rules! list {
    ($($chapter:ident { $($story:ident = $why:literal,)* })*) => {
        $(mod $chapter {
            $(#[test]
            #[ignore = $why] // each reason names its issue, such as #2
            fn $story() {
                panic!($why);
            })*
        })*
    };
}

mod in_memory_only {
    testkit::for_each_story_in_memory_only!(list);
}

fn told(story: fn(&mut dyn Town, &Words), language: Language) {
    story(&mut Furka::start(language), &Words::of(language));
}
