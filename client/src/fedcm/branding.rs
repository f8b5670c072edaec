//! How a provider wants to look in the dialog: the member `branding` of its config file.

use serde::Deserialize;
use url::Url;

use super::is_trustworthy;

/// What a dialog may show of a provider. Nothing of it is fetched, and colours are the provider's own text: whoever shows
/// them reads them as CSS does, or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Branding {
    /// The colour behind buttons.
    pub background_color: Option<String>,
    /// The colour of text on them.
    pub color: Option<String>,
    /// Icons. Once the file is read, their URLs are resolved, and those are gone that are neither `https` nor local.
    #[serde(default)]
    pub icons: Vec<Icon>,
    /// What the provider calls itself. It may say anything here; whom the person trusts is the origin of the config file.
    pub name: Option<String>,
}

/// One icon.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Icon {
    /// Where it is.
    pub url: String,
    /// Its width, which is its height, in pixels; absent for one of any size.
    pub size: Option<u32>,
}

impl Branding {
    /// With the icons that can be asked for, relative to the config file.
    pub(super) fn resolved(mut self, config_url: &Url) -> Self {
        self.icons.retain_mut(|icon| {
            let url = config_url.join(&icon.url).ok().filter(is_trustworthy);
            url.is_some_and(|url| {
                icon.url = url.into();
                true
            })
        });
        self
    }
}
