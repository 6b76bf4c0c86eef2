//! Every page with every sample in every language: what all of them promise.
//!
//! With `FURKA_PAGES` set to a folder, the documents are left there to be looked at.

use std::collections::BTreeSet;
use std::path::Path;

use journey::Language;
use scraper::{ElementRef, Html, Selector};

use super::*;

struct Shown {
    name: String,
    language: Language,
    html: String,
}

fn frame(language: Language) -> Frame<'static> {
    Frame {
        language,
        nonce: "bm9uY2Vub25jZQ",
        institution: match language {
            Language::De => "Digitale Identität – Kanton Wallis",
            Language::En => "Digital identity – Canton of Valais",
            Language::Fr => "Identité numérique – Canton du Valais",
        },
        here: "/login/0199a1b2?x=1",
        support: "support@ictvs.example · 027 606 00 00",
    }
}

fn show<P: Samples>(kind: &str, shown: &mut Vec<Shown>) {
    let samples = P::samples();
    for language in Language::ALL {
        for (sample, page) in &samples {
            let html = page.html(&frame(language)).unwrap();
            shown.push(Shown {
                name: format!("{kind}.{sample}"),
                language,
                html,
            });
        }
    }
}

fn everything() -> Vec<Shown> {
    let mut shown = Vec::new();
    show::<SignIn>("sign-in", &mut shown);
    show::<SmsCode>("sms-code", &mut shown);
    show::<AppEnrolment>("app-enrolment", &mut shown);
    show::<AppCode>("app-code", &mut shown);
    show::<TokenCode>("token-code", &mut shown);
    show::<RecoveryCode>("recovery-code", &mut shown);
    show::<RecoveryMade>("recovery-made", &mut shown);
    show::<RecoverySheet>("recovery-sheet", &mut shown);
    show::<Replacement>("replacement", &mut shown);
    show::<EnrolElsewhere>("elsewhere", &mut shown);
    show::<Refused>("refused", &mut shown);
    show::<ActivationStart>("activation-start", &mut shown);
    show::<ActivationData>("activation-data", &mut shown);
    show::<ActivationPassword>("activation-password", &mut shown);
    show::<ActivationPhoneMethod>("activation-phone-method", &mut shown);
    show::<ActivationToken>("activation-token", &mut shown);
    show::<ActivationDone>("activation-done", &mut shown);
    show::<Account>("account", &mut shown);
    show::<AccountApp>("account-app", &mut shown);
    show::<AccountPassword>("account-password", &mut shown);
    show::<AccountPasswordDone>("account-password-done", &mut shown);
    show::<LogoutConfirm>("logout-confirm", &mut shown);
    show::<LoggedOut>("logged-out", &mut shown);
    show::<Farewell>("farewell", &mut shown);
    show::<Home>("home", &mut shown);
    show::<NotFound>("not-found", &mut shown);
    show::<Overloaded>("overloaded", &mut shown);
    show::<Proceed>("proceed", &mut shown);
    show::<Consent>("consent", &mut shown);
    show::<Device>("device", &mut shown);
    show::<DeviceConfirm>("device-confirm", &mut shown);
    show::<DeviceDone>("device-done", &mut shown);
    show::<Posted>("posted", &mut shown);
    show::<Onward>("onward", &mut shown);
    show::<Leave>("leave", &mut shown);
    shown
}

fn each(check: impl Fn(&Html, &Shown) -> Result<(), String>) {
    let faults: Vec<_> = everything()
        .iter()
        .filter_map(|shown| {
            let fault = check(&Html::parse_document(&shown.html), shown).err()?;
            Some(format!("{} ({}): {fault}", shown.name, shown.language))
        })
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn all<'a>(html: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    html.select(&Selector::parse(selector).unwrap()).collect()
}

fn that(kept: bool, otherwise: impl Into<String>) -> Result<(), String> {
    if kept { Ok(()) } else { Err(otherwise.into()) }
}

#[test]
fn every_page_is_well_formed_html_in_its_language() {
    each(|html, shown| {
        // A tag that the parser had to add, move or drop changes the count.
        for tag in [
            "p", "ul", "ol", "li", "dl", "div", "dt", "dd", "form", "section", "label", "b",
        ] {
            let opened = shown.html.matches(&format!("<{tag}>")).count()
                + shown.html.matches(&format!("<{tag} ")).count();
            let closed = shown.html.matches(&format!("</{tag}>")).count();
            let parsed = all(html, tag).len();
            that(
                opened == parsed && closed == parsed,
                format!("{tag}: {opened} {closed} {parsed}"),
            )?;
        }
        let root = html.root_element();
        that(root.attr("lang") == Some(shown.language.code()), "lang")?;
        that(all(html, "h1").len() == 1, "one h1")?;
        that(all(html, "main").len() == 1, "one main")?;
        let title = all(html, "title")
            .first()
            .map(|title| title.text().collect::<String>());
        that(title.is_some_and(|title| title.len() > 10), "title")
    });
}

