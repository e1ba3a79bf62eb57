//! A monitoring user's name and password.

use std::fmt;

use zeroize::Zeroizing;

/// Whom to log in as. The password is wiped from memory when it is dropped, and no text ever shows it.
#[derive(Clone)]
pub struct Login {
    username: String,
    password: Zeroizing<String>,
    database: Option<String>,
}

/// A secret that holds no login. It says what is missing, never what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoLogin {
    /// It is not JSON.
    #[error("the secret is not a JSON object with `username` and `password`")]
    NotJson,
    /// A field is not there, or is not a text.
    #[error("the secret has no `{0}`")]
    Missing(&'static str),
}

impl Login {
    /// A login, to the engine's usual database.
    pub fn new(username: String, password: String) -> Self {
        Self { username, password: Zeroizing::new(password), database: None }
    }

    /// From a secret's text, in RDS's own layout: `{"username": …, "password": …, "dbname": …}`, of which only `dbname` may
    /// be missing. Where to connect is never taken from it. [Secrets Manager: JSON structure of database secrets]
    pub fn from_json(secret: &str) -> Result<Self, NoLogin> {
        let mut fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(secret).map_err(|_| NoLogin::NotJson)?;
        let mut text = |field: &'static str| match fields.remove(field) {
            Some(serde_json::Value::String(text)) if !text.is_empty() => Ok(text),
            _ => Err(NoLogin::Missing(field)),
        };
        let login = Self::new(text("username")?, text("password")?);
        Ok(Self { database: text("dbname").ok(), ..login })
    }

    pub(super) fn username(&self) -> &str {
        &self.username
    }

    pub(super) fn password(&self) -> &str {
        &self.password
    }

    pub(super) fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { username, password: _, database } = self;
        f.debug_struct("Login").field("username", username).field("database", database).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_the_layout_of_rds_is_a_login_and_its_host_is_not_looked_at() {
        let secret =
            r#"{"username":"everseal","password":"p4ss","engine":"postgres","host":"elsewhere.example","port":1,"dbname":"orders"}"#;
        let login = Login::from_json(secret);
        let login = login.as_ref().map(|login| (login.username(), login.password(), login.database()));
        assert_eq!(login, Ok(("everseal", "p4ss", Some("orders"))));
        let short = Login::from_json(r#"{"username":"everseal","password":"p4ss"}"#);
        assert_eq!(short.map(|login| login.database().map(str::to_owned)), Ok(None));
    }

    #[test]
    fn what_is_no_login_is_refused_without_a_word_of_what_it_holds() {
        for (secret, why) in [
            ("p4ss", "the secret is not a JSON object with `username` and `password`"),
            ("[\"p4ss\"]", "the secret is not a JSON object with `username` and `password`"),
            (r#"{"password":"p4ss"}"#, "the secret has no `username`"),
            (r#"{"username":"everseal","pass":"p4ss"}"#, "the secret has no `password`"),
            (r#"{"username":"everseal","password":["p4ss"]}"#, "the secret has no `password`"),
            (r#"{"username":"everseal","password":""}"#, "the secret has no `password`"),
        ] {
            assert_eq!(Login::from_json(secret).map_err(|error| error.to_string()).err().as_deref(), Some(why), "{secret}");
        }
    }

    #[test]
    fn no_text_of_a_login_shows_the_password() {
        let login = Login::new("everseal".to_owned(), "p4ss".to_owned());
        for text in [format!("{login:?}"), format!("{login:#?}")] {
            assert!(text.contains("everseal") && !text.contains("p4ss"), "{text}");
        }
    }
}
