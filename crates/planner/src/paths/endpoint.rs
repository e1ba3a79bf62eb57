//! Addresses outside AWS, as far as anybody may see them: user, password, path and query of a web hook can be secrets,
//! and a person's mailbox or phone number is nobody's business here.

use super::model::Transport;

/// How an endpoint of a subscription is shown, and what protects data on the way there.
pub(crate) fn shown(protocol: &str, endpoint: &str) -> (String, Transport) {
    match protocol {
        "http" => (without_credentials(endpoint), Transport::PlainHttp),
        "https" => (without_credentials(endpoint), Transport::Https),
        "email" | "email-json" => (format!("mail to …{}", endpoint.rfind('@').map_or("", |at| &endpoint[at..])), Transport::NoGuarantee),
        "sms" => (format!("SMS to …{}", last(endpoint, 2)), Transport::NoGuarantee),
        _ => (endpoint.to_owned(), Transport::Tls),
    }
}

/// `https://user:secret@host/hook/secret?token=secret` → `https://host/…`.
pub(crate) fn without_credentials(endpoint: &str) -> String {
    let Some((scheme, rest)) = endpoint.split_once("://") else { return "an address".to_owned() };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let more = if rest.len() > authority.len() + 1 { "/…" } else { "" };
    format!("{scheme}://{host}{more}")
}

fn last(text: &str, count: usize) -> String {
    let letters: Vec<char> = text.chars().collect();
    letters[letters.len().saturating_sub(count)..].iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_endpoints_stay_out() {
        let cases = [
            ("http", "http://u:p@example.com/hook?token=t", "http://example.com/…"),
            ("https", "https://hooks.example.com/services/T0/B0/secret", "https://hooks.example.com/…"),
            ("https", "https://example.com/", "https://example.com"),
            ("https", "https://example.com?token=t", "https://example.com/…"),
            ("https", "nonsense", "an address"),
            ("email", "jane.doe@example.com", "mail to …@example.com"),
            ("sms", "+15555550142", "SMS to …42"),
            ("sqs", "arn:aws:sqs:us-east-1:111122223333:q", "arn:aws:sqs:us-east-1:111122223333:q"),
        ];
        for (protocol, endpoint, expected) in cases {
            assert_eq!(shown(protocol, endpoint).0, expected);
        }
    }
}
