//! Rules of AWS-FACTS §8 as tests.
