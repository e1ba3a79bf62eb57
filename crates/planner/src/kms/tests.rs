//! Rules of AWS-FACTS §7 as tests.
