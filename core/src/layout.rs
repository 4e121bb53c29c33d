//! Fixed binary layouts: fields one after another, integers big-endian, lengths before what they measure.

/// Bytes that are not of the layout they should have.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{what}, {field}: {found}, expected {expected}")]
pub struct LayoutError {
    /// What was read, such as `entry`.
    pub what: &'static str,
    /// The field that is wrong.
    pub field: &'static str,
    /// What is there.
    pub found: String,
    /// What would be right.
    pub expected: String,
}
