//! Rules of AWS-FACTS §6 as tests.
