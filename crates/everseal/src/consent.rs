//! A person's word at the terminal before anything is changed.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::{Result, bail};

/// Asks `question`; `unasked` is what to do where nobody can be asked.
pub fn given(question: &str, unasked: &str) -> Result<bool> {
    if !io::stdin().is_terminal() {
        bail!("standard input is not a terminal, so nobody can be asked: {unasked}");
    }
    write!(io::stdout(), "{question} Only `yes` is taken for yes: ")?;
    io::stdout().flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}
