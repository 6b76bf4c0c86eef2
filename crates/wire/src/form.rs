//! `application/x-www-form-urlencoded` (a query or a body), bounded before it is decoded.

use percent::decoded;

/// How much of a form is read at all.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The whole form, in bytes, as received.
    pub total_bytes_max: usize,
    /// One name or one value, in bytes, after decoding.
    pub value_bytes_max: usize,
    /// Number of parameters.
    pub fields_max: usize,
}

/// Why a form is not read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FormError {
    /// Longer than [`Bounds`] allow.
    #[error("the parameters are too long or too many")]
    TooLong,
    /// Not UTF-8 after decoding, a `%` without two hexadecimal digits, or control characters.
    #[error("the parameters are not form-encoded UTF-8 text")]
    Malformed,
}

/// A parameter was given more than once.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a parameter is given more than once")]
pub struct Repeated;

/// The parameters of a form in the order received; empty ones are left out.
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Decodes a form.
    ///
    /// # Errors
    /// [`FormError`] when it is out of bounds or not text.
    pub fn read(raw: &[u8], bounds: Bounds) -> Result<Self, FormError> {
        if raw.len() > bounds.total_bytes_max {
            return Err(FormError::TooLong);
        }
        let mut fields = Vec::new();
        for (number, pair) in raw
            .split(|byte| *byte == b'&')
            .filter(|p| !p.is_empty())
            .enumerate()
        {
            if number >= bounds.fields_max {
                return Err(FormError::TooLong);
            }
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = decoded(halves.next().unwrap_or_default())?;
            let value = decoded(halves.next().unwrap_or_default())?;
            if name.len().max(value.len()) > bounds.value_bytes_max {
                return Err(FormError::TooLong);
            }
            // [RFC 6749 §3.1] "Parameters sent without a value MUST be treated as if they were omitted from the request."
            if !value.is_empty() {
                fields.push((name, value));
            }
        }
        Ok(Self(fields))
    }

    /// Parameters that did not come as a form, within the same bounds.
    ///
    /// # Errors
    /// [`FormError`] when they are out of bounds or have control characters.
    pub(crate) fn of(pairs: Vec<(String, String)>, bounds: Bounds) -> Result<Self, FormError> {
        let long =
            |(name, value): &(String, String)| name.len().max(value.len()) > bounds.value_bytes_max;
        let total: usize = pairs
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        let many = pairs.len() > bounds.fields_max || total > bounds.total_bytes_max;
        let fields = Self(pairs);
        if many || fields.0.iter().any(long) {
            return Err(FormError::TooLong);
        }
        let odd = |text: &String| text.chars().any(char::is_control);
        if fields.0.iter().any(|(name, value)| odd(name) || odd(value)) {
            return Err(FormError::Malformed);
        }
        Ok(fields)
    }

    /// The value of a parameter, if it is there.
    ///
    /// # Errors
    /// [`Repeated`] when it is there more than once.
    pub fn one(&self, name: &str) -> Result<Option<&str>, Repeated> {
        let mut values = self
            .0
            .iter()
            .filter(|(n, _)| n == name)
            .map(|(_, v)| v.as_str());
        // [RFC 6749 §3.1] "Request and response parameters MUST NOT be included more than once."
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => Err(Repeated),
        }
    }

    /// All values of a parameter of which there may be several.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(n, _)| n == name);
        named.map(|(_, value)| value.as_str())
    }

    /// Refuses the form if any parameter, known or not, is given more than once.
    ///
    /// # Errors
    /// [`Repeated`].
    pub fn each_once(&self) -> Result<(), Repeated> {
        self.each_once_but("")
    }

    /// The same, but for the one parameter of which there may be several.
    ///
    /// # Errors
    /// [`Repeated`].
    pub fn each_once_but(&self, several: &str) -> Result<(), Repeated> {
        let names = self.0.iter().map(|(name, _)| name.as_str());
        let mut names: Vec<&str> = names.filter(|name| *name != several).collect();
        names.sort_unstable();
        let twice = names
            .windows(2)
            .any(|pair| matches!(pair, [a, b] if a == b));
        if twice { Err(Repeated) } else { Ok(()) }
    }
}

impl Drop for Fields {
    fn drop(&mut self) {
        // A form may carry a client secret, a verifier or a code.
        for (_, value) in &mut self.0 {
            zeroize::Zeroize::zeroize(value);
        }
    }
}

