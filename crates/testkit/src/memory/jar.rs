//! The cookies of one browser on one host; ports do not matter to cookies [RFC 6265 §8.5].

/// What a browser keeps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Jar(Vec<Cookie>);

#[derive(Clone, Debug)]
struct Cookie {
    name: String,
    value: String,
    path: String,
    /// Seconds since 1970; none for a cookie that ends with the browser.
    until: Option<i64>,
}

impl Jar {
    /// Keeps what a `Set-Cookie` line says, if a browser would.
    ///
    /// [RFC 6265bis §4.1.3.2] a name that begins with `__Host-` needs `Secure`, no `Domain` and
    /// `Path=/`.
    pub(crate) fn keep(&mut self, line: &str, now: i64) {
        let mut parts = line.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
            return;
        };
        let mut cookie = Cookie {
            name: name.into(),
            value: value.into(),
            path: "/".into(),
            until: None,
        };
        let (mut secure, mut domain) = (false, false);
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            match key.to_ascii_lowercase().as_str() {
                "path" => cookie.path = value.to_owned(),
                "max-age" => {
                    let seconds = value.parse::<i64>().unwrap_or_default();
                    cookie.until = Some(now.saturating_add(seconds));
                }
                "secure" => secure = true,
                "domain" => domain = true,
                _ => {}
            }
        }
        if name.starts_with("__Host-") && (!secure || domain || cookie.path != "/") {
            return;
        }
        self.0
            .retain(|one| one.name != cookie.name || one.path != cookie.path);
        if cookie.until.is_none_or(|until| until > now) {
            self.0.push(cookie);
        }
    }

    /// The cookies for a path.
    pub(crate) fn for_path(&self, path: &str, now: i64) -> Vec<(String, String)> {
        let living = self
            .0
            .iter()
            .filter(|one| one.until.is_none_or(|until| until > now));
        let fitting = living.filter(|one| {
            path.strip_prefix(one.path.as_str()).is_some_and(|rest| {
                rest.is_empty() || rest.starts_with('/') || one.path.ends_with('/')
            })
        });
        fitting
            .map(|one| (one.name.clone(), one.value.clone()))
            .collect()
    }

    /// All cookies, whatever their path.
    pub(crate) fn all(&self) -> Vec<(String, String)> {
        self.0
            .iter()
            .map(|one| (one.name.clone(), one.value.clone()))
            .collect()
    }

    /// Puts a stolen cookie in.
    pub(crate) fn put(&mut self, name: &str, value: &str) {
        self.0.retain(|one| one.name != name);
        self.0.push(Cookie {
            name: name.into(),
            value: value.into(),
            path: "/".into(),
            until: None,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_cookie_that_is_not_one_is_thrown_away() {
        let mut jar = Jar::default();
        jar.keep("__Host-a=1; Path=/", 0);
        jar.keep("__Host-b=1; Secure; Path=/login", 0);
        jar.keep("__Host-c=1; Secure; Path=/; Domain=localhost", 0);
        jar.keep("__Host-d=1; Secure; HttpOnly; SameSite=Lax; Path=/", 0);
        assert_eq!(
            jar.for_path("/x", 0),
            [("__Host-d".to_owned(), "1".to_owned())]
        );
    }

    #[test]
    fn a_cookie_ends_with_its_time() {
        let mut jar = Jar::default();
        jar.keep("a=1; Max-Age=60", 0);
        jar.keep("b=1; Path=/login", 0);
        assert_eq!(jar.for_path("/loginx", 59).len(), 1);
        assert_eq!(
            jar.for_path("/login/x", 60),
            [("b".to_owned(), "1".to_owned())]
        );
        jar.keep("b=; Path=/login; Max-Age=0", 0);
        assert_eq!(jar.all().len(), 1);
    }
}
