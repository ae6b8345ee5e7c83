//! How a VirtShell server behaves.

/// How a VirtShell server behaves.
#[derive(Clone, Debug)]
pub struct VirtShellOptions {
    /// What a task looks like.
    pub shape: VsShape,
    /// What stands before every path, such as `/api/virtshell/v1`; the real
    /// server has none.
    pub prefix: String,
    /// Whether answers have an `ETag`.
    pub etag: bool,
    /// Who may call.
    pub auth: VsAuth,
    /// The seed of ids and of the past.
    pub seed: u64,
    /// Whether the database is down: every answer takes half a minute and is an error.
    pub hang: bool,
}

impl Default for VirtShellOptions {
    fn default() -> Self {
        Self {
            shape: VsShape::Real,
            prefix: String::new(),
            etag: true,
            auth: VsAuth::None,
            seed: 0,
            hang: false,
        }
    }
}

/// What a task looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VsShape {
    /// With times of day and a history, as the server writes it.
    Real,
    /// With Unix seconds, as the API's specification has it.
    Documented,
}

/// Who may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VsAuth {
    /// Everybody.
    None,
    /// Those who send a header with a value.
    Header {
        /// The header's name.
        name: String,
        /// Its value, all of it.
        value: String,
    },
    /// Those who sign their requests, and date them within 15 minutes.
    Hmac {
        /// The name of the header with `UserId:Signature`.
        name: String,
        /// The user.
        user_id: String,
        /// The user's secret access key.
        secret: String,
    },
}

impl VsAuth {
    /// The header that is looked at, if any is.
    pub(super) fn header_name(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Header { name, .. } | Self::Hmac { name, .. } => Some(name),
        }
    }
}