/// Appends parameters to a URI that may have a query already. Pairs without a value are left out.
pub(crate) fn with_query(uri: &str, pairs: &[(&str, Option<&str>)]) -> String {
    let mut out = uri.to_owned();
    // [RFC 6749 §3.1.2] "which MUST be retained when adding additional query parameters."
    let mut separator = match uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    for (name, value) in pairs {
        if let Some(value) = value {
            out.push_str(separator);
            out.push_str(name);
            out.push('=');
            out.extend(form_urlencoded::byte_serialize(value.as_bytes()));
            separator = "&";
        }
    }
    out
}

/// Strict percent-decoding; `form_urlencoded` would replace what it cannot read.
pub(crate) mod percent {
    use super::FormError;

    /// Decodes one name or value of a form.
    ///
    /// # Errors
    /// [`FormError::Malformed`].
    pub(crate) fn decoded(raw: &[u8]) -> Result<String, FormError> {
        let mut out = Vec::with_capacity(raw.len());
        let mut bytes = raw.iter();
        while let Some(byte) = bytes.next() {
            out.push(match byte {
                b'+' => b' ',
                b'%' => hex(bytes.next())? << 4 | hex(bytes.next())?,
                other => *other,
            });
        }
        let text = String::from_utf8(out).map_err(|_| FormError::Malformed)?;
        if text.chars().any(char::is_control) {
            Err(FormError::Malformed)
        } else {
            Ok(text)
        }
    }

    fn hex(digit: Option<&u8>) -> Result<u8, FormError> {
        digit
            .and_then(|byte| char::from(*byte).to_digit(16))
            .and_then(|value| u8::try_from(value).ok())
            .ok_or(FormError::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds {
        total_bytes_max: 100,
        value_bytes_max: 20,
        fields_max: 4,
    };

    /// [RFC 6749 §3.1] "Parameters sent without a value MUST be treated as if they were omitted from the request."
    #[test]
    fn an_empty_parameter_is_no_parameter() {
        let fields = Fields::read(b"a=&b&c=1&a=2", BOUNDS).unwrap();
        assert_eq!(fields.one("a"), Ok(Some("2")));
        assert_eq!(fields.one("b"), Ok(None));
        assert_eq!(fields.each_once(), Ok(()));
    }

    /// [C13] [RFC 6749 §3.1] "Request and response parameters MUST NOT be included more than once."
    #[test]
    fn a_repeated_parameter_is_refused_even_if_unknown_or_equal() {
        let fields = Fields::read(b"a=1&b=1&%61=1", BOUNDS).unwrap();
        assert_eq!(fields.one("a"), Err(Repeated));
        assert_eq!(fields.one("b"), Ok(Some("1")));
        assert_eq!(fields.each_once(), Err(Repeated));
    }

    /// [P07] Bounds come first; what is not text is refused, not repaired.
    #[test]
    fn what_is_too_long_or_not_text_is_refused() {
        let read = |raw: &[u8]| Fields::read(raw, BOUNDS).map(|_| ());
        assert_eq!(read(&[b'a'; 101]), Err(FormError::TooLong));
        assert_eq!(read(b"a=123456789012345678901"), Err(FormError::TooLong));
        assert_eq!(read(b"a=1&b=1&c=1&d=1&e=1"), Err(FormError::TooLong));
        for bad in [
            &b"a=%"[..],
            b"a=%4",
            b"a=%zz",
            b"a=%ff",
            b"a=%00",
            b"a=1%0d%0a",
            b"%0a=1",
        ] {
            assert_eq!(read(bad), Err(FormError::Malformed), "{bad:?}");
        }
    }

    /// [RFC 6749 §3.1.2] "which MUST be retained when adding additional query parameters."
    #[test]
    fn a_query_that_is_there_stays() {
        let add = |uri| with_query(uri, &[("code", Some("a b&c")), ("state", None)]);
        assert_eq!(
            add("https://a.example/cb"),
            "https://a.example/cb?code=a+b%26c"
        );
        assert_eq!(
            add("https://a.example/cb?x=1"),
            "https://a.example/cb?x=1&code=a+b%26c"
        );
        assert_eq!(
            add("https://a.example/cb?"),
            "https://a.example/cb?code=a+b%26c"
        );
    }
}
