//! QR codes as inline SVG, black on white in every colour scheme so that a camera reads them.

use fast_qr::convert::svg::SvgBuilder;
use fast_qr::convert::{Builder, Shape};
use fast_qr::{ECL, QRBuilder};

/// The code of a text as an `<svg>` with its quiet zone; nothing for a text too long for a code.
///
/// The text only decides which squares are black: none of it stands in the markup.
#[must_use]
pub fn svg(text: &str) -> Option<String> {
    let code = QRBuilder::new(text).ecl(ECL::M).build().ok()?;
    Some(
        SvgBuilder::default()
            .margin(3)
            .shape(Shape::Square)
            .to_str(&code),
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_code_is_an_svg_and_repeats_nothing_of_its_text() {
        let svg = super::svg("otpauth://totp/x?secret=<script>").unwrap();
        assert!(svg.starts_with("<svg") && !svg.contains("script") && !svg.contains("style="));
    }

    #[test]
    fn a_text_too_long_for_a_code_has_none() {
        assert!(super::svg(&"x".repeat(5000)).is_none());
    }
}
