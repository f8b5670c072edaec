//! How a provider wants to look in the dialog: the member `branding` of its config file. What cannot be used of it is as if
//! it were not there, as in browsers: looks keep nobody from signing in.

use serde_json::Value;
use url::Url;

use super::is_trustworthy;

/// What a dialog may show of a provider. Nothing of it is fetched, and colours are the provider's own text: whoever shows
/// them reads them as CSS does, or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Branding {
    /// The colour behind buttons.
    pub background_color: Option<String>,
    /// The colour of text on them.
    pub color: Option<String>,
    /// Icons; those are left out that are neither `https` nor local.
    pub icons: Vec<Icon>,
    /// What the provider calls itself. It may say anything here; whom the person trusts is the origin of the config file.
    pub name: Option<String>,
}

/// One icon.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Icon {
    /// Where it is, resolved against the config file.
    pub url: String,
    /// Its width, which is its height, in pixels; absent for one of any size.
    pub size: Option<u32>,
}

impl Branding {
    /// What can be used of the member, in the config file at this URL.
    pub(super) fn of(member: &Value, config_url: &Url) -> Self {
        let icons = member.get("icons").and_then(Value::as_array);
        Self {
            background_color: text(member, "background_color"),
            color: text(member, "color"),
            icons: icons
                .into_iter()
                .flatten()
                .filter_map(|icon| Icon::of(icon, config_url))
                .collect(),
            name: text(member, "name"),
        }
    }
}

impl Icon {
    fn of(icon: &Value, config_url: &Url) -> Option<Self> {
        let url = config_url.join(icon.get("url")?.as_str()?).ok().filter(is_trustworthy)?;
        let size = icon.get("size").and_then(Value::as_u64);
        Some(Self { url: url.into(), size: size.and_then(|size| size.try_into().ok()) })
    }
}

/// A member of a dictionary, if it is a text.
pub(super) fn text(dictionary: &Value, member: &str) -> Option<String> {
    dictionary.get(member)?.as_str().map(str::to_owned)
}
