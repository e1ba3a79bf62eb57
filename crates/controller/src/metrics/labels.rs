//! Label values of our own: closed sets.

/// Outcome of a step, label `outcome` of `everseal_steps_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepOutcome {
    /// Written.
    Applied,
    /// AWS or the ledger refused.
    Failed,
    /// A gate stopped it.
    Gated,
}

impl StepOutcome {
    pub(super) const fn id(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Failed => "failed",
            Self::Gated => "gated",
        }
    }
}

/// Result of one unit of work, label `result` of `everseal_reconcile_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkResult {
    /// Everything that could be done was done.
    Success,
    /// Something failed and will be tried again.
    Error,
    /// A bug: the work panicked and was contained.
    Panic,
}

impl WorkResult {
    pub(super) const ALL: [Self; 3] = [Self::Success, Self::Error, Self::Panic];

    pub(super) const fn id(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Error => "error",
            Self::Panic => "panic",
        }
    }
}