#[test]
fn no_page_has_a_gap_in_its_text() {
    each(|html, _| {
        let text: String = all(html, "body *, title")
            .iter()
            .filter(|element| !["style", "script"].contains(&element.value().name()))
            .flat_map(|element| element.text())
            .collect();
        that(!text.contains(['{', '}']) && !text.contains("??"), text)
    });
}

#[test]
fn headings_do_not_skip_a_level() {
    each(|html, _| {
        let mut before = 0;
        for heading in all(html, "h1, h2, h3, h4") {
            let level = heading.value().name().as_bytes()[1] - b'0';
            // The notice stands below the title in the document, whatever it is about.
            that(
                level <= before + 1,
                format!("{} after h{before}", heading.value().name()),
            )?;
            before = level;
        }
        Ok(())
    });
}

#[test]
fn identifiers_are_unique_and_every_reference_leads_somewhere() {
    each(|html, _| {
        let mut ids = BTreeSet::new();
        for element in all(html, "[id]") {
            let id = element.attr("id").unwrap_or_default();
            that(ids.insert(id), format!("id {id} twice"))?;
        }
        for attribute in ["aria-describedby", "aria-labelledby", "for"] {
            for element in all(html, &format!("[{attribute}]")) {
                for id in element
                    .attr(attribute)
                    .unwrap_or_default()
                    .split_whitespace()
                {
                    that(ids.contains(id), format!("{attribute} {id}"))?;
                }
            }
        }
        for link in all(html, "a[href^='#']") {
            let href = link.attr("href").unwrap_or_default();
            that(ids.contains(&href[1..]), format!("link {href}"))?;
        }
        Ok(())
    });
}

#[test]
fn every_field_has_a_label_and_every_button_and_link_a_text() {
    each(|html, _| {
        let labelled: BTreeSet<_> = all(html, "label")
            .iter()
            .filter_map(|l| l.attr("for"))
            .collect();
        for input in all(html, "input:not([type=hidden])") {
            let name = input.attr("id").is_some_and(|id| labelled.contains(id));
            that(name || input.attr("aria-label").is_some(), input.html())?;
        }
        for element in all(html, "button, a, h1, h2, label, summary, dt, dd") {
            let text: String = element.text().collect();
            that(!text.trim().is_empty(), element.html())?;
        }
        for svg in all(html, "svg") {
            let parent = svg.parent().and_then(ElementRef::wrap);
            let named = parent.is_some_and(|parent| {
                parent.attr("role") == Some("img") && parent.attr("aria-label").is_some()
            });
            that(
                named || svg.attr("aria-hidden") == Some("true"),
                "a picture without a name",
            )?;
        }
        Ok(())
    });
}

#[test]
fn there_is_one_primary_form_at_most_and_it_is_the_first() {
    each(|html, _| {
        let forms = all(html, "form");
        let primary = forms
            .iter()
            .filter(|form| form.attr("class") == Some("primary"))
            .count();
        that(primary <= 1, "several primary forms")?;
        that(
            forms
                .first()
                .is_none_or(|form| form.attr("class") == Some("primary")),
            "not first",
        )?;
        let post = forms.iter().all(|form| form.attr("method") == Some("post"));
        that(post, "a form that is not posted")?;
        that(
            all(html, "[autofocus]").len() <= 1,
            "several places to begin",
        )
    });
}

/// [S08] "CSP with nonces, no inline/eval": nothing on a page needs what the policy forbids, and
/// nothing is fetched from elsewhere.
#[test]
fn no_page_needs_an_inline_handler_an_inline_style_or_a_third_party() {
    each(|html, shown| {
        for element in all(html, "*") {
            for (name, _) in element.value().attrs() {
                that(
                    !name.starts_with("on") && name != "style",
                    format!("attribute {name}"),
                )?;
            }
        }
        for element in all(html, "style, script") {
            that(element.attr("nonce") == Some("bm9uY2Vub25jZQ"), "no nonce")?;
        }
        // What applications hear of a sign-out, they hear in the browser.
        let framed = shown.name.starts_with("farewell.");
        that(framed || all(html, "iframe").is_empty(), "a frame")?;
        for element in all(html, "[src]:not(iframe), link[href]") {
            let url = element
                .attr("src")
                .or(element.attr("href"))
                .unwrap_or_default();
            that(url.starts_with("/static/"), format!("fetches {url}"))?;
        }
        that(
            !shown.html.contains("@import") && !shown.html.contains("url("),
            "style fetches",
        )
    });
}

#[test]
fn the_switch_offers_every_language_and_marks_this_one() {
    each(|html, shown| {
        let links = all(html, "nav a[hreflang]");
        that(links.len() == Language::ALL.len(), "not every language")?;
        let current: Vec<_> = links
            .iter()
            .filter(|a| a.attr("aria-current").is_some())
            .collect();
        that(current.len() == 1, "not one current language")?;
        that(
            current[0].attr("hreflang") == Some(shown.language.code()),
            "another language",
        )?;
        // The way to where one is would only make the page longer.
        that(current[0].attr("href").is_none(), "a link to this page")?;
        let others = links.iter().filter(|a| a.attr("aria-current").is_none());
        for link in others {
            let code = link.attr("hreflang").unwrap_or_default();
            let url = format!("/login/0199a1b2?x=1&ui={code}");
            that(link.attr("href") == Some(&url), "the link loses the way")?;
        }
        Ok(())
    });
}

