//! The faces that a backend shows.

use super::call::{House, Platform};
use super::face::Face;
use super::http::Request;
use super::wechat_v2::WechatV2;

/// Which faces there are.
#[derive(Clone, Debug, Default)]
pub struct Faces {
    /// WeChat Pay v2.
    pub wechat_v2: Option<WechatV2>,
}

impl Faces {
    /// The face that a request is for.
    pub fn claiming(&mut self, request: &Request) -> Option<&mut dyn Face> {
        self.all().into_iter().find(|face| face.claims(request))
    }

    /// A face.
    pub fn face(&mut self, platform: Platform) -> Option<&mut dyn Face> {
        self.all().into_iter().find(|face| face.platform() == platform)
    }

    /// Every merchant that a face knows.
    pub fn merchants(&self) -> Vec<(House, String)> {
        let v2 = self.wechat_v2.iter().flat_map(WechatV2::merchants);
        v2.map(|merchant| (House::Wechat, merchant.to_owned())).collect()
    }

    fn all(&mut self) -> Vec<&mut dyn Face> {
        let v2 = self.wechat_v2.as_mut().map(|face| face as &mut dyn Face);
        v2.into_iter().collect()
    }
}
