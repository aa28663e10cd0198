//! Where the rule book can be read.

use std::sync::Arc;

use crate::policy;

/// The address of the rule book's pages, where whoever runs the guard has put them somewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book(Option<Arc<str>>);

impl Book {
    /// The site at an address that a browser can go to: `https://` or `http://`, a host, and perhaps a
    /// path.
    pub fn at(address: &str) -> Option<Self> {
        let uri: http::Uri = address.parse().ok()?;
        let scheme = uri.scheme_str().unwrap_or_default();
        let host = uri.host().unwrap_or_default();
        let usual =
            ["http", "https"].contains(&scheme) && !host.is_empty() && uri.query().is_none();
        // What is parsed drops a fragment without a word.
        let whole = usual && !address.contains('#');
        whole.then(|| Self(Some(Arc::from(address.trim_end_matches('/')))))
    }

    /// The page of a rule; none for a rule that is not in the book.
    pub fn page(&self, rule: &str) -> Option<String> {
        let address = self.0.as_ref()?;
        policy::contract(rule)?;
        Some(format!("{address}/rules/{rule}.html"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_that_a_browser_can_go_to() {
        for address in [
            "https://guard.example.com",
            "http://localhost:3000",
            "https://example.com/a/b/",
            "https://[::1]:8080/book",
        ] {
            assert!(Book::at(address).is_some(), "{address}");
        }
        for address in [
            "",
            "/book",
            "example.com/book",
            "ftp://example.com",
            "https://",
            "https://example.com/a b",
            "https://example.com/?page=",
            "https://example.com/#/",
            "https://example.com/\u{7}",
        ] {
            assert_eq!(Book::at(address), None, "{address}");
        }
    }

    #[test]
    fn a_rule_has_a_page_where_there_is_a_site() {
        let rule = "drpolicy-drclusters-distinct";
        let book = Book::at("https://example.com/book/").unwrap_or_default();
        assert_eq!(
            book.page(rule).as_deref(),
            Some("https://example.com/book/rules/drpolicy-drclusters-distinct.html")
        );
        assert_eq!(book.page("a-rule-of-somebody-else"), None);
        assert_eq!(Book::default().page(rule), None);
    }
}
