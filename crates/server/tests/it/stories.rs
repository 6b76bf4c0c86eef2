//! Every story, in French and in German, on forms; some of them under the preset `recommended`.

use testkit::memory::Canton;
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

fn told(story: fn(&mut dyn Town, &Words), language: Language) {
    story(&mut Canton::new(language), &Words::of(language));
}

mod recommended {
    use super::{Canton, Language, Town, Words};

    testkit::for_each_recommended_story!(tell);

    fn told(story: fn(&mut dyn Town, &Words), language: Language) {
        story(
            &mut Canton::under("recommended", language),
            &Words::of(language),
        );
    }
}