/// [Guide 2.3] [Guide 2.4] [Guide 3.4] [Guide 3.5] The words of the guide are the words of the
/// pages.
#[test]
fn the_pages_say_the_words_of_the_guide() {
    let html = SignIn::samples()
        .pop()
        .unwrap()
        .1
        .html(&frame(Language::Fr))
        .unwrap();
    for words in [
        "Nom d&#39;utilisateur",
        "Mot de passe",
        "<button>Connexion</button>",
    ] {
        assert!(html.contains(words), "{words}");
    }
    let html = SmsCode::samples()
        .pop()
        .unwrap()
        .1
        .html(&frame(Language::Fr))
        .unwrap();
    for words in [
        "Code reçu par SMS",
        "<button>Soumettre</button>",
        "Étape 2 sur 3",
    ] {
        assert!(html.contains(words), "{words}");
    }
}

/// [Guide 4.3] to [Guide 4.10] The three numbered steps, the key to type, the link to tap.
#[test]
fn the_app_is_enrolled_in_the_three_steps_of_the_guide() {
    let html = AppEnrolment::samples()
        .pop()
        .unwrap()
        .1
        .html(&frame(Language::Fr))
        .unwrap();
    for words in [
        "Installez Microsoft Authenticator (TOTP) sur votre smartphone.",
        "Ajoutez un compte de type «\u{a0}Autre…\u{a0}».",
        "Ouvrez l&#39;application et scannez le code QR affiché à l&#39;écran.",
        "Entrez le code à usage unique fourni par l&#39;application",
        "sans espace",
        "réglage automatique",
    ] {
        assert!(html.contains(words), "{words}");
    }
    let html = Html::parse_document(&html);
    let key: String = all(&html, "[data-totp-secret]")[0].text().collect();
    assert_eq!(key, "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
    assert_eq!(all(&html, "a[href^='otpauth://totp/']").len(), 1);
    assert_eq!(all(&html, ".steps > li").len(), 3);
}

/// [Guide 4.10] "l'heure du smartphone doit être correctement configurée (réglage automatique)"
#[test]
fn a_slow_phone_is_told_how_slow_it_is_and_what_to_do() {
    let page = AppCode {
        action: "/login/1".to_owned(),
        who: None,
        problem: Some(AppCodeProblem::ClockOff {
            minutes: 4,
            clock: Clock::Slow,
        }),
        recovery: false,
    };
    let html = page.html(&frame(Language::Fr)).unwrap();
    assert!(html.contains("retarde d&#39;environ 4 minutes") && html.contains("automatiques"));
}

/// [O14] "SMS offered only with … a risk notice", and with an alternative beside it.
#[test]
fn the_method_sms_is_offered_with_its_risk_and_its_alternatives() {
    for language in Language::ALL {
        let page = ActivationPhoneMethod::samples().pop().unwrap().1;
        let html = Html::parse_document(&page.html(&frame(language)).unwrap());
        let risk: String = all(&html, "label[for=method-sms] small")[0]
            .text()
            .collect();
        assert!(risk.len() > 20, "{risk}");
        assert_eq!(all(&html, "input[name=method]").len(), 3);
        assert!(
            all(&html, "input[name=method][checked]").is_empty(),
            "one is preferred"
        );
    }
}

/// [decision 17] "A sign-in page is at most 14 kB on the wire … in one or two requests, styled."
#[test]
fn the_sign_in_page_fits_into_the_first_flight() {
    let here = format!("/authorize?{}", "x".repeat(300));
    for language in Language::ALL {
        for (name, page) in SignIn::samples() {
            let html = page
                .html(&Frame {
                    here: &here,
                    ..frame(language)
                })
                .unwrap();
            assert!(
                html.len() <= 14_000,
                "{name} ({language}): {} bytes",
                html.len()
            );
        }
    }
}

#[test]
fn what_a_person_typed_never_becomes_markup() {
    let typed = "\"><script>alert(1)</script>";
    let mut page = SignIn::samples().pop().unwrap().1;
    page.username = typed.to_owned();
    page.application = Some(typed.to_owned());
    page.place = Some(typed.to_owned());
    let html = page.html(&frame(Language::En)).unwrap();
    assert!(!html.contains("<script"));
}

#[test]
fn every_page_can_be_looked_at() {
    let Ok(folder) = std::env::var("FURKA_PAGES") else {
        return;
    };
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder).unwrap();
    for shown in everything() {
        let file = folder.join(format!("{}.{}.html", shown.name, shown.language));
        std::fs::write(file, shown.html).unwrap();
    }
}
