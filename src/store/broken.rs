//! What the audit is found broken at.

/// The first thing in the audit that is not what was written.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A row of a chain.
    #[error("account {account}, stream {stream}, row {seq}: {problem}")]
    Row {
        /// Whose chain it is.
        account: String,
        /// Which of the two chains.
        stream: String,
        /// The row's number.
        seq: i64,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The cut that a chain begins at.
    #[error("account {account}, stream {stream}, the cut at row {seq}: {problem}")]
    Cut {
        /// Whose chain it is.
        account: String,
        /// Which of the two chains.
        stream: String,
        /// The number of the last row that was dropped, as the cut says.
        seq: i64,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The mark of a deleted account.
    #[error("account {account}, the mark of its deletion: {problem}")]
    End {
        /// Whose chains it stands for.
        account: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The word on a restoration.
    #[error("restoration {n}: {problem}")]
    Restoration {
        /// Its number.
        n: i64,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An anchor.
    #[error("anchor {n}: {problem}")]
    Anchor {
        /// Its number.
        n: i64,
        /// What is wrong with it.
        problem: &'static str,
    },
}
