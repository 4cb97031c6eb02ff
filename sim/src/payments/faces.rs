//! The faces that a backend shows.

use super::alipay::Alipay;
use super::call::{House, Platform};
use super::face::Face;
use super::http::Request;
use super::wechat_v2::WechatV2;
use super::wechat_v3::WechatV3;

/// Which faces there are.
#[derive(Clone, Debug, Default)]
pub struct Faces {
    /// WeChat Pay v2.
    pub wechat_v2: Option<WechatV2>,
    /// WeChat Pay v3.
    pub wechat_v3: Option<WechatV3>,
    /// Alipay.
    pub alipay: Option<Alipay>,
}

impl Faces {
    /// The face that a request is for.
    pub fn claiming(&mut self, request: &Request) -> Option<&mut dyn Face> {
        self.all().find(|face| face.claims(request))
    }

    /// A face.
    pub fn face(&mut self, platform: Platform) -> Option<&mut dyn Face> {
        self.all().find(|face| face.platform() == platform)
    }

    /// Every merchant that a face knows.
    pub fn merchants(&self) -> Vec<(House, String)> {
        let v2 = self.wechat_v2.iter().flat_map(WechatV2::merchants);
        let v3 = self.wechat_v3.iter().flat_map(WechatV3::merchants);
        let wechat = v2.chain(v3).map(|merchant| (House::Wechat, merchant.to_owned()));
        let alipay = self.alipay.iter().flat_map(Alipay::merchants);
        wechat.chain(alipay.map(|merchant| (House::Alipay, merchant.to_owned()))).collect()
    }

    fn all(&mut self) -> impl Iterator<Item = &mut dyn Face> {
        let v2 = self.wechat_v2.as_mut().map(|face| face as &mut dyn Face);
        let v3 = self.wechat_v3.as_mut().map(|face| face as &mut dyn Face);
        let alipay = self.alipay.as_mut().map(|face| face as &mut dyn Face);
        [v2, v3, alipay].into_iter().flatten()
    }
}
