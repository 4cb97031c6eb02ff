//! Cases that clients of every face go through.

use super::{Case, Setup};

/// The ids of a case, one for each face.
pub(super) type Ids = [&'static str; 3];

/// Profiles in which the client calls by each of the faces, in the order of the ids; what follows the face belongs to
/// the table of the client, and other tables may come behind that.
macro_rules! by_face {
    ($more:literal) => {
        [
            concat!("[client]\nface = \"wechat-v2\"\n", $more),
            concat!("[client]\nface = \"wechat-v3\"\n", $more),
            concat!("[client]\nface = \"alipay\"\n", $more),
        ]
    };
}
pub(super) use by_face;

/// The case that is explored by every face: it has calls, answers, a notification and its receipt.
const EXPLORED_BY_ALL: &str = "payments/client/scan";

/// A case, what it needs of each face, and its ids.
#[derive(Clone, Copy)]
pub(super) struct Faced {
    pub(super) ids: Ids,
    pub(super) profiles: [&'static str; 3],
    pub(super) case: Case,
    /// What it shows at Alipay, if that is less.
    pub(super) at_alipay: Option<&'static [&'static str]>,
}

impl Faced {
    /// A case that needs nothing but the face.
    pub(super) const fn new(ids: Ids, case: Case) -> Self {
        Self { ids, profiles: by_face!(""), case, at_alipay: None }
    }

    /// The same with what its client needs of each face.
    pub(super) const fn with(self, profiles: [&'static str; 3]) -> Self {
        Self { profiles, ..self }
    }

    /// A case by each face. What signs with RSA costs many times as much, so that of the cases that are explored by one
    /// face, the others take one each.
    pub(super) fn by_each_face(self) -> [Case; 3] {
        [self.by(0), self.by(1), self.by(2)]
    }

    fn by(self, face: usize) -> Case {
        let Self { ids, profiles, case, at_alipay } = self;
        let setup = Setup { profile: profiles[face], ..case.setup };
        let shows = at_alipay.filter(|_| face == 2).unwrap_or(case.shows);
        Case {
            id: ids[face],
            setup,
            shows,
            explored: case.explored && (face == 0 || ids[0] == EXPLORED_BY_ALL),
            ..case
        }
    }
}
