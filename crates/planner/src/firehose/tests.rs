//! Rules of AWS-FACTS §5 as tests.
